#!/usr/bin/env bash
# Installs what the build lacks, and says so: the WASM target, wasm-bindgen and wasm-pack in versions
# of their own under the user's cache, and the npm packages. Does nothing when all is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/tool-path.sh

need() {
	command -v "$1" >/dev/null && return
	echo "tools: $1 is missing: $2" >&2
	exit 1
}

# Whether the first program of that name on PATH is of that version.
has_version() { [ "$("$1" --version 2>/dev/null | awk '{ print $2 }')" = "$2" ]; }

# install_crate PROGRAM CRATE FOLDER VERSION
install_crate() {
	has_version "$1" "$4" && return
	echo "tools: building $2 $4 into $TOOLS_DIR (once, some minutes)"
	local install=(cargo install "$2" --version "$4" --root "$TOOLS_DIR/$3-$4" --quiet)
	# The lock file of a tool may name a dependency that a registry mirror does not serve yet.
	"${install[@]}" --locked || {
		echo "tools: $2 could not be built from its own lock file, so cargo chooses its dependencies"
		"${install[@]}"
	}
	has_version "$1" "$4" || { echo "tools: $1 is not $4 after its installation" >&2; exit 1; }
}

need rustup "install Rust from https://rustup.rs"
need node "install Node 20 or newer"
need npm "it comes with Node"

if ! rustup target list --installed | grep -qx wasm32-unknown-unknown; then
	echo "tools: adding the Rust target wasm32-unknown-unknown"
	rustup target add wasm32-unknown-unknown
fi
install_crate wasm-bindgen wasm-bindgen-cli wasm-bindgen "$WASM_BINDGEN_VERSION"
install_crate wasm-pack wasm-pack wasm-pack "$WASM_PACK_VERSION"

# npm writes this file last, so it is older than the lock when something changed since.
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
	echo "tools: installing npm packages"
	npm ci --no-audit --no-fund
fi
