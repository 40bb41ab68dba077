#!/bin/sh
# SPDX-License-Identifier: MIT
# layout.sh SDK - size and offset of every member: equal to the golden ones, from each compiler.
set -eu
sdk=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$sdk/abi/abi_text.sh" "$sdk/include" >"$dir/text"
"$sdk/abi/abi_text.sh" --layout "$dir/text" >"$dir/layout.c"
for cc in "${CC:-cc}" gcc clang; do
    command -v "$cc" >/dev/null || { echo "no $cc here, skipped"; continue; }
    "$cc" -std=c11 -I "$sdk/include" -o "$dir/layout" "$dir/layout.c"
    "$dir/layout" >"$dir/now"
    diff "$sdk/abi/layout.txt" "$dir/now" || { echo "layout differs with $cc" >&2; exit 1; }
done
