#!/usr/bin/env bash
# Builds the evaluator's WASM and, around it, the npm package in js/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

echo "building the evaluator (WASM)"
scripts/build-wasm.sh
echo "building the npm package in js/"
node scripts/build-js.mjs
