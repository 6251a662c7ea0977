#!/usr/bin/env bash
# Checks with real clients and published schemas; see e2e/contract/README.md. It
# needs Go, Node 20 and a registry of npm; the checks themselves use loopback
# alone.
set -euo pipefail
cd "$(dirname "$0")/.."

for attempt in 1 2 3; do
  # No package has to run anything to be installed.
  timeout 600 npm ci --prefix e2e/contract --ignore-scripts --no-audit --no-fund && break
  [ "$attempt" -lt 3 ] || exit 1
  sleep $((attempt * 5))
done
go run ./e2e/contract/driver
