#!/bin/sh
# SPDX-License-Identifier: MIT
# main.sh - a whole recipe: outputs, report, resuming, status, why, the lock, exit codes.
. "$(dirname "$0")/lib.sh"
sources "$T/src" 10
recipe "$T/r.json" "$T/d" "$T/src"
report=$T/d/.drhost/v1/report.json

echo "- a first run"
run 0 check "$T/r.json"
run 0 run "$T/r.json" --dry-run
has "$T/out" chat ifd pretrain infer-openblas
[ ! -e "$T/d" ] || fail "--dry-run wrote something"
run 0 run "$T/r.json"
lines "$T/d/interim/v1/Math/one/part-000.jsonl" 10
lines "$T/d/interim/v1/General/bad/part-000.jsonl" 10
lines "$T/d/processed/v1/Math.jsonl" 5
lines "$T/d/processed/v1/General.jsonl" 10
has "$T/d/processed/v1/Math.jsonl" '"ifd":' '"ppl":[' '"domain":"Math"' '"content":"'
has "$report" '"balanced":	true' '"state":	"complete"' '"not_selected":	' '"empty_answer":	1'
results "$T/d" v1 >"$T/first"
run 0 report "$T/r.json"
has "$T/out" "Every record is accounted for"
run 0 report "$T/r.json" --json
has "$T/out" '"balanced":'

echo "- the same again: nothing is done"
stamps "$T/d" v1 interim >"$T/before"
stamps "$T/d" v1 processed >>"$T/before"
run 0 run "$T/r.json" --resume=strict
stamps "$T/d" v1 interim >"$T/after"
stamps "$T/d" v1 processed >>"$T/after"
same "$T/before" "$T/after"
has "$report" '"balanced":	true' '"not_selected":	'
has "$T/err" "nothing had to be done again"

echo "- another share: only the cut and what follows it are done again"
find "$T/d/.drhost/v1/work" "$T/d/interim" -type f -printf '%p %T@ %i\n' | sort >"$T/before"
run 2 run "$T/r.json" --set ifd.top=0.2 --resume=strict
has "$T/err" "output/Math" "strict"
run 2 run "$T/r.json" --set ifd.preset=same_tokens --resume strict
has "$T/err" "select.ifd/Math/one" "ifd"
run 2 run "$T/r.json" --set seed=8 --resume strict
has "$T/err" "seed"
run 0 run "$T/r.json" --set ifd.top=0.2
find "$T/d/.drhost/v1/work" "$T/d/interim" -type f -printf '%p %T@ %i\n' | sort >"$T/after"
same "$T/before" "$T/after"
lines "$T/d/processed/v1/Math.jsonl" 2
lines "$T/d/processed/v1/General.jsonl" 4
run 0 run "$T/r.json"
results "$T/d" v1 | diff "$T/first" - >&2 || fail "the share back as it was gives other bytes"

echo "- another input: its data set only is done again"
stamps "$T/d" v1 interim | grep -v Math >"$T/before"
rows 12 9 >>"$T/src/one.jsonl"
run 0 run "$T/r.json"
has "$T/err" "preprocess/Math/one"
hasnt "$T/err" "General"
stamps "$T/d" v1 interim | grep -v Math >"$T/after"
same "$T/before" "$T/after"
lines "$T/d/interim/v1/Math/one/part-000.jsonl" 22
sources "$T/src" 10
run 0 run "$T/r.json"
results "$T/d" v1 | diff "$T/first" - >&2 || fail "the input back as it was gives other bytes"

echo "- damaged and lost results are made again"
printf 'x' >>"$T/d/processed/v1/Math.jsonl"
printf 'y' >>"$T/d/interim/v1/General/two/part-000.jsonl"
rm "$T/d/interim/v1/Math/one/part-000.jsonl"
printf '#' | dd of="$T/d/interim/v1/General/bad/part-000.jsonl" bs=1 seek=40 conv=notrunc 2>/dev/null
run 0 run "$T/r.json" --resume=strict
has "$T/err" "Math/one" "General/bad" "gone or was changed"
results "$T/d" v1 | diff "$T/first" - >&2 || fail "repaired results differ"
touch -d '2001-01-01' "$T/d/processed/v1/Math.jsonl"
run 0 run "$T/r.json"
[ -n "$(find "$T/d/processed/v1/Math.jsonl" ! -newermt 2002-01-01)" ] ||
    fail "a file with another time and the same bytes was made again"

echo "- files of a killed run go away; --fresh does everything again"
: >"$T/d/processed/v1/.Math.jsonl.tmp-abcdef"
: >"$T/d/.drhost/v1/tasks/.x.tmp-123456"
: >"$T/d/processed/v1/mine.txt"
run 0 run "$T/r.json" --fresh
[ -z "$(find "$T/d" -name '*.tmp-*')" ] || fail "old temporary files are still there"
[ -f "$T/d/processed/v1/mine.txt" ] || fail "a file of the user's was removed"
rm "$T/d/processed/v1/mine.txt"
results "$T/d" v1 | diff "$T/first" - >&2 || fail "--fresh gives other bytes"
stamps "$T/d" v1 interim >"$T/after"
! grep -qxF -f "$T/after" "$T/before" || fail "--fresh left files as they were"

echo "- why, status"
run 0 why bad.jsonl:4 "$T/r.json"
has "$T/out" "failed at step chat: empty_answer" "bad.jsonl:4"
run 0 why "$T/src/bad.jsonl:3" "$T/r.json"
has "$T/out" "bad_json" "bad.jsonl:3"
run 0 why bad.jsonl:5 "$T/d"
has "$T/out" "duplicate_key"
kept=$(sed -n '1s/.*"src":"\(one.jsonl:[0-9]*\)".*/\1/p' "$T/d/processed/v1/Math.jsonl")
run 0 why "$kept" "$T/r.json"
has "$T/out" "is in the output" "Math.jsonl:1" "$kept"
id=$(sed -n '1s/.*"id":"\([0-9a-f]*\)".*/\1/p' "$T/d/processed/v1/Math.jsonl")
run 0 why "$id" "$T/r.json"
has "$T/out" "$id is in the output"
gone=$(sed -n '1s/.*"id":"\([0-9a-f]*\)".*/\1/p' "$T/d/.drhost/v1/rejected/convert/Math/one/part-000.jsonl")
run 0 why "$gone" "$T/r.json" --json
has "$T/out" '"reason":"not_selected"' '"file":"one.jsonl"'
run 0 why "$gone" "$T/r.json"
has "$T/out" "$gone dropped at step cut: not_selected" "one.jsonl:"
run 1 why one.jsonl:4000 "$T/r.json"
run 0 status "$T/r.json"
has "$T/out" "version v1" "complete" "preprocess" "select.ifd"
tr -s ' ' <"$T/out" >"$T/plain"
has "$T/plain" "preprocess 3 tasks done, 33 records in, 30 out" \
    "select.ifd 3 tasks done, 30 records in, 30 out" "output 2 tasks done, 30 records in, 15 out"
run 0 status "$T/d" --json
has "$T/out" '"state":"complete"' '"running":false'

echo "- --limit"
run 0 run "$T/r.json" --limit 3 -d "$T/few"
lines "$T/few/interim/v1/Math/one/part-000.jsonl" 3
lines "$T/few/interim/v1/General/bad/part-000.jsonl" 2
run 0 run "$T/r.json" -d "$T/few"
(cd "$T/d/processed/v1" && sha256sum ./*) >"$T/before"
(cd "$T/few/processed/v1" && sha256sum ./*) >"$T/after"
same "$T/before" "$T/after"

echo "- parts; fewer of them leave none behind"
run 0 run "$T/r.json" -d "$T/parts" --set part_records=4
[ "$(find "$T/parts/interim/v1/Math" -type f | wc -l)" = 3 ] || fail "10 rows by 4 make 3 parts"
same "$T/parts/processed/v1/General.jsonl" "$T/d/processed/v1/General.jsonl"
run 0 run "$T/r.json" -d "$T/parts"
[ "$(find "$T/parts/interim/v1/Math" -type f | wc -l)" = 1 ] || fail "old parts are still there"

echo "- the other form takes the place of the first"
run 0 run "$T/r.json" -d "$T/parts" --set compress=true
[ "$(ls "$T/parts/processed/v1" "$T/parts/interim/v1/Math/one" | grep jsonl | sort -u | tr '\n' ' ')" = \
    "General.jsonl.zst Math.jsonl.zst part-000.jsonl.zst " ] || fail "both forms are there"
run 0 --plugin "$DRH_BUILD/plugins/chat.so" "$T/parts/interim/v1/Math/one/part-000.jsonl.zst"
lines "$T/out" 10

echo "- two runs at a time"
lock=$T/d/.drhost/v1/lock
tries=0
while :; do # stops one while it holds the lock
    : >"$lock"
    "$DRHOST" run "$T/r.json" --fresh -q &
    pid=$!
    while [ ! -s "$lock" ] && kill -0 $pid 2>/dev/null; do :; done
    kill -STOP $pid 2>/dev/null || true
    flock -n "$lock" true || break
    kill -CONT $pid 2>/dev/null || true
    wait $pid || fail "a run in the background failed"
    tries=$((tries + 1))
    [ $tries -lt 20 ] || fail "no run could be stopped on its way"
done
run 75 run "$T/r.json"
has "$T/err" "process $pid on "
run 0 status "$T/r.json"
has "$T/out" "running (process $pid on "
run 0 run "$T/r.json" --set version=v2
kill -CONT $pid
wait $pid || fail "the run that was stopped did not go on"
pid=
same "$T/d/processed/v2/Math.jsonl" "$T/d/processed/v1/Math.jsonl"

echo "- exit codes"
run 2 run "$T/none.json"
has "$T/err" "none.json"
sed 's/"use": "chat"/"use": "chatt"/' "$T/r.json" >"$T/bad.json"
run 2 run "$T/bad.json"
has "$T/err" "/preprocess/0" "chatt"
sed 's/"below"/"belov"/' "$T/r.json" >"$T/bad.json"
run 2 run "$T/bad.json"
has "$T/err" "belov" "below"
run 2 run
run 2 run "$T/r.json" --nonsense
run 1 run "$T/r.json" --set one.path="$T/src/gone.jsonl" -d "$T/gone"
has "$T/err" "gone.jsonl"
run 3 run "$T/r.json" -d "$T/toobad" --max-bad 2
has "$T/err" "bad"
has "$T/toobad/.drhost/v1/report.json" '"state":	"too_many_bad"'
run 0 run "$T/r.json" -d "$T/toobad" --max-bad 3
same "$T/toobad/processed/v1/General.jsonl" "$T/d/processed/v1/General.jsonl"
sed 's/"input"/"other"/;s/"output"/"nothing"/' "$T/src/two.jsonl" >"$T/src/dialect.jsonl"
run 3 run "$T/r.json" --set two.path="$T/src/dialect.jsonl" -d "$T/dialect"
has "$T/err" "General/two"
run 0 run "$T/r.json" -q --json
has "$T/out" '"ok":true'
[ ! -s "$T/err" ] || fail "-q is not quiet"
