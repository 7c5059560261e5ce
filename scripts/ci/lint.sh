#!/usr/bin/env bash
# Formatting, clippy for every target with and without default features, TypeScript.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scripts/tools.sh

echo "lint: cargo fmt"
cargo fmt --all --check
echo "lint: cargo clippy"
cargo clippy --workspace --all-targets -- -D warnings
cargo clippy --package refresher --all-targets --features otel -- -D warnings
echo "lint: cargo clippy for the WASM target"
cargo clippy --package flagpost-evaluator --target wasm32-unknown-unknown -- -D warnings
echo "lint: the npm package is built, because the Worker is checked against its typings"
make --silent js/dist/index.js
echo "lint: tsc"
npm run check
echo "lint: syntax of the scripts"
for script in scripts/*.sh scripts/ci/*.sh scripts/action/*.sh .ci/run; do bash -n "$script"; done
find scripts js tests benches examples -name node_modules -prune -o -name dist -prune -o -name '*.mjs' -print0 | xargs -0 -n 1 node --check
echo "lint: passed"
