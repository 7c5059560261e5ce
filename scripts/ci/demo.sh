#!/usr/bin/env bash
# The demo as a newcomer runs it. It must also leave nothing behind that still runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

servers() { pgrep -f 'workerd serve|wrangler' | sort; }

before=$(servers || true)
make demo
left=$(comm -13 <(echo "$before") <(servers || true))
if [ -n "$left" ]; then
	echo "demo: these processes were left behind:" >&2
	ps -o pid,args -p "${left//$'\n'/,}" >&2
	exit 1
fi
echo "demo: nothing was left running"
