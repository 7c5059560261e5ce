# Sourced by the other scripts: versions of the build tools, and a PATH on which they come first.
WASM_BINDGEN_VERSION=0.2.130 # equals wasm-bindgen in evaluator-wasm/Cargo.toml
WASM_PACK_VERSION=0.15.1
TOOLS_DIR="${XDG_CACHE_HOME:-$HOME/.cache}/flagpost/tools"
PATH="$PWD/node_modules/.bin:$TOOLS_DIR/wasm-pack-$WASM_PACK_VERSION/bin:$TOOLS_DIR/wasm-bindgen-$WASM_BINDGEN_VERSION/bin:$PATH"
export PATH
