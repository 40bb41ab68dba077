#!/bin/sh
# SPDX-License-Identifier: MIT
# arrow.sh - Arrow files and streams of pyarrow, old and new, packed or not: every row as pyarrow reads
# it; found by content, columns, parts, workers, bad rows, damage, types that are refused.
. "$(dirname "$0")/lib.sh"
FILES=$DRH_SOURCE/tests/data/arrow

echo "- every file gives what pyarrow reads"
n=0
for want in "$FILES"/*.jsonl.gz; do
    gzip -dc "$want" >"$T/want"
    for file in "${want%.jsonl.gz}".*.arrow; do
        run 0 --plugin arrow.so "$file" -q
        cmp "$T/want" "$T/out" >&2 || fail "$file is not read as pyarrow does"
        n=$((n + 1))
    done
done
[ $n -ge 16 ] || fail "only $n files"

echo "- and what the Parquet reader gives for the same values"
run 0 --plugin parquet.so "$DRH_SOURCE/tests/data/parquet/chats.arrow-zstd.parquet" -q
mv "$T/out" "$T/want"
run 0 --plugin arrow.so "$FILES/chats.stream.arrow" -q
same "$T/want" "$T/out"

echo "- by content, whatever the name, and to the canonical record"
mkdir "$T/src"
cp "$FILES/chats.stream.arrow" "$T/src/data-00000-of-00001"
rows 20 >"$T/src/plain.jsonl"
run 0 --plugin chat.so "$T/src/data-00000-of-00001" "$T/src/plain.jsonl"
has "$T/out" '"metadata":' 'data-00000-of-00001:8"' 'plain.jsonl:20"'
run 2 --plugin arrow.so <"$FILES/chats.stream.arrow"
has "$T/err" "standard input"

echo "- columns"
run 0 --plugin arrow.so "$FILES/chats.stream.arrow" --set arrow.columns='["id","conversations.value"]' --limit 1
has "$T/out" '{"id":"chat-0","conversations":[{"value":"河"}]}'
run 0 --plugin arrow.so "$FILES/nested.file-zstd.arrow" --set arrow.without='["fixed","pair.y"]'
hasnt "$T/out" '"fixed"'
hasnt "$T/out" '"y"'
has "$T/out" '"pair":{"x":7}' '"label":'
run 2 --plugin arrow.so "$FILES/many.stream.arrow" --set arrow.columns='["txt"]'
has "$T/err" many.stream.arrow 'no column "txt"' "i, text, label"
run 2 --plugin arrow.so "$FILES/many.stream.arrow" --set arrow.without='["i","text","label"]'
has "$T/err" "no column is left"

echo "- a recipe: parts that begin anywhere, workers"
cp "$FILES/nested.file.arrow" "$FILES/many.file-lz4.arrow" "$T/src"
cat >"$T/r.json" <<END
{ "recipe": 1, "version": "v1", "data": "$T/d", "seed": 3,
  "sources": [
    { "use": "local", "id": "all", "path": "$T/src", "include": ["*.arrow"], "domain": "A", "dataset": "all" },
    { "use": "local", "id": "some", "path": "$FILES/many.stream.arrow", "domain": "B", "dataset": "some",
      "reader": { "use": "arrow", "columns": ["label", "i"] } } ] }
END
whole() {
    cat "$T"/d/interim/v1/A/all/part-* "$T"/d/interim/v1/B/some/part-*
}
run 0 run "$T/r.json" -j 1
whole >"$T/whole"
lines "$T/whole" $((3000 + 120 + 3000))
for size in 7 250 1100; do # a batch has 250 rows, or 50
    rm -rf "$T/d"
    run 0 run "$T/r.json" -j 2 --set part_records=$size
    whole >"$T/got"
    same "$T/whole" "$T/got"
done

echo "- rows that are bad, dictionaries that change"
run 0 --plugin arrow.so "$FILES/bad.rows.arrow"
same "$T/out" - <<'END'
{"text":"a","map":{"k":1}}
END
has "$T/err" "rows.arrow:2: bad_utf8: column text: " "rows.arrow:3: duplicate_key: column map.key: "
printf '{"d":"%s"}\n' a b a a b c >"$T/want"
for how in changes grows; do
    run 0 --plugin arrow.so "$FILES/dictionary.$how.arrow"
    same "$T/want" "$T/out"
done
printf '{"d":[%s]}\n' '"a","b"' '"b"' '"c",null' '"a","d"' >"$T/want" # dictionaries of lists of dictionary values
run 0 --plugin arrow.so "$FILES/dictionary.nested.arrow"
same "$T/want" "$T/out"

# damaged FILE WORDS... - the file is told to be damaged, and the one beside it is read
damaged() {
    file=$1
    shift
    run 3 --plugin arrow.so "$file" "$FILES/chats.stream.arrow" -o "$T/o.jsonl"
    has "$T/err" "damaged_file" "$@"
    has "$T/o.jsonl" '"id":"chat-0"'
}

echo "- damage"
size=$(wc -c <"$FILES/many.file-lz4.arrow")
for bytes in 9 500 20000 $((size - 1)); do
    head -c $bytes "$FILES/many.file-lz4.arrow" >"$T/cut.arrow"
    damaged "$T/cut.arrow" "cut.arrow:" "again"
done
[ "$(wc -l <"$T/o.jsonl")" = 3060 ] || fail "rows before the damage are lost"
head -c 70000 "$FILES/many.stream.arrow" >"$T/cut.arrow"
damaged "$T/cut.arrow" "it ends in the middle, at byte 70000"
damaged "$FILES/bad.offsets.arrow" "bad.offsets.arrow:2:" "batch 0, column text: a text lies outside of its buffer"

echo "- types that are refused, unless they are not asked for"
damaged "$FILES/refused.types.arrow" "column dense: unions are not read; read others"
for column in sparse runs interval; do
    run 3 --plugin arrow.so "$FILES/refused.types.arrow" --set arrow.columns="[\"n\",\"$column\"]"
    has "$T/err" "damaged_file: column $column: "
done
run 0 --plugin arrow.so "$FILES/refused.types.arrow" --set arrow.columns='["n"]'
printf '{"n":%d}\n' 1 2 3 >"$T/want"
same "$T/want" "$T/out"
