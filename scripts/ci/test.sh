#!/usr/bin/env bash
# Every test. A step that fails, or that ran no test, fails the whole; the others still run.
#   scripts/ci/test.sh            all steps
#   scripts/ci/test.sh rust e2e   only these
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

steps=(package rust js policy packaging vectors differential mutants host hostile recipes docs e2e)
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
summary=()
failed=0

# The stores are tested against a real local Workers KV, and against the functions of the npm package
# in a local Convex; both serve while the Rust tests run.
step_rust() {
	make --silent js/dist/index.js &&
		node tests/support/local-stores.mjs cargo test --workspace --no-fail-fast &&
		cargo test --package refresher --features otel --test telemetry
}
step_package() { scripts/ci/package.sh; }
step_js() { npm test --workspace js && node --test tests/posthog-node/*.test.mjs; }
# What a refresh makes of every answer, by the table that the refresher's tests read as well.
step_policy() { node --test tests/policy/*.test.mjs; }
step_packaging() { npm test --workspace tests; }
step_vectors() { node --test tests/vectors/*.test.mjs tests/budgets/*.test.mjs && node tests/vectors/regenerate.mjs --check && node tests/vectors/run.mjs; }
step_differential() { node --test tests/differential/*.test.mjs && node tests/differential/run.mjs; }
step_mutants() { node tests/mutants/run.mjs; }
step_host() { TZ=UTC node --test tests/host/*.test.mjs; }
# One file at a time: some fill the evaluator's whole memory.
step_hostile() { node --test --test-concurrency=1 tests/hostile/*.test.mjs; }
# The action, the container, the units and the manifests, run as their hosts would run them.
step_recipes() { cargo build --release --package refresher && node --test tests/recipes/*.test.mjs; }
# The pages of docs/, followed to the letter; links; doc comments.
step_docs() { cargo build --release --package refresher && node --test tests/docs/*.test.mjs; }
step_e2e() { cargo build --release --package refresher && node --test tests/e2e/*.test.mjs tests/examples/*.test.mjs; }

# Sums what the runners counted: cargo's "test result" lines and node's totals ("# pass 3", "ℹ pass 3").
count() {
	awk '
		/^test result:/ { passed += $4; failed += $6; skipped += $8 }
		/^(#|ℹ) pass [0-9]+/ { passed += $3 }
		/^(#|ℹ) (fail|cancelled) [0-9]+/ { failed += $3 }
		/^(#|ℹ) (skipped|todo) [0-9]+/ { skipped += $3 }
		/^posthog-node [0-9.]+ asked again:/ { asked += $5 }
		/^vectors in [a-z]+ \(/ { answers += $7; runtimes++ }
		/^differential: [0-9]+ documents/ { cases = $10; differing = $12 }
		/^mutants:/ { mutants = $2; killed = $9; passed += $9; failed += $11 }
		END {
			printf "%d passed, %d failed, %d skipped", passed, failed, skipped
			if (asked) printf ", %d answers asked again of posthog-node", asked
			if (answers) printf ", %d vector answers in %d runtimes", answers, runtimes
			if (cases) printf ", %d random cases, %d differ", cases, differing
			if (mutants) printf ", %d of %d mutants killed", killed, mutants
			exit passed == 0
		}' "$1"
}

run_step() {
	local name=$1 log="$logs/$1" started=$SECONDS result=passed counts
	printf '\n== %s\n' "$name"
	"step_$name" 2>&1 </dev/null | tee "$log"
	[ "${PIPESTATUS[0]}" -eq 0 ] || result=FAILED
	if [ "$name" = package ]; then
		counts="built, within the size budget"
		[ "$result" = passed ] || counts="-"
	elif ! counts=$(count "$log"); then
		result=FAILED
		counts+=" (a step without tests is a failure)"
	fi
	[ "$result" = passed ] || failed=1
	summary+=("$(printf '%-10s %-7s %4d s  %s' "$name" "$result" $((SECONDS - started)) "$counts")")
}

scripts/tools.sh </dev/null || exit 1
[ "$#" -gt 0 ] || set -- "${steps[@]}"
for name in "$@"; do
	if ! declare -F "step_$name" >/dev/null; then
		echo "test.sh: no step is called $name; there are: ${steps[*]}" >&2
		exit 2
	fi
done
for name in "$@"; do run_step "$name"; done

printf '\n== summary\n'
printf '%s\n' "${summary[@]}"
exit "$failed"
