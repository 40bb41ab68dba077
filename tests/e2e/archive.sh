#!/bin/sh
# SPDX-License-Identifier: MIT
# archive.sh - tar and zip archives of JSON as Python reads them: by content, packed in any way, each
# record with its member and line, parts that begin anywhere, damage, and archives made to do harm.
. "$(dirname "$0")/lib.sh"
FILES=$DRH_SOURCE/tests/data/archive
mkdir "$T/src"

# bare FILE - its records without the place that they came from
bare() {
    sed 's/,"archive_member":"[^"]*"}$/}/' "$1"
}

echo "- every archive gives what Python reads"
for file in pax.tar.xz gnu.tar.zst stored.zip deflated.zip bzip2.zip; do
    run 0 --plugin archive.so "$FILES/$file"
    bare "$T/out" >"$T/got"
    same "$FILES/want.jsonl" "$T/got"
    has "$T/err" "8 members read, 4 others passed over: README.md, picture.png, ._a.jsonl, ..."
    has "$T/out" '{"n":3,"t":"河","archive_member":"chats/a.jsonl:4"}' \
        '"archive_member":"chats/河.json:3"' '{"n":7,"m":{"a":[]},"archive_member":"pretty.json:4"}' \
        '{"n":9,"archive_member":"x.jsonl.gz:2"}' 'a folder/long.jsonl:390"'
done

echo "- of tar itself: old, gzip, nothing, what is no archive of data"
mkdir "$T/in"
printf '{"instruction":"Say river.","output":"river"}\n' >"$T/in/a.jsonl"
printf '{"instruction":"Say stone.","output":"stone"}\n' >"$T/in/b.txt"
tar -C "$T/in" --format=v7 -cf "$T/src/old" a.jsonl b.txt
run 0 --plugin chat.so "$T/src/old" # found by its content
has "$T/out" '{"from":"human","value":"Say river."}' '"archive_member":"a.jsonl:1"' 'old:1"'
tar -C "$T/in" -czf "$T/src/new.tgz" a.jsonl b.txt
run 0 --plugin archive.so "$T/src/new.tgz" --set archive.include='["*.txt"]' --set archive.origin=/from/file
same "$T/out" - <<'END'
{"instruction":"Say stone.","output":"stone","from":{"file":"b.txt:1"}}
END
run 0 --plugin archive.so "$T/src/new.tgz" --set archive.include='["*"]' --set archive.exclude='["b*"]' \
    --set archive.origin=
same "$T/in/a.jsonl" "$T/out"
run 0 --plugin archive.so "$T/src/new.tgz" --set archive.origin=output # a record keeps its own
same "$T/in/a.jsonl" "$T/out"
run 3 --plugin archive.so "$T/src/new.tgz" --set archive.exclude='["*.jsonl"]'
has "$T/err" "damaged_file: no .jsonl, .ndjson or .json is in it, but a.jsonl, b.txt; name what holds"
printf 'PK\003\004%026d[Content_Types].xml' 0 >"$T/src/sheet.xlsx"
run 2 --plugin chat.so "$T/src/sheet.xlsx"
has "$T/err" "or a spreadsheet"

echo "- rows that are nearly JSON"
printf '{"n":NaN}\n{"n":2,}\n' >"$T/in/e.jsonl"
printf '[{"n":3},\n{"n":[-Infinity,],},]' >"$T/in/e.json"
tar -C "$T/in" -cf "$T/src/nearly.tar" e.jsonl e.json
run 0 --plugin archive.so "$T/src/nearly.tar"
has "$T/err" "4 in, 4 out (3 mended)"
bare "$T/out" >"$T/got"
printf '{"n":%s}\n' null 2 3 '[null]' >"$T/want"
same "$T/want" "$T/got"

echo "- bad rows"
printf '{"n":1}\n{"n":\n\n[2]\n{"n":3,"n":4}\n{"n":5}\n' >"$T/in/c.jsonl"
printf '[{"n":6} {"n":7},,{"n":8}' >"$T/in/d.json"
tar -C "$T/in" -cf "$T/src/bad.tar" c.jsonl d.json
run 3 --plugin archive.so "$T/src/bad.tar" # d.json is cut
has "$T/err" "bad.tar:2: bad_json: c.jsonl, line 2: not JSON: byte 5: " \
    "bad.tar:3: not_object: c.jsonl, line 4: " "bad.tar:4: bad_json: c.jsonl, line 5: not JSON: " \
    "bad.tar:7: broken_array: d.json, line 1: a comma is missing" \
    "bad.tar:9: broken_array: d.json, line 1: a comma or }" "bad.tar:11: truncated: d.json, line 1: "
bare "$T/out" >"$T/got"
printf '{"n":%d}\n' 1 5 6 7 8 >"$T/want"
same "$T/want" "$T/got"

echo "- a recipe: parts that begin anywhere, workers"
cp "$FILES/gnu.tar.zst" "$FILES/deflated.zip" "$T/in"
cat >"$T/r.json" <<END
{ "recipe": 1, "version": "v1", "data": "$T/d",
  "sources": [ { "use": "local", "path": "$T/in", "include": ["*.zip", "*.zst"], "domain": "A", "dataset": "a" } ] }
END
run 0 run "$T/r.json" -j 1
cat "$T"/d/interim/v1/A/a/part-* >"$T/whole"
cat "$FILES/want.jsonl" "$FILES/want.jsonl" >"$T/want"
bare "$T/whole" >"$T/got"
same "$T/want" "$T/got"
for size in 7 100; do
    rm -rf "$T/d"
    run 0 run "$T/r.json" -j 2 --set part_records=$size
    cat "$T"/d/interim/v1/A/a/part-* >"$T/got"
    same "$T/whole" "$T/got"
done
rm -rf "$T/d"
run 0 run "$T/r.json" --limit 30 --set part_records=1
cat "$T"/d/interim/v1/A/a/part-* >"$T/got"
head -n 30 "$T/whole" >"$T/want"
same "$T/want" "$T/got"

echo "- damage: what is whole is read, and it is said"
zstd -qdc "$FILES/gnu.tar.zst" >"$T/src/whole.tar" 2>/dev/null ||
    tar -C "$T/in" -cf "$T/src/whole.tar" a.jsonl c.jsonl b.txt
for bytes in 600 1030 2000; do
    head -c $bytes "$T/src/whole.tar" >"$T/src/cut.tar"
    run 3 --plugin archive.so "$T/src/cut.tar" "$T/src/old"
    has "$T/err" "damaged_file" "runcated" "fetch the file again"
    has "$T/out" "Say river."
done
head -c 300 "$FILES/pax.tar.xz" >"$T/src/cut.tar.xz"
run 3 --plugin archive.so "$T/src/cut.tar.xz" "$T/src/old"
has "$T/err" "truncated: the xz data ends too early"
head -c 1500 "$FILES/deflated.zip" >"$T/src/cut.zip"
run 3 --plugin archive.so "$T/src/cut.zip" "$T/src/old"
has "$T/err" "damaged_file" "no list of what it holds at its end"
run 3 --plugin archive.so "$FILES/checksum.zip"
has "$T/err" "damaged_file: a.jsonl: ZIP bad CRC"
has "$T/out" '{"n":3,"archive_member":"b.jsonl:1"}'
run 0 --plugin archive.so "$FILES/encrypted.zip" --set max_bad=5
has "$T/err" "encrypted_member: a.jsonl: it is encrypted"
has "$T/out" '{"n":3,"archive_member":"b.jsonl:1"}'
run 3 --plugin archive.so "$FILES/lzma.zip"
has "$T/err" "unknown_compression: a.jsonl: its compression is not read here; pack it with deflate or zstd"

echo "- made to do harm"
run 3 --plugin archive.so "$FILES/hostile.tar"
same "$T/out" - <<'END'
{"a":1,"archive_member":"../../up.jsonl:1"}
{"a":2,"archive_member":"/tmp/root.jsonl:1"}
{"a":3,"archive_member":"odd?[31m?.jsonl:1"}
{"a":4,"archive_member":"huge.jsonl:1"}
END
has "$T/err" "damaged_file: in huge.jsonl: Truncated tar archive"
[ ! -e /tmp/root.jsonl ] && [ ! -e "$T/up.jsonl" ] && [ ! -e "$T/../up.jsonl" ] || fail "a member was written"
truncate -s 5M "$T/in/holes.jsonl"
printf '{"a":1}\n' >>"$T/in/holes.jsonl"
tar -C "$T/in" --sparse -cf "$T/src/holes.tar" holes.jsonl a.jsonl
run 0 --plugin archive.so "$T/src/holes.tar"
has "$T/err" "sparse_member: holes.jsonl: it has holes instead of text"
has "$T/out" '"archive_member":"a.jsonl:1"'
