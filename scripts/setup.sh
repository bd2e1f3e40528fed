#!/usr/bin/env bash
# Installs what the tests need beyond Go and make: Node.js, Chromium with fonts for Chinese, nginx, Caddy, Redis, and the npm packages.
# It fails, and says what is missing, where it cannot.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
have() { command -v "$1" >/dev/null 2>&1; }
have node     || missing+=(nodejs)
have npm      || missing+=(npm)
have chromium || missing+=(chromium)
have nginx    || [ -x /usr/sbin/nginx ] || missing+=(nginx-light)
[ -e /usr/lib/nginx/modules/ngx_nchan_module.so ] || missing+=(libnginx-mod-nchan) # a peer of bench/delivery
have caddy    || missing+=(caddy)
have redis-server || missing+=(redis-server)
have gcc      || missing+=(gcc libc6-dev) # the race detector
[ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || missing+=(fonts-noto-cjk)
[ -e /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf ]      || missing+=(fonts-noto-color-emoji)

if [ "${#missing[@]}" -gt 0 ]; then
  have apt-get || { echo "the tests need: ${missing[*]} (no apt-get here: install them yourself)" >&2; exit 1; }
  as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
  echo "installing: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' || { echo "the tests need Node.js 20 or newer, here is $(node --version)" >&2; exit 1; }
for dir in web e2e; do
  [ -e "$dir/node_modules/.package-lock.json" ] && [ "$dir/node_modules/.package-lock.json" -nt "$dir/package-lock.json" ] && continue
  (cd "$dir" && npm ci --no-audit --no-fund --loglevel=error)
done
