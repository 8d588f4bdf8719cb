#!/bin/sh
# The published method, one job of its matrix: a fresh runner with empty caches builds the programs of one provider, one
# directory after the other, and leaves both whole caches as an artifact.
#   job.sh PROVIDER SOURCE PROGRAMS WORK [FLAG OF GO BUILD]...
# PROGRAMS has lines "provider<TAB>directory". The caches of the job stand at /var/cache/go-mod and /var/cache/go-build, as
# on its runners and in its image; here in a mount namespace of the job's own. Prints lines "build|upload SECONDS",
# "bytes BYTES" (of the artifact) and "failed DIRECTORY".
set -eu
provider=$1 source=$2 programs=$3 work=$4
shift 4

if [ "${IN_JOB:-}" = "" ]; then
  rm -rf "$work/job"
  mkdir -p "$work/job/go-mod" "$work/job/go-build" "$work/artifacts"
  user=""
  [ "$(id -u)" = 0 ] || user="--user --map-root-user"
  # shellcheck disable=SC2086
  IN_JOB=1 exec unshare --mount $user sh "$0" "$provider" "$source" "$programs" "$work" "$@"
fi

mount --bind "$work/job" /var/cache
# Modules that are not read-only can be merged and removed by others than root.
export GOMODCACHE=/var/cache/go-mod GOCACHE=/var/cache/go-build GOFLAGS=-modcacherw HOME="$work"
now() { date +%s.%N; }
since() { echo "$1 $(now)" | awk '{ printf "%.3f", $2 - $1 }'; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
trap 'exit 130' INT TERM

start=$(now)
awk -F '\t' -v provider="$provider" '$1 == provider { print $2 }' "$programs" | while IFS= read -r directory; do
  echo "go build $directory" >&2
  (cd "$source/$directory" && go build "$@" -o "$out/program" .) >&2 || echo "failed $directory"
done
echo "build $(since "$start")"

start=$(now)
tar -C /var/cache -cf "$work/artifacts/$provider.tar.part" go-mod go-build
mv "$work/artifacts/$provider.tar.part" "$work/artifacts/$provider.tar"
echo "upload $(since "$start")"
echo "bytes $(wc -c < "$work/artifacts/$provider.tar")"
rm -rf "$work/job/go-mod" "$work/job/go-build"
