#!/bin/sh
# SPDX-License-Identifier: MIT
# update.sh SDK FROZEN - writes the golden files and the frozen headers again.  Only until ABI 1.0 is
# declared (sdk/ABI.md); after that they are history.
set -eu
sdk=$1
frozen=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$sdk/abi/abi_text.sh" "$sdk/include" >"$dir/text"
"$sdk/abi/abi_text.sh" --layout "$dir/text" >"$dir/layout.c"
"${CC:-cc}" -std=c11 -I "$sdk/include" -o "$dir/layout" "$dir/layout.c"
"$dir/layout" >"$dir/layout.txt"
[ ! -f "$sdk/abi/1.0.txt" ] || diff "$sdk/abi/1.0.txt" "$dir/text" || true
mkdir -p "$frozen/drh"
cp "$dir/text" "$sdk/abi/1.0.txt"
cp "$dir/layout.txt" "$sdk/abi/layout.txt"
cp "$sdk"/include/drh/*.h "$frozen/drh/"
