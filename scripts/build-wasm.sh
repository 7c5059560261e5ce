#!/usr/bin/env bash
# Builds the WASM modules, optimised, with their JavaScript glue: evaluator-wasm/pkg, which evaluates,
# and evaluator-wasm/pkg-compiler, which compiles definitions. Fails when one outgrows its budget in
# tests/budgets.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/tool-path.sh

# wasm-pack keeps its downloads here and fails without it, although there are none.
mkdir -p "${XDG_CACHE_HOME:-$HOME/.cache}/.wasm-pack"
# Messages of panics name source files: as the project knows them, not as this machine does.
export RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$PWD= --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"

# build NAME FOLDER FEATURE
build() {
	local name=$1 folder=$2 feature=$3 wasm="evaluator-wasm/$2/$1_bg.wasm" before after gzipped budget
	rm -rf "evaluator-wasm/$folder"
	wasm-pack --quiet build evaluator-wasm --mode no-install --target bundler --out-dir "$folder" --out-name "$name" \
		--no-pack --no-typescript --profile wasm -- --no-default-features --features "$feature"
	before=$(wc -c <"$wasm")
	node scripts/snip-panics.mjs "$wasm" "$wasm"
	# More inlining makes the module smaller, but what is sent, compressed, larger. The memory's first kilobyte is
	# the far end of the stack: no address is reckoned from there.
	wasm-opt --low-memory-unused --optimize-instructions -O3 --always-inline-max-function-size=4 \
		--one-caller-inline-max-function-size=20 --flexible-inline-max-function-size=4 --converge \
		--strip-debug --strip-producers --strip-target-features "$wasm" -o "$wasm.optimised"
	mv "$wasm.optimised" "$wasm"
	after=$(wc -c <"$wasm")
	if [ "$after" -ge "$before" ]; then
		echo "build-wasm: wasm-opt did not shrink the $name ($before to $after bytes)" >&2
		exit 1
	fi
	gzipped=$(gzip -9 -c "$wasm" | wc -c)
	budget=$(node -p 'require("./tests/budgets.json")[process.argv[1]].gzipBytes' "$name")
	echo "$name: $after bytes (before wasm-opt $before), gzip $gzipped of $budget"
	if [ "$gzipped" -gt "$budget" ]; then
		echo "build-wasm: the $name is over its budget: make it smaller, or raise tests/budgets.json with a reason" >&2
		exit 1
	fi
}

# Hashes are taken four at a time, by intrinsics; what the compiler would put side by side or unroll itself is
# no faster, and larger. The stack is 1 MiB unless told, most of it unused: flags, cohorts and values nested as
# deep as they may need 97 KiB. A stack that is exhausted is a trap.
RUSTFLAGS="$RUSTFLAGS -C target-feature=+simd128 -C link-arg=-zstack-size=196608 -C no-vectorize-loops \
	-C no-vectorize-slp -C llvm-args=-unroll-threshold=10" build evaluator pkg evaluate
# It runs once per snapshot, and only where none is compiled: small before fast.
CARGO_PROFILE_WASM_OPT_LEVEL=s build compiler pkg-compiler compile
