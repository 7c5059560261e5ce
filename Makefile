# What a person types. Every recipe is a script that CI runs as well; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

ENGINE_SOURCES := $(shell find engine/src engine/Cargo.toml Cargo.toml Cargo.lock rust-toolchain.toml 2>/dev/null)
WASM_SOURCES := $(ENGINE_SOURCES) $(shell find evaluator-wasm/src evaluator-wasm/Cargo.toml 2>/dev/null) scripts/build-wasm.sh
JS_SOURCES := $(WASM_SOURCES) $(shell find js/src js/package.json js/tsconfig.json scripts/build-js.mjs package-lock.json 2>/dev/null)

.PHONY: help demo build test vectors differential mutants lint bench clean tools

help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## the whole path on this machine: refresher, local KV, Worker in workerd, a table of answers
	@node scripts/demo.mjs

build: tools js/dist/index.js ## target/release/refresher and the npm package in js/
	@echo "building target/release/refresher"
	@cargo build --release --package refresher

js/dist/index.js: $(JS_SOURCES) | tools
	@scripts/ci/package.sh

test: ## every test; ends with the counts of each step
	@scripts/ci/test.sh

vectors: js/dist/index.js ## the vectors: asked again of posthog-node, and answered in every runtime
	@node tests/vectors/regenerate.mjs --check
	@node tests/vectors/run.mjs

differential: js/dist/index.js ## random cases asked of posthog-node and Flagpost: CASES=1000000 SEED=1
	@node tests/differential/run.mjs $(if $(CASES),--cases $(CASES)) $(if $(SEED),--seed $(SEED))

mutants: js/dist/index.js ## evaluators that are wrong in one rule, each to be noticed by the differential test
	@node tests/mutants/run.mjs

lint: ## formatting, clippy, TypeScript
	@scripts/ci/lint.sh

bench: js/dist/index.js ## Flagpost beside its peers in four runtimes, into docs/benchmarks, and what a refresh costs
	@cargo build --quiet --release --package refresher
	@node benches/run.mjs
	@node benches/refresher.mjs

clean: ## remove everything that was built (not the tools of scripts/tools.sh)
	rm -rf target node_modules tests/node_modules js/dist js/node_modules evaluator-wasm/pkg evaluator-wasm/pkg-compiler .wrangler examples/*/.wrangler examples/*/.next examples/*/node_modules

tools:
	@scripts/tools.sh
