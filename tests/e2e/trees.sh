#!/bin/sh
# SPDX-License-Identifier: MIT
# trees.sh - messages of trees, a row each, to conversations: as by recursion over a forest in memory,
# whatever the workers, the parts and the memory.
. "$(dirname "$0")/lib.sh"
DATA=$DRH_SOURCE/tests/data/trees
cd "$T"

step() { # BEST_OR_ALL OPTION...
    which=$1
    shift
    run 0 --plugin trees.so "$DATA/forest.jsonl" -o o.jsonl --set "paths=$which" "$@"
    same "$DATA/$which.jsonl" o.jsonl
    sed -n 's/.*"reason":"\([a-z_]*\)".*"line":\([0-9]*\)}$/\2 \1/p' o.jsonl.rejected.jsonl >got
    # What has an answer, but none on the best path, goes in one of the two only.
    if [ "$which" = best ]; then
        sed 's/ best$//' "$DATA/gone.txt" >want
    else
        grep -v ' best$' "$DATA/gone.txt" >want
    fi
    same want got
}

echo "- a forest, the best path and all, 1 and 4 workers"
for jobs in 1 4; do
    step best -j $jobs
    step all -j $jobs --set memory_mb=1
done

echo "- R-8: the reply of the lowest rank, null last, deleted ones not at all; then chat"
cat >r8.jsonl <<'END'
{"message_id":"b","parent_id":"a","text":"one","role":"assistant","rank":1,"message_tree_id":"a"}
{"message_id":"c","parent_id":"a","text":"none","role":"assistant","rank":null,"message_tree_id":"a"}
{"message_id":"d","parent_id":"a","text":"gone","role":"assistant","rank":-1,"deleted":true,"message_tree_id":"a"}
{"message_id":"e","parent_id":"a","text":"zero","role":"assistant","rank":0.0,"deleted":false,"message_tree_id":"a"}
{"message_id":"a","parent_id":null,"text":"q","role":"prompter","rank":null,"message_tree_id":"a","lang":"en"}
END
run 0 --plugin trees.so --plugin chat.so r8.jsonl -o r8.out.jsonl
lines r8.out.jsonl 1
has r8.out.jsonl '"conversations":[{"from":"human","value":"q"},{"from":"gpt","value":"zero"}]' '"lang":"en"'
# Without a rank: the first in the file.
sed 's/"rank":[^,]*,//; /gone/d' r8.jsonl >unranked.jsonl
run 0 --plugin trees.so unranked.jsonl -o o.jsonl
has o.jsonl '{"from":"gpt","value":"one"}]}'

echo "- other names, numbers for ids"
sed 's/"message_id":"\(.\)"/"id":"\1"/; s/"parent_id"/"up"/; s/"message_tree_id":"a"/"thread":7/' r8.jsonl >named.jsonl
run 0 --plugin trees.so named.jsonl -o o.jsonl --set id_key=id --set parent_key=up --set tree_key=thread
has o.jsonl '{"id":"a","thread":7,"lang":"en","conversations":[{"from":"human","value":"q"},{"from":"gpt","value":"zero"}]}'
run 0 --plugin trees.so named.jsonl -o o.jsonl
same named.jsonl o.jsonl # no messages by these names: left alone
run 2 --plugin trees.so named.jsonl -o o.jsonl --set id_key=/a~2
has err 'id_key: "/a~2" is no field name'

echo "- many trees, one of them too large, one a long chain"
LC_ALL=C awk 'BEGIN {
    row = "{\"message_id\":\"%s\",\"parent_id\":%s,\"text\":\"%s\",\"role\":\"%s\",\"message_tree_id\":\"%s\"}\n"
    for (i = 40000; i > 0; i--)
        printf row, "a" i, "\"q" i "\"", "a" i, "assistant", i
    for (i = 1; i <= 40000; i++)
        printf row, "q" i, "null", "q" i, "prompter", i
    for (i = 1000; i >= 0; i--)
        printf row, "c" i, i ? "\"c" i - 1 "\"" : "null", i, i % 2 ? "assistant" : "prompter", "chain"
    for (big = "x"; length(big) < 300000; big = big big) {}
    printf row, "l0", "null", big, "prompter", "large"
    printf row, "l1", "\"l0\"", big, "assistant", "large"
}' >many.jsonl
run 0 --plugin trees.so many.jsonl -o o.jsonl --set memory_mb=1
lines o.jsonl 40001
sed -n 's/.*"value":"q\([0-9]*\)"},{"from":"gpt","value":"a\([0-9]*\)"}\]}$/\1 \2/p' o.jsonl | awk '$1 != $2 || $1 != NR { exit 1 } END { exit NR != 40000 }' ||
    fail "not each question has its answer"
[ "$(tail -n 1 o.jsonl | grep -o '"value":"[0-9]*"' | tr -dc '0-9\n' | awk '$1 != NR - 1 { exit 1 } END { print NR }')" = 1000 ] ||
    fail "the chain is broken"
[ "$(grep -c tree_too_large o.jsonl.rejected.jsonl)" = 2 ] || fail "the large tree is not named"
run 0 --plugin trees.so many.jsonl -o o.jsonl --set memory_mb=8
lines o.jsonl 40002

echo "- a recipe: two data sets with the same ids, in parts, by 1 and 3 workers"
mkdir -p src/one src/two
sed -n '1,300p' "$DATA/forest.jsonl" >src/one/a.jsonl
sed -n '301,$p' "$DATA/forest.jsonl" >src/one/b.jsonl
cp r8.jsonl src/two/a.jsonl
sed 's/"zero"/"two"/' r8.jsonl >src/two/b.jsonl
for jobs in 1 3; do
    cat >recipe.json <<END
{
    "recipe": 1, "version": "v1", "data": "$T/data$jobs", "seed": 7,
    "sources": [
        { "use": "local", "id": "one", "path": "$T/src/one", "domain": "D", "dataset": "one" },
        { "use": "local", "id": "two", "path": "$T/src/two/a.jsonl", "domain": "D", "dataset": "two" },
        { "use": "local", "id": "three", "path": "$T/src/two/b.jsonl", "domain": "D", "dataset": "three" },
    ],
    "preprocess": [ { "use": "trees" } ],
}
END
    run 0 run recipe.json -j $jobs
    find "data$jobs/interim" -name '*.jsonl' | LC_ALL=C sort | xargs cat >got$jobs
done
same got1 got3
grep -o '"conversations":.*' "$DATA/best.jsonl" | sort >want
grep -v '"message_id":"a"' got1 | grep -o '"conversations":.*' | sort >got
same want got
[ "$(grep -c '"value":"zero"' got1)" = 1 ] || fail "data set two"
[ "$(grep -c '"value":"two"' got1)" = 1 ] || fail "data set three"

echo "- a conversation names the raw row of its first message, whatever copies are between; so does what is left out"
for jobs in 1 3; do
    cat >named.json <<END2
{ "recipe": 1, "version": "v1", "data": "$T/named$jobs", "part_records": 100,
  "sources": [ { "use": "local", "path": "$T/src/one", "domain": "D", "dataset": "one" } ],
  "preprocess": [ { "use": "trees" }, { "use": "dedup" }, { "use": "chat" } ] }
END2
    run 0 run named.json -j $jobs
    find "named$jobs/interim" -name '*.jsonl' | LC_ALL=C sort | xargs cat >named.jsonl
    sed -n 's/.*"message_id":"\([^"]*\)".*"src":"\([^":]*\):\([0-9]*\)".*/\2 \3 \1/p' named.jsonl >places
    [ "$(wc -l <places)" = "$(wc -l <named.jsonl)" ] && [ -s places ] || fail "not each record has a place"
    while read -r file line id; do
        sed -n "${line}p" "src/one/$file" | grep -q "\"message_id\":\"$id\"" || fail "$file:$line is not $id"
    done <places
    # Each raw row is there once: in a conversation's place, or rejected.
    find "named$jobs/.drhost/v1/rejected" -name '*.jsonl' | xargs cat |
        sed 's/.*"file":"\([^"]*\)".*"line":\([0-9]*\)}$/\1 \2/' >left
    cut -d ' ' -f 1,2 places | cat - left | LC_ALL=C sort >got
    awk '{ print FILENAME, FNR }' src/one/a.jsonl src/one/b.jsonl | sed 's|src/one/||' | LC_ALL=C sort >want
    same want got
done
