#!/bin/sh
# SPDX-License-Identifier: MIT
# again.sh - what an earlier run left must not mislead a later one: verdicts, parts, plugins, damage.
. "$(dirname "$0")/lib.sh"
mkdir "$T/src"
awk 'BEGIN { for (i = 1; i <= 30; i++)
    printf "{\"instruction\":\"Question %d?\",\"output\":\"Answer %d.\"}\n", i, i * 7 }' >"$T/src/good.jsonl"

# recipe_of FILE SOURCE DATA [PREPROCESS]
recipe_of() {
    printf '{"recipe":1,"version":"v1","data":"%s","sources":[{"use":"local","path":"%s",
        "domain":"D","dataset":"s"}],"preprocess":[%s],"convert":[{"use":"pretrain"}]}\n' \
        "$3" "$2" "${4-}" >"$1"
}

echo "- every record fails in a converter: exit 3, the second time too"
recipe_of "$T/r.json" "$T/src/good.jsonl" "$T/d1"
run 3 run "$T/r.json"
has "$T/err" "every record of D/s is bad"
run 3 run "$T/r.json"
has "$T/err" "every record of D/s is bad"

echo "- a file that ends in the middle: exit 3, what can be read comes out"
awk 'BEGIN { srand(1); for (i = 1; i <= 3000; i++)
    printf "{\"instruction\":\"Q %d %s?\",\"output\":\"A %s.\"}\n", i, rand(), rand() }' |
    gzip >"$T/src/all.gz"
head -c $(($(wc -c <"$T/src/all.gz") / 2)) "$T/src/all.gz" >"$T/src/cut.gz"
run 3 --plugin chat.so "$T/src/cut.gz" -o "$T/cut.jsonl"
has "$T/err" "truncated" "ends in the middle"
[ "$(wc -l <"$T/cut.jsonl")" -gt 500 ] || fail "too little came out"
recipe_of "$T/r.json" "$T/src/cut.gz" "$T/d2" '{"use":"chat"}'
run 3 run "$T/r.json"
has "$T/err" "ends in the middle"
run 3 run "$T/r.json"
has "$T/d2/.drhost/v1/report.json" '"state":	"too_many_bad"'

echo "- parts beyond the last one go, also when a manifest is missing among them"
recipe_of "$T/r.json" "$T/src/good.jsonl" "$T/d3" '{"use":"chat"}'
run 0 run "$T/r.json" --set part_records=5
[ -e "$T/d3/interim/v1/D/s/part-005.jsonl" ] || fail "not six parts"
rm "$T/d3/.drhost/v1/tasks/preprocess/D/s/part-001.json"
run 0 run "$T/r.json" --set part_records=15
[ "$(find "$T/d3/interim" -type f | wc -l)" -eq 2 ] || fail "$(find "$T/d3/interim" -type f)"
lines "$T/d3/processed/v1/D.jsonl" 30

echo "- a rebuilt plugin is another plugin"
mkdir "$T/p"
cp "$DRH_BUILD/plugins/chat.so" "$T/p/chat.so"
recipe_of "$T/r.json" "$T/src/good.jsonl" "$T/d4" '{"use":"../p/chat.so"}'
mkdir "$T/r" && mv "$T/r.json" "$T/r/r.json"
run 0 run "$T/r/r.json"
run 0 run "$T/r/r.json" --resume=strict
printf 'x' >>"$T/p/chat.so" # a byte behind the last section: loads as before, is not the same file
run 2 run "$T/r/r.json" --resume=strict
has "$T/err" "strict"

echo "- results inside a source are refused"
mkdir "$T/in"
cp "$T/src/good.jsonl" "$T/in/"
recipe_of "$T/r.json" "$T/in" "$T/in/d" '{"use":"chat"}'
run 0 run "$T/r.json"
run 2 run "$T/r.json"
has "$T/err" "lies in the data folder"

echo "- trying something else in between costs no scores of a stopped run"
sources "$T/many" 800 # some seconds of scoring: it is stopped in the first
recipe "$T/q.json" "$T/d5" "$T/many"
"$DRHOST" run "$T/q.json" -j 1 -q 2>/dev/null &
pid=$!
tries=0
while [ -z "$(find "$T/d5/.drhost/v1/journal" -type f -size +1 2>/dev/null)" ] && kill -0 $pid 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 3000 ] || fail "no journal after half a minute"
    sleep 0.01
done
kill -9 $pid 2>/dev/null || true
wait $pid 2>/dev/null || true
pid=
find "$T/d5/.drhost/v1/journal" -type f -size +1 >"$T/journals"
[ -s "$T/journals" ] || fail "no scores were kept"
run 0 run "$T/q.json" --set ifd.max_length=64 --limit 2
while read -r journal; do
    [ -s "$journal" ] || fail "$journal is gone"
done <"$T/journals"
