#!/usr/bin/env bash
# Builds evaluator-wasm/pkg: the WASM module, optimised, and its JavaScript glue. Fails when they
# outgrow the budget in tests/budgets.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/tool-path.sh

pkg=evaluator-wasm/pkg
rm -rf "$pkg"
# wasm-pack keeps its downloads here and fails without it, although there are none.
mkdir -p "${XDG_CACHE_HOME:-$HOME/.cache}/.wasm-pack"
# Messages of panics name source files: as the project knows them, not as this machine does.
export RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$PWD= --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
wasm-pack --quiet build evaluator-wasm --mode no-install --target bundler --out-name evaluator \
	--no-pack --no-typescript --profile wasm

wasm=$pkg/evaluator_bg.wasm
before=$(wc -c <"$wasm")
# Inlining makes the module smaller, but what is sent, compressed, larger.
wasm-opt -O3 --skip-pass=inlining-optimizing --strip-debug --strip-producers "$wasm" -o "$wasm.optimised"
mv "$wasm.optimised" "$wasm"
after=$(wc -c <"$wasm")
if [ "$after" -ge "$before" ]; then
	echo "build-wasm: wasm-opt did not shrink the module ($before to $after bytes)" >&2
	exit 1
fi
echo "evaluator: wasm-opt took the module from $before to $after bytes"

gzipped() { gzip -9 -c "$1" | wc -c; }
module=$(gzipped "$wasm")
glue=$(gzipped "$pkg/evaluator_bg.js")
budget=$(node -p 'require("./tests/budgets.json").evaluator.gzipBytes')
echo "evaluator: gzip $module bytes WASM + $glue bytes glue = $((module + glue)) of $budget"
if [ "$((module + glue))" -ge "$budget" ]; then
	echo "build-wasm: the evaluator is over its budget: make it smaller, or raise tests/budgets.json with a reason" >&2
	exit 1
fi
