#!/bin/sh
# SPDX-License-Identifier: MIT
# exports.sh FOLDER... - each .so in them exports drh_entry_v1 and nothing else.
set -eu
bad=0
n=0
for so in $(find "$@" -maxdepth 1 -name '*.so'); do
    n=$((n + 1))
    # The version node DRH_1 is an absolute symbol.
    names=$(nm -D --defined-only "$so" | awk '$2 != "A" { print $3 }' | sed 's/@.*//')
    if [ "$names" != drh_entry_v1 ]; then
        echo "$so exports: $names" >&2
        bad=1
    fi
done
[ $n -gt 0 ] || { echo "no plugin in $*" >&2; exit 1; }
exit $bad
