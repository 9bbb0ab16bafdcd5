#!/bin/sh
# Builds the Debian base of the stand-ins, the image qs-stand-in-base: a minimal system from the distribution's packages,
# since no image can be pulled where this is needed. Takes half a minute, once.
set -eu
release=trixie
docker image inspect qs-stand-in-base >/dev/null 2>&1 && exit 0
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mirror=$(sed -n 's/^URIs: *//p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null | head -n 1)
debootstrap --variant=minbase --include=ca-certificates "$release" "$root/system" "${mirror:-http://deb.debian.org/debian}" >"$root/log" 2>&1 || {
  tail -n 20 "$root/log" >&2
  exit 1
}
# Behind a private proxy only the certificates of this machine work.
cp /etc/ssl/certs/ca-certificates.crt "$root/system/etc/ssl/certs/ca-certificates.crt"
rm -rf "$root"/system/var/cache/apt/archives/*.deb
tar -C "$root/system" -c . | docker import - qs-stand-in-base >/dev/null
