#!/bin/sh
# SPDX-License-Identifier: MIT
# headers.sh INCLUDE_DIR - each public header compiles alone, as C11, C17 and C++17, without a warning.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
strict='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wcast-qual -Werror'
bad=0
for header in "$1"/drh/*.h; do
    name=drh/$(basename "$header")
    printf '#include <%s>\nint unit_is_not_empty;\n' "$name" >"$dir/one.c"
    cp "$dir/one.c" "$dir/one.cc"
    for cc in gcc clang; do
        command -v $cc >/dev/null || continue
        for std in c11 c17; do
            $cc -std=$std $strict -I "$1" -fsyntax-only "$dir/one.c" || { echo "$name $cc $std" >&2; bad=1; }
        done
    done
    for cxx in g++ clang++; do
        command -v $cxx >/dev/null || continue
        $cxx -std=c++17 $strict -I "$1" -fsyntax-only "$dir/one.cc" || { echo "$name $cxx" >&2; bad=1; }
    done
done
exit $bad
