#!/bin/sh
# SPDX-License-Identifier: MIT
# bad_readers.sh DRHOST TEST_PLUGINS PLUGINS - bad_reader.so with each of its faults, in a small recipe
# and as a single step: the exit code, words of the message, how many records come out.
set -eu
drhost=$1
fakes=$2
plugins=$3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
bad=0
printf 'BADR and no more' >in.bin

# reader CODE RECORDS WORDS [KEY=VALUE...] - options of the reader
reader() {
    want=$1 records=$2 words=$3
    shift 3
    set -- $(for one in "$@"; do echo "--set s.reader.$one"; done)
    cat >recipe.json <<END
{ "recipe": 1, "version": "v1", "data": "data", "part_records": 10, "max_bad": 1000,
  "sources": [ { "use": "local", "id": "s", "path": "in.bin", "domain": "D", "dataset": "d",
                 "reader": { "use": "bad-reader" } } ] }
END
    for j in 1 2; do
        rm -rf data
        code=0
        "$drhost" run --plugin-path "$fakes/bad" --plugin-path "$plugins" --no-progress recipe.json \
            -j$j "$@" >out 2>log || code=$?
        n=$(cat data/interim/v1/D/d/part-*.jsonl 2>/dev/null | wc -l)
        cat data/.drhost/v1/rejected/preprocess/D/d/*.jsonl >>log 2>/dev/null || :
        if [ "$code" -ne "$want" ] || [ "$n" -ne "$records" ] || ! grep -q -e "$words" log ||
            grep -q 'Sanitizer\|runtime error\|do not balance' log; then
            echo "$* -j$j: exit $code, $n records; wanted $want, $records and \"$words\" in:" >&2
            cat log >&2
            bad=1
        fi
    done
}

reader 0 20 done
reader 0 23 done rows=23
reader 0 0 done rows=0
reader 0 10 done rows=10 # a part ends where the file does
reader 1 0 'bad-reader.*unknown status 4711' fault=unknown_status
reader 1 0 'unknown status 2' fault=again
reader 1 0 'unknown status -1' fault=negative
reader 1 0 'in.bin: reader bad-reader: (bad-reader gave no reason; status io)' fault=silent
reader 3 7 '"reason":"damaged_file","detail":"a hole   in ? the file".*"row":7,"line":8' fault=damage
reader 1 0 'adds records to a row' fault=adds
reader 3 0 '"reason":"unsettled"' fault=keeps_nothing
reader 0 20 done fault=settles_twice
reader 1 0 'unknown status 4711' fault=open_status
reader 1 0 'gave no reason' fault=open_silent
reader 3 0 '"reason":"damaged_file","detail":"the reader cannot read on' fault=open_data
reader 1 10 'does not open in.bin at the position' fault=ignores_position rows=30
reader 1 10 'gives the position where it began, 10 rows ago' fault=same_position rows=30
reader 0 30 done fault=no_position rows=30 # counts as one that cannot tell
reader 1 0 'position of 2000 bytes, and 1024 is the most' fault=long_position
reader 1 0 'tell() gave a position of' fault=null_position
reader 1 0 'lost its place' fault=tell_fails

# Batches are bounded by what readers make, too: 600 rows of 2 MB, and one that is too long.
sed -i 's|"part_records": 10|"part_records": 1000|' recipe.json
rm -rf data
ASAN_OPTIONS="quarantine_size_mb=16${ASAN_OPTIONS:+:$ASAN_OPTIONS}" "$drhost" run --no-progress \
    --plugin-path "$fakes/bad" recipe.json -j2 --set s.reader.fault=drops --set s.reader.rows=600 \
    --set s.reader.size=2000000 >out 2>log || { cat log >&2; bad=1; }
peak=$(sed -n 's/.*"peak_memory_mib":[[:space:]]*\([0-9]*\).*/\1/p' data/.drhost/v1/report.json)
grep -q '"unwanted":[[:space:]]*600' data/.drhost/v1/report.json && [ "$peak" -lt 400 ] ||
    { echo "peak memory $peak MiB for rows of 2 MB" >&2; bad=1; }
reader 3 0 '"reason":"row_too_long"' rows=2 size=70000000

# A reader that never ends: its parts go on, and the run can be stopped.
sed -i 's|"use": "bad-reader"|"use": "bad-reader", "fault": "never_ends"|' recipe.json
rm -rf data
"$drhost" run --plugin-path "$fakes/bad" --no-progress recipe.json >out 2>log &
pid=$!
while [ ! -e data/interim/v1/D/d/part-003.jsonl ]; do sleep 0.02; done
kill -TERM $pid
code=0
wait $pid || code=$?
[ $code = 4 ] || { echo "never_ends: exit $code instead of 4" >&2; cat log >&2; bad=1; }
code=0
"$drhost" --plugin "$fakes/bad/bad_reader.so" --set bad-reader.fault=never_ends in.bin --limit 5000 \
    >out 2>log || code=$?
[ $code = 0 ] && [ "$(wc -l <out)" = 5000 ] || { echo "never_ends, --limit: $code" >&2; bad=1; }

# One whose sniff() is below 0 does not know the file.
code=0
"$drhost" --plugin "$fakes/bad/bad_reader.so" --set bad-reader.fault=sniff_negative in.bin >out 2>log ||
    code=$?
[ $code = 3 ] && grep -q 'in.bin:1: bad_json' log || { echo "sniff_negative: $code" >&2; bad=1; }
exit $bad
