#!/bin/sh
# SPDX-License-Identifier: MIT
# step.sh - single steps: files and standard input, forms of input, options, models, where plugins
# are looked up, a third party's plugin, exit codes.
. "$(dirname "$0")/lib.sh"
OTHER=$DRH_BUILD/tests/sdk/hello_filter.so
rows 6 >"$T/a.jsonl"
rows 4 5 >"$T/b.jsonl"

echo "- files, standard input, a file to write to"
run 0 --plugin chat.so "$T/a.jsonl"
lines "$T/out" 6
has "$T/out" '"conversations":[' '"src":"'
has "$T/err" "chat: 6 in, 6 out"
mv "$T/out" "$T/want"
run 0 --plugin chat.so "$T/a.jsonl" -o "$T/o.jsonl"
same "$T/want" "$T/o.jsonl"
[ ! -s "$T/out" ] || fail "-o also writes to standard output"
[ -f "$T/o.jsonl.rejected.jsonl" ] || fail "no OUT.rejected.jsonl"
lines "$T/o.jsonl.rejected.jsonl" 0
run 0 --plugin chat.so -q <"$T/a.jsonl"
lines "$T/out" 6
[ ! -s "$T/err" ] || fail "-q is not quiet"
run 0 --plugin chat.so - <"$T/a.jsonl"
lines "$T/out" 6
has "$T/out" '"src":"stdin:6"'
run 0 --plugin chat.so "$T/a.jsonl" "$T/b.jsonl"
lines "$T/out" 10
run 0 --plugin chat.so "$T/a.jsonl" "$T/b.jsonl" --limit 2
lines "$T/out" 4
run 0 --plugin chat.so --plugin pretrain.so "$T/a.jsonl" --jobs 3
has "$T/out" '"content":"'
lines "$T/out" 6
[ -z "$(find "$T" -name '*tmp-*')" ] || fail "temporary files are left"

echo "- closed standard streams: nothing of what is told goes into the data"
{ head -n 3 "$T/a.jsonl" && echo BAD; } >"$T/torn.jsonl"
run 0 --plugin chat.so "$T/torn.jsonl" -o "$T/want.jsonl" -v
for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
    code=0
    eval "\"$DRHOST\" --plugin chat.so \"$T/torn.jsonl\" -o \"$T/o.jsonl\" -v >/dev/null 2>&1 $closed" || code=$?
    [ $code = 0 ] || fail "exit code $code with $closed"
    same "$T/want.jsonl" "$T/o.jsonl"
    same "$T/want.jsonl.rejected.jsonl" "$T/o.jsonl.rejected.jsonl"
done
code=0
"$DRHOST" --plugin chat.so "$T/a.jsonl" 2>"$T/err" >&- || code=$?
[ $code = 1 ] || fail "exit code $code for results that nobody gets"
code=0
"$DRHOST" --plugin chat.so - >"$T/out" 2>"$T/err" <&- || code=$?
[ $code = 1 ] || fail "exit code $code without a standard input to read"

echo "- arrays, gzip, zstd: the same records"
sed 's/"src":"[^"]*"//;s/"source":"[^"]*"//;s/"id":"[^"]*"//' "$T/want" >"$T/want.plain"
{
    echo '['
    sed '$!s/$/,/' "$T/a.jsonl"
    echo ']'
} >"$T/array.json"
gzip -c "$T/a.jsonl" >"$T/a.gz"
cp "$T/a.jsonl" "$T/no-name-at-all"
set -- "$T/array.json" "$T/a.gz" "$T/no-name-at-all"
if command -v zstd >/dev/null; then
    zstd -q "$T/a.jsonl" -o "$T/a.zst"
    set -- "$@" "$T/a.zst"
fi
for file in "$@"; do
    run 0 --plugin chat.so "$file"
    sed 's/"src":"[^"]*"//;s/"source":"[^"]*"//;s/"id":"[^"]*"//' "$T/out" >"$T/plain"
    same "$T/want.plain" "$T/plain"
done
run 0 --plugin chat.so "$T/a.jsonl" -o "$T/o.jsonl.zst"
run 0 --plugin pretrain.so "$T/o.jsonl.zst"
lines "$T/out" 6

echo "- options"
run 2 --plugin chat.so --set trns=2 "$T/a.jsonl"
has "$T/err" '"trns"' 'turns'
run 2 --plugin chat.so --set empty=maybe "$T/a.jsonl"
has "$T/err" "empty" "maybe" "keep"
run 2 --plugin chat.so --set nobody.turns=2 "$T/a.jsonl"
has "$T/err" "nobody"
run 0 --plugin chat.so --plugin pretrain.so --set pretrain.key=text "$T/a.jsonl"
has "$T/out" '"text":"'
run 2 --plugin chat.so --ouput x
has "$T/err" "--output"
run 2 --plugin chat.so --fresh "$T/a.jsonl"
run 2
run 2 frobnicate
run 2 rum x
has "$T/err" 'did you mean run'
run 0 --help
has "$T/out" "usage: drhost" "--plugin" "Exit codes"
run 0 version
run 0 plugin show chat
has "$T/out" "turns"
run 0 plugin list
has "$T/out" chat ifd pretrain infer-openblas local
run 0 plugin list --json
has "$T/out" '"chat"'

echo "- scoring"
run 0 --plugin ifd.so --model "$MODEL" --set preset=same_tokens "$T/a.jsonl" -o "$T/scored.jsonl"
lines "$T/scored.jsonl" 6
[ "$(grep -c '"loss":\[[0-9.]*,[0-9.]*\],"ifd":[0-9.]*' "$T/scored.jsonl")" = 6 ] ||
    fail "not each record has its scores: $(head -n 1 "$T/scored.jsonl")"
run 0 --plugin chat.so --plugin ifd.so -m "$MODEL" --set ifd.preset=same_tokens "$T/a.jsonl" \
    -o "$T/both.jsonl"
same "$T/scored.jsonl" "$T/both.jsonl"
run 0 --plugin ifd.so -m "$MODEL" --set preset=same_tokens --backend infer-openblas "$T/a.jsonl" \
    -o "$T/both.jsonl"
same "$T/scored.jsonl" "$T/both.jsonl"
run 0 --plugin ifd.so -m "$MODEL" --set preset=same_tokens --set count=2 "$T/a.jsonl" -o "$T/two.jsonl"
lines "$T/two.jsonl" 2
grep -qxF -f "$T/two.jsonl" "$T/scored.jsonl" || fail "a cut changes records"
lines "$T/two.jsonl.rejected.jsonl" 4
has "$T/two.jsonl.rejected.jsonl" not_selected a.jsonl
run 2 --plugin ifd.so "$T/a.jsonl"
has "$T/err" "model" "--model"
run 2 --plugin ifd.so -m "$T/nowhere" "$T/a.jsonl"
has "$T/err" "$T/nowhere"
run 2 --plugin ifd.so -m "$MODEL" --backend infer-cuda "$T/a.jsonl"
has "$T/err" "infer-cuda"

echo "- where plugins are looked up"
[ -f "$OTHER" ] || fail "no $OTHER"
cp "$OTHER" "$T/cwd/hello_filter.so"
run 2 --plugin hello_filter.so "$T/want"
has "$T/err" "hello_filter.so" "./hello_filter.so"
run 0 --plugin ./hello_filter.so "$T/want"
n=$(wc -l <"$T/out")
[ "$n" -gt 0 ] || fail "hello_filter kept nothing"
same "$T/out" "$T/want"
run 0 --plugin ./hello_filter.so:hello_filter "$T/a.jsonl" -o "$T/hello.jsonl"
run 2 --plugin ./hello_filter.so:nothing "$T/a.jsonl"
has "$T/err" "nothing"
mkdir "$T/plugins"
mv "$T/cwd/hello_filter.so" "$T/plugins/"
run 0 --plugin hello_filter.so --plugin-path "$T/plugins" "$T/want"
DRHOST_PLUGIN_PATH=$T/plugins run 0 --plugin hello_filter.so "$T/want"
DRHOST_PLUGIN_PATH=$T/plugins run 0 plugin list
has "$T/out" hello_filter
run 2 --plugin "$T/a.jsonl" "$T/want"
has "$T/err" "a.jsonl"
run 2 --plugin "$T/none.so" "$T/want"
run 2 --plugin local.so "$T/want"
has "$T/err" "recipe"
run 2 --plugin infer-openblas.so "$T/want"
has "$T/err" "step"

echo "- a third party's stage in a recipe, by a path from the recipe"
mkdir "$T/r"
sources "$T/r/src" 4
recipe "$T/r/r.json" "$T/d" "$T/r/src"
cp -r "$T/plugins" "$T/r/plugins"
sed -i 's|{ "use": "chat" }|{ "use": "chat" }, { "use": "./plugins/hello_filter.so:hello_filter" }|' "$T/r/r.json"
run 0 check "$T/r/r.json"
run 0 run "$T/r/r.json"
has "$T/d/.drhost/v1/report.json" '"step":	"hello_filter"'
sed -i 's|/plugins/hello_filter|/plugins/hello_filer|' "$T/r/r.json"
run 2 check "$T/r/r.json"
has "$T/err" "hello_filer"

echo "- JSON for programs, exit codes"
run 2 --plugin chat.so --set trns=2 --json "$T/a.jsonl"
has "$T/out" '{"ok":false,"error":"config"'
run 1 --plugin chat.so "$T/none.jsonl"
has "$T/err" "$T/none.jsonl"
run 1 --plugin chat.so "$T/a.jsonl" -o "$T/a.jsonl/x"
has "$T/err" "a.jsonl"
yes '{"a":1}' | head -n 50 >"$T/dialect.jsonl"
run 3 --plugin chat.so "$T/dialect.jsonl" -o "$T/bad.jsonl"
has "$T/err" "every record is bad"
lines "$T/bad.jsonl.rejected.jsonl" 50
head -n 40 "$T/dialect.jsonl" | cat - "$T/a.jsonl" >"$T/mixed.jsonl"
run 0 --plugin chat.so "$T/mixed.jsonl"
run 3 --plugin chat.so "$T/mixed.jsonl" --max-bad 20
run 1 --plugin chat.so "$T/a.jsonl" -o /dev/full
has "$T/err" "/dev/full"
if [ -e /dev/full ]; then
    code=0
    "$DRHOST" --plugin chat.so "$T/a.jsonl" >/dev/full 2>"$T/err" || code=$?
    [ $code = 1 ] || fail "exit code $code when standard output is full"
fi
