#!/bin/sh
# SPDX-License-Identifier: MIT
# dedup.sh [N [SEED]] - equal and similar records, and those that hold test questions: the same ones
# as by comparing everything with everything, whatever the workers, the parts and the memory, and
# after N kills; who stays is named.
. "$(dirname "$0")/lib.sh"
N=${1:-6}
SEED=${2:-$(date +%s)}
echo "- seed $SEED: dedup.sh $N $SEED"
DATA=$DRH_SOURCE/tests/data/dedup

# step WANT OPTION... - a single step over the fixture; what goes is as WANT has it.
step() {
    these=$1
    shift
    (cd "$DATA" && run 0 --plugin dedup similar.jsonl -o "$T/o.jsonl" "$@")
    sed -n 's/.*"detail":"\(.*\)","line":\([0-9]*\)}$/\2 \1/p' "$T/o.jsonl.rejected.jsonl" >"$T/got"
    same "$DATA/expected-$these.txt" "$T/got"
    lines "$T/o.jsonl" $((400 - $(wc -l <"$T/got")))
}

echo "- as comparing all with all: exact and similar, 1 and 4 workers, little memory"
for jobs in 1 4; do
    step exact -j $jobs
    step exact -j $jobs --set memory_mb=1
    step minhash-5-0.8 -j $jobs --set method=minhash
    # So many bands that no pair is missed.
    step minhash-5-0.5 -j $jobs --set method=minhash --set threshold=0.5 --set bands=128 \
        --set rows=2
    step minhash-1-0.9 -j $jobs --set method=minhash --set threshold=0.9 --set ngram=1 \
        --set bands=128 --set rows=2 --set memory_mb=1
done

echo "- what is compared"
cat >"$T/some.jsonl" <<'END'
{"messages":[{"role":"user","content":"How are you?"},{"role":"assistant","content":"Fine."}]}
{"instruction":"how  are you?","output":"FINE."}
{"instruction":"How are you?","output":"Fine!"}
{"instruction":"How are you?","output":"Well."}
{"instruction":"How are you?","output":"Fine.","system":"Be kind."}
{"messages":[{"role":"system","content":"be kind."},{"role":"user","content":"How are you?"},{"role":"assistant","content":"fine."}]}
{"instruction":"How are","output":"you? Fine."}
END
some() { # LINES OPTION... - these lines go
    these=$1
    shift
    run 0 --plugin dedup "$T/some.jsonl" -o "$T/o.jsonl" "$@"
    got=$(sed -n 's/.*"line":\([0-9]*\)}$/\1/p' "$T/o.jsonl.rejected.jsonl" | tr '\n' ' ')
    [ "$got" = "$these" ] || fail "lines $got are gone instead of $these: $*"
}
some "2 6 "
some "" --set 'ignore=[]'
some "6 " --set 'ignore=["case"]'
some "2 3 6 " --set 'ignore=["case","space","punctuation"]'
some "2 3 4 5 6 " --set on=questions
some "2 3 4 5 6 7 " --set 'fields=["/conversations/0/from"]'
some "2 3 5 6 " --set 'fields=["/conversations/1/value"]' --set 'ignore=["punctuation","case"]'

echo "- what cannot be"
run 2 --plugin dedup "$T/some.jsonl" --set on=questions --set 'fields=["x"]'
has "$T/err" "on and fields exclude each other"
run 2 --plugin dedup "$T/some.jsonl" --set method=minhash --set bands=200 --set rows=10
has "$T/err" "200 bands of 10 rows are 2000 hashes; 1024 is the most"
run 2 --plugin dedup "$T/some.jsonl" --set 'fields=["/a~b"]'
has "$T/err" "\"/a~b\" is no field"
run 3 --plugin dedup "$T/some.jsonl" --set 'fields=["nothing"]'
has "$T/err" "some.jsonl:1: no_text: nothing to compare"

echo "- decontaminate: as by looking for every question in every record"
for jobs in 1 4; do
    (cd "$DATA" && run 0 --plugin decontaminate --set against=questions.txt similar.jsonl \
        -o "$T/o.jsonl" -j $jobs && has "$T/err" "8 of 60 test questions have fewer than 8 words")
    sed -n 's/.*"detail":"\(.*\)","row".*"line":\([0-9]*\)}$/\2 \1/p' "$T/o.jsonl.rejected.jsonl" >"$T/got"
    same "$DATA/expected-contaminated.txt" "$T/got"
done
against() { # TEXT SAID - a file with that text is refused
    printf '%s' "$1" >"$T/q"
    run 2 --plugin decontaminate --set against="$T/q" "$T/some.jsonl"
    has "$T/err" "$2"
}
against '' "holds no question of 8 words or more"
against 'only a few words' "holds no question of 8 words or more"
against '[{"question":"x"}]' "write one JSON object a line"
against 'a
{"title":"b"}' "q:2: there is no question in this line; name its member with field"
against '{"question":"x"' "q:1: "
run 2 --plugin decontaminate --set against="$T/none" "$T/some.jsonl"
has "$T/err" "against: cannot open $T/none"
run 2 --plugin decontaminate "$T/some.jsonl"
has "$T/err" "against"

echo "- a recipe: data sets and domains, names, counts; parts and workers make no difference"
mkdir "$T/src"
rows 300 1 >"$T/src/one.jsonl"
{ rows 300 2 && rows 300 1 | head -n 50; } >"$T/src/two.jsonl"
{ rows 100 3 && head -n 30 "$T/src/two.jsonl" && echo bad && tail -n 20 "$T/src/one.jsonl"; } >"$T/src/bad.jsonl"
recipe_of() { # FILE OPTIONS
    cat >"$1" <<END
{ "recipe": 1, "version": "v1", "data": "$T/d",
  "sources": [
    { "use": "local", "path": "$T/src/one.jsonl", "domain": "A", "dataset": "one" },
    { "use": "local", "path": "$T/src/two.jsonl", "domain": "B", "dataset": "two" },
    { "use": "local", "path": "$T/src/bad.jsonl", "domain": "A", "dataset": "bad" } ],
  "preprocess": [ { "use": "chat" }, { "use": "dedup"${2-} } ],
  "convert": [ { "use": "pretrain" } ] }
END
}

# kept - how many records of each domain there are in the end
kept() {
    echo "$(wc -l <"$T/d/processed/v1/A.jsonl") $(wc -l <"$T/d/processed/v1/B.jsonl")"
}

# What stays, by sort(1) instead: the scripts' rows have no other differences.
first_of() {
    cat "$@" | grep -v '^bad$' | LC_ALL=C awk '!seen[$0]++' | wc -l
}
all=$(first_of "$T/src/one.jsonl" "$T/src/two.jsonl" "$T/src/bad.jsonl")
a=$(first_of "$T/src/one.jsonl" "$T/src/bad.jsonl")
b=$(first_of "$T/src/two.jsonl")
a_one=$(first_of "$T/src/one.jsonl")
a_bad=$(first_of "$T/src/bad.jsonl")

recipe_of "$T/r.json" ', "per": "dataset"'
run 0 run "$T/r.json" --set part_records=40
[ "$(kept)" = "$((a_one + a_bad)) $b" ] || fail "per data set: $(kept)"
recipe_of "$T/r.json" ', "per": "domain"'
run 0 run "$T/r.json" --set part_records=40 --fresh
[ "$(kept)" = "$a $b" ] || fail "per domain: $(kept)"
rm -r "$T/d"
recipe_of "$T/r.json" ', "memory_mb": 1, "method": "minhash"'
run 0 run "$T/r.json" --set part_records=40
cp -r "$T/d/processed" "$T/want.near"
recipe_of "$T/r.json"
for how in "40 -j 1" "40 -j 4" "7 -j 4" "100000 -j 2"; do
    rm -r "$T/d"
    run 0 run "$T/r.json" --set part_records=$how
    set -- $(kept)
    [ $(($1 + $2)) = "$all" ] || fail "$1 and $2 records are left instead of $all"
    [ -d "$T/want" ] || cp -r "$T/d/processed" "$T/want"
    diff -r "$T/want" "$T/d/processed" >&2 || fail "part_records=$how makes a difference"
done
run 0 why "$T/src/two.jsonl:301" "$T/d"
has "$T/out" "duplicate of A/one/one.jsonl:1"
has "$T/d/.drhost/v1/report.json" '"duplicate"' '"balanced":	true'

echo "- kill -9 at random moments: the same bytes"
# random MAX - $delay: milliseconds below MAX, as seconds
random() {
    SEED=$((SEED % 2147483647 * 16807 % 2147483647))
    delay=$(awk -v s="$SEED" -v m="$1" 'BEGIN { printf "%.3f\n", s % 100003 / 100003 * m / 1000 }')
}
recipe_of "$T/r.json" ', "memory_mb": 1, "method": "minhash"'
rm -r "$T/d"
killed=0
runs=0
while [ "$killed" -lt "$N" ]; do
    random 600
    "$DRHOST" run "$T/r.json" --set part_records=40 -j 2 -q >"$T/out" 2>"$T/err" &
    pid=$!
    sleep "$delay"
    kill -9 "$pid" 2>/dev/null || true
    code=0
    wait "$pid" 2>/dev/null || code=$?
    pid=
    [ "$code" = 137 ] || [ "$code" = 0 ] || fail "exit code $code"
    if [ "$code" = 0 ]; then
        diff -r "$T/want.near" "$T/d/processed" >&2 || fail "the kills make a difference"
        rm -r "$T/d"
    else
        killed=$((killed + 1))
    fi
    runs=$((runs + 1))
    [ $runs -lt $((10 * N + 20)) ] || fail "only $killed of $runs runs could be killed"
done
run 0 run "$T/r.json" --set part_records=40 -j 2
diff -r "$T/want.near" "$T/d/processed" >&2 || fail "the kills make a difference"
[ -z "$(find "$T/d" -name 'dedup-*')" ] || fail "temporary files are left"
echo "- killed $killed of $runs runs"
