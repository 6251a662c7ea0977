#!/usr/bin/env bash
# Builds a release into dist/: one static program for each system, SHA256SUMS of
# them, and CHANGELOG.md with the commits since the tag before. The same commit
# and the same Go give the same bytes.
#
#   deploy/release.sh v1.5.0      (make release VERSION=v1.5.0)
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:?usage: deploy/release.sh VERSION}
case $version in
*[!A-Za-z0-9._+-]*) echo "a version has letters, digits and . _ + - only: $version" >&2; exit 2 ;;
esac
rm -rf dist
mkdir dist
for system in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64; do
  name=ltxbot-$version-${system%/*}-${system#*/}
  echo "$name"
  CGO_ENABLED=0 GOOS=${system%/*} GOARCH=${system#*/} GOFLAGS='' \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$version" -o "dist/$name" ./cmd/bot
done
{
  # The newest tag that is not on this very commit.
  before=$(git describe --tags --abbrev=0 --exclude "$version" HEAD 2>/dev/null || true)
  printf '# %s\n\n' "$version"
  git log --no-merges --reverse --format='- %s' ${before:+"$before..HEAD"} 2>/dev/null || echo '- built outside of git'
} >dist/CHANGELOG.md
sum=sha256sum
command -v sha256sum >/dev/null || sum='shasum -a 256' # macOS
(cd dist && $sum ltxbot-* >SHA256SUMS)
ls -l dist
