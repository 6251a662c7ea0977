#!/usr/bin/env bash
# Builds the Dockerfile and runs the image, as root on Debian 12, with no
# container engine and no image registry: buildah takes base images that are
# made here, by debootstrap and with the Go that is installed, under the names
# that the Dockerfile uses. Everything is below one temporary folder, which is
# removed at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "this needs root on Debian" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
suite=bookworm
begin=$SECONDS
say() { printf '%4d s  %s\n' $((SECONDS - begin)) "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
retry() { # retry COMMAND...: three times, for what comes over a network
  local n
  for n in 1 2 3; do
    "$@" && return 0
    say "attempt $n failed: $1"
    sleep $((n * 5))
  done
  return 1
}

missing=()
for tool in buildah debootstrap; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${missing[*]}"
  retry apt-get update -q >/dev/null
  retry apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}" >/dev/null
fi

work=$(mktemp -d)
# shellcheck disable=SC2317 # called by the trap
clean() {
  local code=$?
  set +e
  b rm --all >/dev/null 2>&1
  # Nothing below may still be mounted when it is removed.
  findmnt -rno TARGET | grep -F "$work/" | sort -r | while read -r target; do umount -l "$target"; done
  if findmnt -rno TARGET | grep -qF "$work/"; then
    echo "left in place, since something is mounted there: $work" >&2
    exit 1
  fi
  rm -rf --one-file-system "$work"
  exit "$code"
}
trap clean EXIT
export TMPDIR=$work/tmp
mkdir -p "$TMPDIR"
b() { buildah --storage-driver vfs --root "$work/store" --runroot "$work/run" "$@"; }
# A policy of our own: nothing is pulled, so nothing has to be verified.
printf '{"default":[{"type":"insecureAcceptAnything"}]}' >"$work/policy.json"

name() { # name ARG: the base image that the Dockerfile names in ARG
  sed -n "s/^ARG $1=//p" Dockerfile
}

say "debian, by debootstrap"
container=$(b from scratch)
root=$(b mount "$container")
retry debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
  { tail -n 20 "$work/debootstrap.log"; fail "debootstrap"; }
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
b umount "$container" >/dev/null
b commit --quiet --rm --signature-policy "$work/policy.json" "$container" "$(name RUN_IMAGE)" >/dev/null

say "golang, from $(go env GOROOT)"
container=$(b from --pull-never --signature-policy "$work/policy.json" "$(name RUN_IMAGE)")
root=$(b mount "$container")
cp -a "$(go env GOROOT)" "$root/usr/local/go"
mkdir -p "$root/etc/ssl/certs"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
b config --env PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  --env GOPROXY="$(go env GOPROXY)" --env GONOSUMDB="$(go env GONOSUMDB)" --env GOSUMDB="$(go env GOSUMDB)" "$container"
b umount "$container" >/dev/null
b commit --quiet --rm --signature-policy "$work/policy.json" "$container" "$(name GO_IMAGE)" >/dev/null

say "the Dockerfile"
retry b build --quiet --isolation chroot --pull-never --format docker --signature-policy "$work/policy.json" \
  --build-arg VERSION=ci --tag ltxbot . >"$work/build.log" 2>&1 || { tail -n 40 "$work/build.log"; fail "build"; }

say "the image"
container=$(b from --pull-never --signature-policy "$work/policy.json" ltxbot)
inside() { b run --isolation chroot "$container" -- "$@"; }
config=$(b inspect --type image --format \
  '{{.Docker.Config.User}} {{.Docker.Config.Entrypoint}} {{.Docker.Config.Cmd}} {{.Docker.Config.Healthcheck.Test}}' ltxbot)
echo "$config"
[[ $config == "10001:10001 [/usr/local/bin/bot] [run --config /etc/ltxbot/ltx.toml] [CMD /usr/local/bin/bot health"* ]] ||
  fail "user, entry point, command and health check are not those of the Dockerfile"
[ "$(inside id -u)" = 10001 ] || fail "the image does not run as its own user"
version=$(inside /usr/local/bin/bot version)
[ "$version" = 'ltxbot ci' ] || fail "the version is \"$version\", not that of the build"

say "bot demo"
inside /usr/local/bin/bot demo -e '/ltx prompt:a fox' | tee "$work/demo.log"
grep -q 'saved /var/lib/ltxbot/ltx-' "$work/demo.log" || fail "the demo saved no video"
video=$(sed -n 's/^saved //p' "$work/demo.log")
codecs=$(inside ffprobe -v error -show_entries stream=codec_name -of csv=p=0 "$video")
[[ $codecs == *h264* ]] || fail "the video does not play: $codecs"

say "bot doctor, without keys"
code=0
inside /usr/local/bin/bot doctor --config /etc/ltxbot/ltx.toml | tee "$work/doctor.log" || code=$?
[ "$code" -eq 1 ] || fail "doctor ended with $code, not with 1, without keys"
for found in 'fal.key' 'neither Discord nor Slack' 'ffmpeg'; do
  grep -q "$found" "$work/doctor.log" || fail "doctor does not speak of $found"
done
grep -Eq '^ok +video tools' "$work/doctor.log" || fail "doctor does not find ffmpeg in the image"
if inside /usr/local/bin/bot health --live --url http://127.0.0.1:9 2>/dev/null; then
  fail "the health check is happy with a bot that does not run"
fi
say "done: $(du -sh "$(b mount "$container")" | cut -f1) in the image"
