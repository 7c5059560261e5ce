#!/usr/bin/env bash
# Writes the name under which the built refresher is cached: the system it runs on, and a digest of
# everything it is built from. GitHub's hashFiles() sees the caller's repository only, and a tag can move.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

sha256() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

export -f sha256
digest=$(find Cargo.toml Cargo.lock engine refresher -type f | LC_ALL=C sort | tr '\n' '\0' |
	xargs -0 bash -c 'sha256 "$@"' _ | sha256 | cut -c1-32)
# A hosted runner's image names its system (ubuntu24): what was linked there may not start on an older one.
echo "key=flagpost-refresher-$RUNNER_OS-$RUNNER_ARCH-${ImageOS:-unnamed}-$digest" >>"$GITHUB_OUTPUT"
