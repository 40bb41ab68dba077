#!/bin/sh
# SPDX-License-Identifier: MIT
# readers.sh - raw files through reader plugins: who reads what, bad rows, parts, workers, limits,
# resume, damage, and files that nobody can read.
[ ! -w /dev/shm ] || export TMPDIR="${TMPDIR:-/dev/shm}" # many small parts, each with fsync
. "$(dirname "$0")/lib.sh"
FAKES=$DRH_BUILD/tests/plugins
TINY=$FAKES/readers/tiny.so
MAKE=$FAKES/make_tiny
mkdir "$T/src"
"$MAKE" 1 2000 40 >"$T/src/one.bin"  # tiny: SERIAL
"$MAKE" 2 1500 >"$T/src/two.bin"     # tiny-workers: WORKERS
"$MAKE" 3 1000 90 >"$T/src/three.bin" # tiny-pinned: PINNED
"$MAKE" 4 300 50 >"$T/src/four.bin"  # tiny-gz: no positions
rows 20 >"$T/src/plain.jsonl"

# promises - what a test plugin says when the host breaks one
promises() {
    ! grep -q 'BROKEN\|Sanitizer\|runtime error' "$T/err" || fail "the host broke a promise"
}
step() { # CODE ARGUMENT...
    want=$1
    shift
    run "$want" --plugin "$@"
    promises
}

echo "- single steps: by content, rows that are bad, workers"
step 0 "$TINY" --plugin chat.so "$T/src/one.bin" -o "$T/one.jsonl" -j 1
has "$T/err" "one.bin:40: no_tab: a row is a question, a tab, an answer" "one.bin:80: bad_text" \
    "read: 2000 in, " " 50 failed: no_tab 25 bad_text 25" "unlucky"
lines "$T/one.jsonl" 1930 # 20 are dropped
lines "$T/one.jsonl.rejected.jsonl" 70
has "$T/one.jsonl.rejected.jsonl" '"outcome":"failed","reason":"no_tab"' '"row":39,"line":40}' \
    '"outcome":"dropped","reason":"unlucky"'
has "$T/one.jsonl" 'one.bin:1"' 'one.bin:1999"' '"by":"tiny"'
hasnt "$T/one.jsonl" 'one.bin:40"'
for jobs in 2 8; do
    step 0 "$TINY" --plugin chat.so "$T/src/one.bin" -o "$T/again.jsonl" -j $jobs
    same "$T/one.jsonl" "$T/again.jsonl"
    same "$T/one.jsonl.rejected.jsonl" "$T/again.jsonl.rejected.jsonl"
done
for name in two three four; do
    step 0 "$TINY" "$T/src/$name.bin" --limit 100
    has "$T/err" "read: 100 in, "
    has "$T/out" '{"instruction":"question 1?","output":"the answer is 7, a","by":"tiny"}'
done
step 0 "$TINY:tiny-pinned" --plugin chat.so "$T/src/three.bin" "$T/src/plain.jsonl"
[ "$(grep -c 'plain.jsonl:' "$T/out")" = 20 ] || fail "JSON beside it is not read"
step 0 "$TINY" "$T/src/two.bin" --limit 1 --set tiny-workers.suffix=!!
has "$T/out" "question 1?!!"
step 2 "$TINY" "$T/src/two.bin" --set tiny-workers.sufix=!!
has "$T/err" sufix "did you mean" suffix
step 0 "$TINY" --plugin "$FAKES/maps.so:adder" "$T/src/two.bin" "$T/src/three.bin" # seeds
sed -n 's/.*"child":1,"count":\([0-9]*\)}.*/\1/p' "$T/out" | sort | uniq >"$T/seeds"
lines "$T/seeds" $((1485 + 979))
step 2 "$TINY" --plugin chat.so <"$T/src/one.bin"
has "$T/err" "reads files, not standard input"
run 0 --plugin chat.so --plugin-path "$FAKES/readers" "$T/src/two.bin" -q
lines "$T/out" 1485
mv "$T/out" "$T/two.jsonl"
cp "$T/two.jsonl" "$T/cwd/json.jsonl" # JSON by content stays with the host, whatever is loaded
step 0 "$TINY" "$T/cwd/json.jsonl"
lines "$T/out" 1485

echo "- two that know a file"
run 0 --plugin-path "$FAKES/readers" --plugin-path "$FAKES/rival" --plugin chat.so "$T/src/two.bin" \
    --limit 3 # 99 beats 10
has "$T/out" '"by":"rival"'
hasnt "$T/err" "equally"
run 0 --plugin-path "$FAKES/readers" --plugin-path "$FAKES/rival" --plugin chat.so "$T/src/one.bin" \
    --limit 3
has "$T/out" '"by":"tiny"'
has "$T/err" "tiny and rival know it equally well" '"reader"'
run 0 --plugin-path "$FAKES/rival" --plugin-path "$FAKES/readers" --plugin chat.so "$T/src/one.bin" \
    --limit 3
has "$T/out" '"by":"rival"' # the search order decides
step 0 "$TINY" --plugin chat.so --plugin-path "$FAKES/rival" "$T/src/two.bin" --limit 3
has "$T/out" '"by":"tiny"' # whom the user gave comes first

# job FILE [KEY...] - the recipe of the rest; members of the second source
job() {
    cat >"$1" <<END
{ "recipe": 1, "version": "v1", "data": "$T/d", "part_records": 700, "seed": 3,
  "sources": [
    { "use": "local", "id": "all", "path": "$T/src", "include": ["*.bin"], "domain": "A", "dataset": "all" },
    { "use": "local", "id": "named", "path": "$T/src/two.bin", "domain": "B", "dataset": "named"${2:-} },
    { "use": "local", "id": "plain", "path": "$T/src/plain.jsonl", "domain": "B", "dataset": "plain" } ],
  "preprocess": [ { "use": "chat" } ],
  "convert": [ { "use": "pretrain" } ] }
END
}
go() { # CODE RECIPE ARGUMENT...
    want=$1
    recipe=$2
    shift 2
    run "$want" run "$recipe" --plugin-path "$FAKES/readers" "$@"
    promises
}
whole() { # all records in order, whatever the parts
    cat "$T"/d/interim/v1/A/all/part-* "$T"/d/interim/v1/B/named/part-*
}

echo "- a recipe: parts, workers, positions"
job "$T/r.json"
go 0 "$T/r.json" -j 1
results "$T/d" v1 >"$T/want"
whole >"$T/whole"
[ "$(ls "$T/d/interim/v1/A/all" | wc -l)" = 7 ] || fail "not 7 parts of 700 records"
lines "$T/whole" $((1930 + 1485 + 979 + 291 + 1485)) # one, two, three, four; two
has "$T/d/.drhost/v1/report.json" '"balanced":	true' '"readers":	["tiny-gz", "tiny", "tiny-pinned", "tiny-workers"]'
run 0 report "$T/r.json"
has "$T/out" "by reader tiny-pinned"
run 0 why two.bin:11 "$T/r.json"
has "$T/out" "two.bin:11"
run 0 why one.bin:40 "$T/r.json"
has "$T/out" "no_tab"
for jobs in 2 8; do
    rm -rf "$T/d"
    go 0 "$T/r.json" -j $jobs
    results "$T/d" v1 >"$T/got"
    same "$T/want" "$T/got"
done
for size in 97 500 100000; do # a part may end after any row
    rm -rf "$T/d"
    go 0 "$T/r.json" -j 2 --set part_records=$size
    whole >"$T/got"
    same "$T/whole" "$T/got"
done
rm -rf "$T/d"
go 0 "$T/r.json" --limit 310
whole >"$T/some"
lines "$T/some" $((291 + 10 + 307)) # four, ten of one; two
rm -rf "$T/d"
go 0 "$T/r.json" --limit 310 --set part_records=7
whole >"$T/got"
same "$T/some" "$T/got"

echo "- before a data-set scope and a model"
cp "$T/r.json" "$T/plain.json"
sed -i 's|"preprocess": .*|"services": { "infer": { "use": "infer-fake" } }, "preprocess": [ { "use": "chat" }, { "use": "dedup-exact" }, { "use": "ask" } ],|' "$T/r.json"
for jobs in 1 8; do
    rm -rf "$T/d"
    go 0 "$T/r.json" -j $jobs --plugin-path "$FAKES" --limit 1000 --set part_records=300 \
        --set services.infer.delay_max=2 --set services.infer.reorder=true
    results "$T/d" v1 >"$T/model.$jobs"
done
same "$T/model.1" "$T/model.8"
grep -q '"answer":' "$T/d/interim/v1/B/named/part-000.jsonl" || fail "nobody was asked"
sed -i 's|{ "use": "chat" }, { "use": "dedup-exact" }, ||; s|"convert": .*|}|' "$T/r.json" # the reader's rows go to it at once
rm -rf "$T/d"
go 0 "$T/r.json" -j 2 --plugin-path "$FAKES" --set all.include='["three.bin"]' --set part_records=300
whole >"$T/got"
lines "$T/got" $((979 + 1485))
step 0 "$TINY" --plugin "$FAKES/dedup_exact.so" "$T/src/three.bin" "$T/src/three.bin" -o "$T/o.jsonl"
has "$T/err" "read: 2000 in, 1958 out"
cp "$T/plain.json" "$T/r.json"

echo "- what was done is not done again, and what changed is"
rm -rf "$T/d"
go 0 "$T/r.json"
stamps "$T/d" v1 interim >"$T/stamps"
go 0 "$T/r.json" --resume=strict
has "$T/err" "nothing had to be done again"
stamps "$T/d" v1 interim >"$T/got"
same "$T/stamps" "$T/got"
rm "$T/d/interim/v1/A/all/part-003.jsonl" # goes on in the middle, at a position from a manifest
go 0 "$T/r.json"
results "$T/d" v1 >"$T/got"
same "$T/want" "$T/got"
job "$T/named.json" ', "reader": { "use": "tiny-pinned", "suffix": "?!" }'
go 0 "$T/named.json" -j 2
has "$T/d/interim/v1/B/named/part-001.jsonl" "question 777??!"
has "$T/err" "preprocess/B/named part 0 is redone: changed tiny-pinned.suffix, tiny-pinned.id"
go 2 "$T/named.json" --set named.reader.suffix=XX --resume=strict
has "$T/err" "tiny-pinned.suffix"
go 0 "$T/named.json" --set named.reader.suffix=XX
has "$T/d/interim/v1/B/named/part-001.jsonl" "question 777?XX"
go 0 "$T/named.json" --set named.reader=tiny-gz
hasnt "$T/d/interim/v1/B/named/part-001.jsonl" "question 777??!"
mkdir "$T/mine"
cp "$TINY" "$T/mine/mine.so"
job "$T/file.json" ', "reader": "./mine/mine.so:tiny-workers"'
go 0 "$T/file.json"
printf 'x' >>"$T/mine/mine.so" # as if it were built again
go 2 "$T/file.json" --resume=strict
has "$T/err" "was made before this changed" "tiny-workers.plugin"
job "$T/none.json" ', "reader": "tinny"'
go 2 "$T/none.json"
has "$T/err" "/sources/1/reader" "tinny" 'did you mean "tiny"'
run 2 check "$T/none.json" --plugin-path "$FAKES/readers"
job "$T/none.json" ', "reader": { "suffix": "x" }'
go 2 "$T/none.json"
has "$T/err" "/sources/1/reader" "use"
job "$T/none.json" ', "reader": { "use": "tiny", "suffix": 7 }'
go 2 "$T/none.json"
has "$T/err" "/sources/1/reader/suffix"
job "$T/none.json" ', "reader": "chat"'
go 2 "$T/none.json"
has "$T/err" "/sources/1/reader"

echo "- killed at any moment"
job "$T/slow.json" ', "reader": { "use": "tiny-workers", "slow": 200 }'
rm -rf "$T/d"
go 0 "$T/slow.json" --set part_records=100
results "$T/d" v1 >"$T/want"
rm -rf "$T/d"
killed=0
tries=0
while [ $killed -lt 5 ] && [ $tries -lt 40 ]; do
    "$DRHOST" run "$T/slow.json" --plugin-path "$FAKES/readers" --set part_records=100 -j 2 \
        >"$T/out" 2>"$T/err" &
    pid=$!
    sleep "0.$((1 + tries % 4))$((tries * 7 % 10))"
    code=0
    kill -9 $pid 2>/dev/null || true
    wait $pid || code=$?
    pid=
    [ $code = 137 ] || [ $code = 0 ] || fail "exit code $code"
    [ $code = 0 ] || killed=$((killed + 1))
    [ $code != 0 ] || rm -rf "$T/d"
    tries=$((tries + 1))
done
[ $killed -gt 0 ] || fail "nothing was killed"
go 0 "$T/slow.json" --set part_records=100
results "$T/d" v1 >"$T/got"
same "$T/want" "$T/got"
rm -rf "$T/d"
"$DRHOST" run "$T/slow.json" --plugin-path "$FAKES/readers" --set named.reader.slow=50000 \
    >"$T/out" 2>"$T/err" &
pid=$!
while [ ! -d "$T/d/.drhost/v1/rejected/preprocess/B" ]; do sleep 0.05; done
kill -TERM $pid
code=0
wait $pid || code=$?
pid=
[ $code = 4 ] || fail "exit code $code after SIGTERM instead of 4"
promises

echo "- damage"
head -c 20001 "$T/src/two.bin" >"$T/src/two.cut"
mv "$T/src/two.cut" "$T/src/two.bin"
: >"$T/src/empty.bin"
rm -rf "$T/d"
go 3 "$T/r.json" --set part_records=50
has "$T/err" "ends in the middle or is damaged"
grep -q '"reason":"damaged_file","detail":"the file ends inside a row"' \
    "$T"/d/.drhost/v1/rejected/preprocess/A/all/*.jsonl || fail "the cut is not in the rejects"
whole >"$T/got"
has "$T/got" 'three.bin:999"' 'two.bin:100"' # everything else was read
step 3 "$TINY" "$T/src/two.bin" "$T/src/three.bin" -o "$T/o.jsonl"
has "$T/err" "damaged_file: the file ends inside a row" "get it again"
has "$T/o.jsonl" "question 1000?"
printf 'TINX\n1' >"$T/src/no.bin"
job "$T/bad.json" ', "reader": "tiny"'
sed -i "s|two.bin|no.bin|" "$T/bad.json"
go 3 "$T/bad.json" --set all.include='["one.bin"]'
has "$T/d/.drhost/v1/rejected/preprocess/B/named/part-000.jsonl" damaged_file \
    "it does not begin with TINY"

echo "- files that nobody can read"
none() { # NAME WORDS... - the file's content is standard input
    name=$1
    shift
    cat >"$T/$name"
    run 2 --plugin chat.so "$T/$name" -o "$T/none.jsonl"
    has "$T/err" "$T/$name" "reader plugin" "$@"
    lines "$T/err" 1
    [ ! -e "$T/none.jsonl" ] || fail "$name: an output"
}
printf 'FEA1\025\004\025' | none train.feather "a Feather file"
printf 'PK\003\004xxxx' | none sheet.xlsx "xlsx"
printf 'BZh91AYxx' | none a.jsonl.bz2 "a bzip2 file"
printf 'ORC\021\000\000' | none a.orc "an ORC file"
printf '\377\376i\000,\000' | none a.csv "UTF-16"
printf '\377\376i\000,\000' | gzip -c | none a.csv.gz "UTF-16"
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n' | none lfs.csv "Git LFS pointer"
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n' | none lfs.txt "Git LFS pointer"
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n' | none lfs.jsonl "Git LFS pointer"
printf '<!DOCTYPE html>\n<p>no' | none page.json "an HTML page"
printf 'abc\000\001\002' | none odd "a format that is not known"
printf 'PAR1\025\004\025' | run 2 --plugin chat.so # a pipe shows it in its first line
has "$T/err" "a Parquet file" "pipe"
lines "$T/err" 1
run 2 --plugin chat.so "$T/train.feather" --plugin-path "$FAKES/readers" --plugin-path "$FAKES/bad"
has "$T/err" "(there: tiny, tiny-workers, tiny-pinned, tiny-gz, bad-reader, archive, arrow, csv, lines, parquet)"
cat >"$T/p.json" <<END
{ "recipe": 1, "version": "v1", "data": "$T/p",
  "sources": [ { "use": "local", "path": "$T/src/plain.jsonl", "dataset": "a" },
               { "use": "local", "path": "$T/train.feather", "dataset": "b" } ],
  "convert": [ { "use": "pretrain" } ] }
END
run 2 check "$T/p.json"
has "$T/err" "/sources/1" "train.feather: a Feather file"
run 2 run "$T/p.json"
has "$T/err" "train.feather: a Feather file"
[ ! -e "$T/p/interim" ] || fail "something was made before"
mkfifo "$T/pipe" # nobody looks at what can be read only once
cat "$T/src/plain.jsonl" >"$T/pipe" &
run 0 --plugin chat.so "$T/pipe"
lines "$T/out" 20
printf 'no JSON\n{"instruction":"q","output":"a"}\n' >"$T/late.txt" # one bad line is a bad record
run 0 --plugin chat.so "$T/late.txt"
lines "$T/out" 1
