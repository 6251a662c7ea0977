#!/usr/bin/env bash
# Reads the files in deploy/ as strictly as what they are for does. The checks
# are a module of their own, and the unit is read by systemd where that is
# installed.
set -euo pipefail
cd "$(dirname "$0")/.."

for attempt in 1 2 3; do
  go -C deploy/check mod download && break
  [ "$attempt" -lt 3 ] || exit 1
  sleep $((attempt * 5))
done
go -C deploy/check vet ./...
go -C deploy/check test -count=1 ./...

if command -v systemd-analyze >/dev/null; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  # The program and the user of the unit need not exist here.
  sed -e 's#^ExecStart=[^ ]*#ExecStart=/bin/true#' -e 's/^\(User\|Group\)=.*/\1=root/' deploy/ltxbot.service >"$work/ltxbot.service"
  # Of what it says about other units of this machine nothing is ours.
  complaints=$(systemd-analyze verify "$work/ltxbot.service" 2>&1 | grep -F ltxbot.service || true)
  [ -z "$complaints" ] || { echo "$complaints"; exit 1; }
  # The most exposed that the unit may be, in tenths; 10.0 is no protection.
  systemd-analyze security --offline=true --threshold=20 "$work/ltxbot.service" | tail -n 1
else
  echo "systemd-analyze is not installed: the unit is not checked"
fi
