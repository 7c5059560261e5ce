#!/usr/bin/env bash
# Builds the refresher of the action's own checkout into $RUNNER_TEMP/flagpost/bin.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if ! command -v cargo >/dev/null; then
	echo "::error title=Flagpost::cargo is missing on this runner: install Rust from https://rustup.rs, or use one of GitHub's own runners"
	exit 1
fi

# The keys are the refresher's business, not that of the build scripts of its dependencies.
unset POSTHOG_PERSONAL_API_KEY POSTHOG_SECRET_KEY CLOUDFLARE_API_TOKEN CONVEX_DEPLOY_KEY
unset AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_CONTAINER_AUTHORIZATION_TOKEN
unset OTEL_EXPORTER_OTLP_HEADERS

# Without this rustup would first install what only developers of this repository need.
export RUSTUP_TOOLCHAIN=${RUSTUP_TOOLCHAIN:-stable}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$RUNNER_TEMP/flagpost-target}

# A group keeps some hundred lines of the build out of the reader's way.
echo "::group::Building the refresher (the first time only)"
cargo install --locked --path refresher --root "$RUNNER_TEMP/flagpost" --no-track --force
echo "::endgroup::"
