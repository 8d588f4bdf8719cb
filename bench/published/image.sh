#!/bin/sh
# The published method, the end of its second job: both whole caches into an image, and the image into the registry.
#   image.sh WORK BASE IMAGE
# BASE is an image with Go and without a C compiler. DOCKER names the client, docker by default. Prints lines
# "image|push SECONDS".
set -eu
work=$1 base=$2 image=$3
docker=${DOCKER:-docker}
here=$(cd "$(dirname "$0")" && pwd)
now() { date +%s.%N; }
since() { echo "$1 $(now)" | awk '{ printf "%.3f", $2 - $1 }'; }

start=$(now)
"$docker" build --file "$here/Dockerfile.merged" --build-arg "BASE=$base" --tag "$image" "$work/merged-cache" >&2
echo "image $(since "$start")"
start=$(now)
"$docker" push "$image" >&2
echo "push $(since "$start")"
