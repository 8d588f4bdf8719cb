#!/bin/sh
# The published method, its second job: every artifact is downloaded and copied into one folder, without replacing.
#   merge.sh WORK
# Leaves WORK/merged-cache/go-mod and go-build. Artifacts go as they are merged, since disks are small, and WORK/merged has
# the times of each: lines "download|merge PROVIDER SECONDS", which are printed at the end.
set -eu
work=$1
merged="$work/merged-cache"
now() { date +%s.%N; }
since() { echo "$1 $(now)" | awk '{ printf "%.3f", $2 - $1 }'; }
trap 'exit 130' INT TERM

mkdir -p "$merged/go-mod" "$merged/go-build" "$work/merged"
for artifact in "$work"/artifacts/*.tar; do
  [ -f "$artifact" ] || continue
  provider=$(basename "$artifact" .tar)
  rm -rf "$work/download"
  mkdir "$work/download"
  start=$(now)
  tar -C "$work/download" -xf "$artifact"
  echo "download $provider $(since "$start")" > "$work/merged/$provider.part"

  # After an interruption the folder may hold half a file, which is not to be kept.
  keep=-n
  [ ! -f "$work/merging" ] || [ "$(cat "$work/merging")" != "$provider" ] || keep=-f
  echo "$provider" > "$work/merging"
  echo "cp -r $keep $provider" >&2
  start=$(now)
  cp -r "$keep" "$work/download/go-mod/." "$merged/go-mod/"
  cp -r "$keep" "$work/download/go-build/." "$merged/go-build/"
  echo "merge $provider $(since "$start")" >> "$work/merged/$provider.part"
  mv "$work/merged/$provider.part" "$work/merged/$provider"
  rm -rf "$work/download" "$artifact" "$work/merging"
done
cat "$work"/merged/*
