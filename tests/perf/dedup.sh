#!/bin/sh
# SPDX-License-Identifier: MIT
# Duplicates among many short records, a quarter of which are copies of earlier ones in other letters
# and with other white space: rate, peak memory, and whether all of them were found.
#     tests/perf/dedup.sh BUILD [FOLDER]     RECORDS=10000000, OPTIONS='"method":"minhash",'
# FOLDER (default: a new one in /tmp) needs about 600 bytes a record.  By hand, not in ctest.
set -eu

build=$(cd "${1:?usage: dedup.sh BUILD [FOLDER]}" && pwd)
n=${RECORDS:-10000000}
work=$(mktemp -d "${2:-/tmp}/drh-perf.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"

LC_ALL=C awk -v n="$n" 'function q(i) { return "What is " i * 7919 % 99999989 " plus " i "?" }
    BEGIN { for (i = 0; i < n; i++) {
        if (i % 4 == 3) { j = int(i * 37 / 100); j -= j % 4; text = "  " toupper(q(j)) "\\n" }
        else { j = i; text = q(i) }
        printf "{\"instruction\":\"%s\",\"output\":\"The sum of both is %d.\"}\n", text, j } }' >in.jsonl
printf '%s\n' '{"recipe":1,"version":"v1","data":"out","sources":[{"use":"local","path":"in.jsonl",' \
    '"domain":"General","dataset":"sums"}],"preprocess":[{"use":"chat"},' \
    "{${OPTIONS:-}\"use\":\"dedup\"}]}" >recipe.json
/usr/bin/time -o time.txt -f '%e %U %S %M' "$build/drhost" run recipe.json -q
tail -n 1 time.txt | awk -v n="$n" '{
    printf "%d records  cpu %.1f s %.0f/s  wall %.1f s %.0f/s  peak %.0f MiB\n",
           n, $2 + $3, n / ($2 + $3), $1, n / $1, $4 / 1024 }'
left=$(find out/interim -name '*.jsonl' -exec cat {} + | wc -l)
[ "$left" = $((n - n / 4)) ] || { echo "$left are left instead of $((n - n / 4))" >&2 && exit 1; }
