#!/bin/sh
# SPDX-License-Identifier: MIT
# Preprocess + convert on one core, files on a RAM disk: speed by CPU time and by wall time, and the
# peak memory, for 100 MB and for 1 GB of JSONL made from the bundled example data.
#     tests/perf/convert.sh BUILD [FOLDER]     CPU=n: the core; SIZES="100 1000": MB of input
# FOLDER (default: a new one in /dev/shm) needs five times the largest size.  By hand, not in ctest.
set -eu

build=$(cd "${1:?usage: convert.sh BUILD [FOLDER]}" && pwd)
data=$(cd "$(dirname "$0")/../../examples/data" && pwd)
work=$(mktemp -d "${2:-/dev/shm}/drh-perf.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"

# Elements of a pretty-printed array, one a line.
one_a_line() {
    awk '/^[][]/ { next }
         !indent { match($0, /^ +/); indent = substr($0, 1, RLENGTH) }
         { last = $0 ~ ("^" indent "},?$"); sub(/^ +/, ""); if (last) sub(/,$/, "")
           line = line $0; if (last) { print line; line = "" } }' "$1"
}

# make_input MB: in.jsonl, at least that many million bytes
make_input() {
    for name in alpaca_en roleplay sharegpt; do
        one_a_line "$data/$name.json"
    done >seed.jsonl
    awk -v seed="$(wc -c <seed.jsonl)" -v mb="$1" \
        'BEGIN { n = mb * 1000000 / seed; for (i = 0; i < n; i++) print "seed.jsonl" }' |
        xargs cat >in.jsonl
    rm seed.jsonl
}

# measure NAME COMMAND...
measure() {
    name=$1
    shift
    /usr/bin/time -o time.txt -f '%e %U %S %M' taskset -c "${CPU:-0}" "$@"
    tail -n 1 time.txt | awk -v name="$name" -v bytes="$(wc -c <in.jsonl)" '{
        cpu = $2 + $3
        printf "%-8s %6.0f MB  cpu %6.2f s %5.0f MB/s  wall %6.2f s %5.0f MB/s  peak %4.0f MiB\n",
               name, bytes / 1e6, cpu, bytes / 1e6 / cpu, $1, bytes / 1e6 / $1, $4 / 1024 }'
}

printf '%s\n' '{"recipe":1,"version":"v1","data":"out","sources":[{"use":"local","path":"in.jsonl",' \
    '"domain":"General","dataset":"mixed"}],"preprocess":[{"use":"chat"}],' \
    '"convert":[{"use":"pretrain"}]}' >recipe.json

for size in ${SIZES:-100 1000}; do
    make_input "$size"
    measure plugins "$build/drhost" --plugin "$build/plugins/chat.so" \
        --plugin "$build/plugins/pretrain.so" -j1 -q in.jsonl -o out.jsonl
    rm -f out.jsonl*
    measure recipe "$build/drhost" run recipe.json -j1 -q
    rm -rf out
done
