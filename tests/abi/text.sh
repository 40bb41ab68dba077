#!/bin/sh
# SPDX-License-Identifier: MIT
# text.sh SDK - today's headers against the golden text: appended to at most, and what was appended
# is in the golden text too, so that it is guarded from now on.
set -eu
sdk=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$sdk/abi/abi_text.sh" "$sdk/include" >"$dir/now"
[ "$(wc -l <"$dir/now")" -gt 200 ] || { echo "the text is too short to be the ABI" >&2; exit 1; }
"$sdk/abi/abi_text.sh" --check "$sdk/abi/1.0.txt" "$dir/now"
if ! diff "$sdk/abi/1.0.txt" "$dir/now"; then
    echo "the ABI has additions; record them: cmake --build BUILD --target abi-update" >&2
    exit 1
fi
