#!/bin/sh
# SPDX-License-Identifier: MIT
# own.sh - "then" of a source: steps for its records only, before those of preprocess.
. "$(dirname "$0")/lib.sh"
mkdir "$T/src"
awk 'BEGIN { for (i = 1; i <= 25; i++)
    printf "{\"q\":\"Question %d?\",\"a\":\"Answer %d.\",\"text\":\"left alone\"}\n", i, i }' >"$T/src/odd.jsonl"
awk 'BEGIN { for (i = 1; i <= 25; i++)
    printf "{\"instruction\":\"Say %d.\",\"output\":\"It is %d.\"}\n", i, i % 20 }' >"$T/src/plain.jsonl"
sed 's/Say/Name/' "$T/src/plain.jsonl" >"$T/src/twice.jsonl"
cat "$T/src/plain.jsonl" >>"$T/src/twice.jsonl"
cat "$T/src/plain.jsonl" >>"$T/src/twice.jsonl"

# recipe_of FILE [KEY] - KEY: the response field of the odd one.
recipe_of() {
    cat >"$1" <<EOF
{"recipe": 1, "version": "v1", "data": "$T/d", "part_records": 10,
 "sources": [
   {"use": "local", "path": "src/odd.jsonl", "dataset": "odd",
    "then": [{"use": "chat", "prompt_key": "q", "response_key": "${2:-a}"},
             {"use": "filter", "drop": [{"of": "answer", "matches": "Answer 7\\\\.", "name": "seven"}]}]},
   {"use": "local", "path": "src/plain.jsonl", "dataset": "plain"},
   {"use": "local", "path": "src/twice.jsonl", "dataset": "twice", "then": [{"use": "chat"}, {"use": "dedup"}]}],
 "preprocess": [{"use": "chat", "kind": true}],
 "convert": [{"use": "pretrain"}]}
EOF
}

recipe_of "$T/r.json"
echo "- each source by its own steps, then all by the same"
run 0 run "$T/r.json"
cat "$T"/d/interim/v1/General/odd/*.jsonl >"$T/odd"
lines "$T/odd" 24
hasnt "$T/odd" '"Answer 7."'
has "$T/odd" '"value":"Question 1?"' '"value":"Answer 25."' '"text":"left alone"' '"kind":"single"'
cat "$T"/d/interim/v1/General/plain/*.jsonl >"$T/plain"
lines "$T/plain" 25
# 25 of "Name" and 25 of "Say", and a copy of the latter that goes.
cat "$T"/d/interim/v1/General/twice/*.jsonl >"$T/twice"
lines "$T/twice" 50
results "$T/d" v1 >"$T/want"
lines "$T/d/processed/v1/General.jsonl" 99

echo "- counts, and where a record went"
run 0 report "$T/r.json"
has "$T/out" "after.local" "after.local-3" "preprocess"
run 0 why odd.jsonl:7 "$T/r.json"
has "$T/out" "filter" "dropped"
run 0 check "$T/r.json"

echo "- again, in parallel, and after a change of one"
run 0 run "$T/r.json"
has "$T/err" "nothing had to be done again"
for jobs in 1 4; do
    rm -rf "$T/d"
    run 0 run "$T/r.json" -j $jobs
    results "$T/d" v1 >"$T/got"
    same "$T/want" "$T/got"
done
recipe_of "$T/r.json" text
run 0 run "$T/r.json"
has "$T/err" "after.local/General/odd part 0 is redone: changed chat-2.response_key"
hasnt "$T/err" "General/plain part 0 is redone"
cat "$T"/d/interim/v1/General/odd/*.jsonl >"$T/odd"
lines "$T/odd" 25
has "$T/odd" '"value":"left alone"'

echo "- mistakes name their place"
sed 's/"prompt_key"/"promt_key"/' "$T/r.json" >"$T/bad.json"
run 2 check "$T/bad.json"
has "$T/err" '/sources/0/then/0/promt_key' "prompt_key"
sed 's/"use": "dedup"/"use": "ifd"/' "$T/r.json" >"$T/bad.json"
run 2 check "$T/bad.json"
has "$T/err" "/sources/2/then/1" "no such preprocessor"
