#!/bin/sh
# Builds stand-ins for the images that compose.yaml and Dockerfile name, under the same names, where those cannot be
# pulled. An existing image, such as the real one, is kept.
set -eu
cd "$(dirname "$0")"
root=$(cd ../../.. && pwd)
sh base.sh

# name of the image, as it is pinned in compose.yaml or Dockerfile
pinned() { grep -ohE "(image: *|FROM |=)$1:[^ ]+" "$root/compose.yaml" "$root/Dockerfile" | sed "s|.*$1:|$1:|" | head -n 1; }

for name in eclipse-mosquitto postgres grafana/grafana node; do
  image=$(pinned "$name")
  docker image inspect "$image" >/dev/null 2>&1 && continue
  short=${name##*[-/]}
  context=$(mktemp -d)
  case $short in
    node)
      cp "$(readlink -f "$(command -v node)")" "$context/node"
      cp -R "$(npm root -g)/npm" "$context/npm"
      ;;
    *) cp "$short"* "$context" ;;
  esac
  echo "Building a stand-in for $image …" >&2
  DOCKER_BUILDKIT=0 docker build --quiet --tag "$image" --file "$short.Dockerfile" "$context" >/dev/null
  rm -rf "$context"
done
