#!/bin/sh
# SPDX-License-Identifier: MIT
# quickstart.sh - from a fresh clone to selected records: installs what is missing from Debian
# packages, builds build/release, runs examples/recipes/quickstart.json, shows the result.
set -eu
cd "$(dirname "$0")/.."
. examples/packages.sh
need_packages $PACKAGES_BUILD

echo "Building drhost in build/release"
log=$(mktemp)
if ! { cmake -S . -B build/release -G Ninja -DCMAKE_BUILD_TYPE=Release -DDRH_TESTS=OFF &&
    cmake --build build/release; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    echo "the build failed; the lines above say why" >&2
    exit 1
fi
rm -f "$log"

echo "Running examples/recipes/quickstart.json"
build/release/drhost run examples/recipes/quickstart.json

echo
echo "Results, a file a domain:"
wc -c examples/out/processed/v1/*.jsonl | sed 's/^/  /'
echo "Report:"
echo "  build/release/drhost report examples/recipes/quickstart.json"
echo
echo "Three of the selected records:"
for file in examples/out/processed/v1/*.jsonl; do
    sed -n 1,2p "$file"
done | LC_ALL=C.UTF-8 sed -E -e 's/^(.{600}).*/\1 .../' -e 's/^/  /' -e 3q

echo
echo "Questions and answers that a tiny chat model makes up:"
build/release/drhost --plugin magpie.so --model examples/models/tiny-qwen2 --set count=20 -q \
    -o examples/out/magpie.jsonl
LC_ALL=C.UTF-8 sed -E -e 's/,"metadata".*//' -e 's/^/  /' -e 3q examples/out/magpie.jsonl
echo "With a real one: build/release/drhost --plugin magpie.so --model DIR --set count=1000 -o magpie.jsonl"
