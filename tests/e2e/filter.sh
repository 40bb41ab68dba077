#!/bin/sh
# SPDX-License-Identifier: MIT
# filter.sh - conditions from the command line and in a recipe: what goes, under which reasons; the
# same for 1 and 4 workers; what is wrong with a condition is said before anything is read.
. "$(dirname "$0")/lib.sh"
rows 3000 1 >"$T/in.jsonl"

# rows() writes sums (odd lines) and sentences; line 2i is number 2i.
grep -c '^{"instruction":"What is [0-9] plus' "$T/in.jsonl" >"$T/n" || true
sums=$(cat "$T/n")
[ "$sums" -gt 50 ] || fail "the input is not what it was"

echo "- a single step, 1 and 4 workers"
for jobs in 1 4; do
    run 0 --plugin filter "$T/in.jsonl" -o "$T/o.$jobs" -j $jobs \
        --set 'keep=[{"of":"answer","min_words":4}]' \
        --set 'drop=[{"of":"question","matches":"^What is \\d plus","name":"small"}]'
    has "$T/err" "filter: 3000 in, $((3000 - sums)) out, $sums dropped: small $sums"
done
same "$T/o.1" "$T/o.4"
same "$T/o.1.rejected.jsonl" "$T/o.4.rejected.jsonl"
lines "$T/o.1.rejected.jsonl" "$sums"
first=$(grep -n -m 1 '^{"instruction":"What is [0-9] plus' "$T/in.jsonl" | cut -d: -f1)
head -n 1 "$T/o.1.rejected.jsonl" >"$T/first"
has "$T/first" '"reason":"small"' "\"line\":$first}" "condition 1 of drop holds: question"

echo "- a recipe: chat, filter, dedup; what is left is what awk(1) leaves"
cat >"$T/r.json" <<END
{ "recipe": 1, "version": "v1", "data": "$T/d",
  "sources": [ { "use": "local", "path": "$T/in.jsonl", "domain": "A", "dataset": "one" } ],
  "preprocess": [ { "use": "chat" },
    { "use": "filter", "keep": [ { "of": "question", "matches": "^What" },
                                 { "field": "/metadata/lang", "in": ["En"] } ] },
    { "use": "dedup" } ] }
END
run 0 run "$T/r.json"
left=$(awk '/"What/ && !seen[$0]++' "$T/in.jsonl" | wc -l)
cat "$T"/d/interim/v1/A/one/*.jsonl >"$T/left"
lines "$T/left" "$left"
has "$T/d/.drhost/v1/report.json" '"no_match":	1500' '"balanced":	true'

echo "- what cannot be"
run 2 --plugin filter "$T/in.jsonl"
has "$T/err" "no condition"
run 2 --plugin filter "$T/in.jsonl" --set 'keep=[{"of":"answer","matches":"("}]'
has "$T/err" 'condition 1 of "keep": "matches" is no regular expression'
run 2 --plugin filter "$T/in.jsonl" --set 'keep=[{"of":"answer","min_cars":1}]'
has "$T/err" "min_cars" "min_chars"
