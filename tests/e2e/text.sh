#!/bin/sh
# SPDX-License-Identifier: MIT
# text.sh - separated values as Python's csv module reads them, and plain text: by content, packed,
# columns, bad rows, parts that begin anywhere, damage, options that do not fit.
. "$(dirname "$0")/lib.sh"
FILES=$DRH_SOURCE/tests/data/text

echo "- every file gives what Python reads, packed or not"
n=0
mkdir "$T/src"
for file in "$FILES"/*.csv "$FILES"/*.tsv; do
    name=$(basename "$file")
    base=$FILES/${name%.*}
    gzip -c "$file" >"$T/src/$name.gz"
    for from in "$file" "$T/src/$name.gz"; do
        run 0 --plugin csv.so "$from"
        cmp "$base.jsonl" "$T/out" >&2 || fail "$from is not read as Python does"
        sed -n 's/.*:\([0-9]*\): wrong_columns: [0-9]* fields, but there are 3 columns$/\1/p' "$T/err" >"$T/bad"
        same "$base.bad" "$T/bad"
    done
    n=$((n + 1))
done
[ $n -ge 9 ] || fail "only $n files"

echo "- by content"
printf 'instruction,input,output\r\n"Say ""river"", please",,river\r\nAdd.,1 1,2\r\nEnd.,,no\r\n' >"$T/src/data"
run 0 --plugin chat.so "$T/src/data"
has "$T/out" '{"from":"human","value":"Say \"river\", please"},{"from":"gpt","value":"river"}' 'data:1"'
lines "$T/out" 3
printf 'Dear all,\nthis is a letter, no table, you see.\nYours\n' >"$T/src/letter"
run 3 --plugin chat.so "$T/src/letter" # as before there were such readers: lines that are no JSON
has "$T/err" "letter"
printf 'one\n\n  two  \r\n\nthree\nfour' >"$T/src/text.txt"
run 0 --plugin lines.so "$T/src/text.txt"
printf '{"text":"%s"}\n' one '  two  ' three four >"$T/want"
same "$T/want" "$T/out"
run 0 --plugin lines.so "$T/src/text.txt" --set lines.by=paragraph --set lines.field=x
printf '{"x":"%s"}\n' one '  two' 'three\nfour' >"$T/want"
same "$T/want" "$T/out"
run 0 --plugin lines.so "$T/src/text.txt" --set lines.by=file
lines "$T/out" 1
has "$T/out" 'one\n\n  two  \r\n\nthree\nfour'

echo "- columns, names, JSON in a column, delimiters"
printf 'x|messages|y\n1|[{"role":"user","content":"a"},{"role":"assistant","content":"b, c"}]|2\n2|[oops|3\n3||4\n' \
    >"$T/src/m.csv"
run 0 --plugin csv.so "$T/src/m.csv" --set csv.json='["messages"]' --set csv.quote= \
    --set csv.columns='["messages","y"]'
has "$T/out" '{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b, c"}],"y":"2"}' \
    '{"messages":null,"y":"4"}'
has "$T/err" "m.csv:2: bad_json: column messages: "
run 0 --plugin csv.so "$T/src/data" --set csv.header=false --set csv.names='["q","","a"]' --limit 2
has "$T/out" '{"q":"instruction","a":"output"}' '{"q":"Say \"river\", please","a":"river"}'
printf 'a#b\n1,5#2\n' >"$T/src/h.csv"
run 0 --plugin csv.so "$T/src/h.csv" --set csv.delimiter='#'
has "$T/out" '{"a":"1,5","b":"2"}'
run 2 --plugin csv.so "$T/src/h.csv" --set csv.delimiter='##'
has "$T/err" "delimiter: must be one ASCII character"
run 2 --plugin csv.so "$T/src/data" --set csv.columns='["answer"]'
has "$T/err" 'columns: there is no column "answer"' "instruction, input, output"
run 2 --plugin csv.so "$T/src/data" --set csv.header=false
has "$T/err" "names: give the columns names"

echo "- what is wrong with a file"
printf 'a,a\n1,2\n' >"$T/src/twice.csv"
run 3 --plugin csv.so "$T/src/twice.csv"
has "$T/err" 'two columns are called "a"'
printf 'a,b\n1,2\n3,"4\n5,6\n' >"$T/src/open.csv"
run 3 --plugin csv.so "$T/src/open.csv"
has "$T/out" '{"a":"1","b":"2"}'
lines "$T/out" 1
has "$T/err" "a quote that opens in this row is never closed"
printf 'a,b\n1,\351t\351\n2,3\n' >"$T/src/latin.csv"
run 0 --plugin csv.so "$T/src/latin.csv"
has "$T/err" "latin.csv:1: bad_utf8: column b is no UTF-8"
has "$T/out" '{"a":"2","b":"3"}'
awk 'BEGIN { srand(5); print "a,b"; for (i = 1; i < 20000; i++) print i "," rand() }' | gzip | head -c 60000 >"$T/src/cut.csv.gz"
run 3 --plugin csv.so "$T/src/cut.csv.gz"
has "$T/err" truncated
[ "$(wc -l <"$T/out")" -gt 1000 ] || fail "rows before the damage are lost"
awk -F '"' '$4 != NR { print "row " NR ": " $0; bad = 1 } END { exit bad }' "$T/out" >&2 || fail "not the rows before it"

echo "- a recipe: parts that begin anywhere, windows that end anywhere, workers"
rm "$T"/src/*
awk 'BEGIN { print "n,text,more"; for (i = 0; i < 3000; i++) {
    printf "%d,\"", i
    for (k = 0; k < i % 97; k++) printf "line %d, \"\"%d\"\"\n", k, i
    printf "\",%d\r\n", i * 7 } }' >"$T/src/many.csv"
awk 'BEGIN { for (i = 0; i < 3000; i++) {
    printf "{\"n\":\"%d\",\"text\":\"", i
    for (k = 0; k < i % 97; k++) printf "line %d, \\\"%d\\\"\\n", k, i
    printf "\",\"more\":\"%d\"}\n", i * 7 } }' >"$T/want"
awk 'BEGIN { for (i = 0; i < 500; i++) printf "text %d\n%s", i, i % 3 ? "" : "\n" }' | gzip >"$T/src/t.txt.gz"
cat >"$T/r.json" <<END
{ "recipe": 1, "version": "v1", "data": "$T/d",
  "sources": [
    { "use": "local", "path": "$T/src/many.csv", "domain": "A", "dataset": "a" },
    { "use": "local", "path": "$T/src/t.txt.gz", "domain": "B", "dataset": "b",
      "reader": { "use": "lines", "by": "paragraph" } } ] }
END
whole() {
    cat "$T"/d/interim/v1/A/a/part-* "$T"/d/interim/v1/B/b/part-*
}
run 0 --plugin csv.so "$T/src/many.csv" -q
same "$T/want" "$T/out"
run 0 run "$T/r.json" -j 1
whole >"$T/whole"
lines "$T/whole" $((3000 + 168)) # every third text ends a paragraph, and the last one
grep -o '"n":.*"more":"[0-9]*"' "$T/whole" >"$T/got"
grep -o '"n":.*"more":"[0-9]*"' "$T/want" >"$T/expected"
same "$T/expected" "$T/got"
has "$T/whole" '"text":"text 1\ntext 2\ntext 3"'
for size in 7 1000; do
    rm -rf "$T/d"
    run 0 run "$T/r.json" -j 2 --set part_records=$size
    whole >"$T/got"
    same "$T/whole" "$T/got"
done
