#!/bin/sh
# SPDX-License-Identifier: MIT
# parquet.sh - Parquet files of pyarrow, DuckDB, polars and parquet-rs: every row as pyarrow reads it;
# found by content, columns, parts, workers, bad rows, damage, files that are refused.
. "$(dirname "$0")/lib.sh"
FILES=$DRH_SOURCE/tests/data/parquet

echo "- every file gives what pyarrow reads"
n=0
for file in "$FILES"/*.parquet; do
    name=$(basename "$file")
    name=${name%%.*}
    [ "$name" != bad ] && [ "$name" != secret ] || continue
    gzip -dc "$FILES/$name.jsonl.gz" >"$T/want"
    run 0 --plugin parquet.so "$file" -q
    cmp "$T/want" "$T/out" >&2 || fail "$file is not read as pyarrow does"
    n=$((n + 1))
done
[ $n -gt 50 ] || fail "only $n files"

echo "- by content, whatever the name, and to the canonical record"
mkdir "$T/src"
cp "$FILES/alpaca.arrow.parquet" "$T/src/alpaca.data"
cp "$FILES/chats.rs-v2.parquet" "$T/src/chats.parquet"
cp "$FILES/many.arrow.parquet" "$T/src/many.parquet"
rows 20 >"$T/src/plain.jsonl"
run 0 --plugin chat.so "$T/src/alpaca.data" "$T/src/plain.jsonl"
has "$T/out" '{"from":"human","value":"Say river."},{"from":"gpt","value":"river"}' 'alpaca.data:1"' \
    'plain.jsonl:20"'
run 0 --plugin chat.so "$T/src/chats.parquet"
has "$T/out" '"metadata":' 'chats.parquet:8"'
run 2 --plugin parquet.so <"$T/src/many.parquet"
has "$T/err" "standard input"

echo "- columns"
run 0 --plugin parquet.so "$T/src/chats.parquet" --set parquet.columns='["id","conversations.value"]' --limit 1
has "$T/out" '{"id":"chat-0","conversations":[{"value":"河"}]}'
run 0 --plugin parquet.so "$T/src/many.parquet" --set parquet.without='["list","jump","picture"]' --limit 1
hasnt "$T/out" '"list"'
has "$T/out" '{"i":0,"text":'
run 2 --plugin parquet.so "$T/src/many.parquet" --set parquet.columns='["txt"]'
has "$T/err" many.parquet 'no column "txt"' "i, jump, text, run, flag, list"

echo "- a recipe: parts that begin anywhere, workers, what was done is not done again"
cat >"$T/r.json" <<END
{ "recipe": 1, "version": "v1", "data": "$T/d", "seed": 3,
  "sources": [
    { "use": "local", "id": "all", "path": "$T/src", "include": ["*.parquet"], "domain": "A", "dataset": "all" },
    { "use": "local", "id": "some", "path": "$T/src/many.parquet", "domain": "B", "dataset": "some",
      "reader": { "use": "parquet", "columns": ["text", "i"] } } ] }
END
whole() {
    cat "$T"/d/interim/v1/A/all/part-* "$T"/d/interim/v1/B/some/part-*
}
run 0 run "$T/r.json" -j 1
whole >"$T/whole"
lines "$T/whole" $((60 + 1800 + 1800))
for size in 7 500 1100; do # a row group has 1100 rows, or 25
    rm -rf "$T/d"
    run 0 run "$T/r.json" -j 2 --set part_records=$size
    whole >"$T/got"
    same "$T/whole" "$T/got"
done
stamps "$T/d" v1 interim >"$T/stamps"
run 0 run "$T/r.json" --set part_records=1100 --resume=strict
stamps "$T/d" v1 interim >"$T/got"
same "$T/stamps" "$T/got"
rm "$T/d/interim/v1/A/all/part-001.jsonl" # its position is in the manifest
run 0 run "$T/r.json" --set part_records=1100
whole >"$T/got"
same "$T/whole" "$T/got"
run 2 run "$T/r.json" --set some.reader.columns='["i"]' --set part_records=1100 --resume=strict
has "$T/err" "parquet.columns"

echo "- rows that are bad"
run 0 --plugin parquet.so "$FILES/bad.rows.parquet" -o "$T/bad.jsonl"
lines "$T/bad.jsonl" 2
lines "$T/bad.jsonl.rejected.jsonl" 3
has "$T/err" "rows.parquet:2: bad_utf8: column text: " "rows.parquet:3: bad_json: column json: " \
    "rows.parquet:4: duplicate_key: column map.key: "

# damaged FILE WORDS... - the file is told to be damaged, and the one beside it is read
damaged() {
    file=$1
    shift
    run 3 --plugin parquet.so "$file" "$FILES/alpaca.arrow.parquet" -o "$T/o.jsonl"
    has "$T/err" "damaged_file" "$@"
    has "$T/o.jsonl" '"Say river."'
}

echo "- damage"
size=$(wc -c <"$FILES/many.arrow.parquet")
for bytes in 4 11 12 1000 $((size - 1)); do
    head -c $bytes "$FILES/many.arrow.parquet" >"$T/cut.parquet"
    damaged "$T/cut.parquet" "cut.parquet:1:" "again"
done
cp "$FILES/bad.checksum.parquet" "$T/sum.parquet"
run 0 --plugin parquet.so "$T/sum.parquet"
lines "$T/out" 20
printf 'X' | dd of="$T/sum.parquet" bs=1 seek=60 conv=notrunc 2>/dev/null
damaged "$T/sum.parquet" "row group 0, column id: the page at byte " "wrong checksum"
damaged "$FILES/secret.footer.parquet" "encrypted; write it again without"
damaged "$FILES/secret.columns.parquet" "encrypted; write it again without"
