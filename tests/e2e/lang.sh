#!/bin/sh
# SPDX-License-Identifier: MIT
# lang.sh - the stage lang from the command line and in a recipe: what is kept is what the labels
# say; the same for 1 and 4 workers; what is wrong is said before anything is read.
. "$(dirname "$0")/lib.sh"

# A record a language: its four sentences as the answer; tests/data/lang/README.md.
awk -F '\t' '/^[a-z]/ { text[$1] = text[$1] $2 " " }
    END { for (code in text)
        printf "{\"messages\":[{\"role\":\"user\",\"content\":\"?\"},{\"role\":\"assistant\",\"content\":\"%s\"}],\"label\":\"%s\"}\n", text[code], code
    }' "$DRH_SOURCE/tests/data/lang/samples.tsv" | LC_ALL=C sort >"$T/29"
lines "$T/29" 29
for i in 1 2 3 4 5 6 7 8 9 10; do cat "$T/29"; done >"$T/in.jsonl"

echo "- every language is told, by 1 and by 4 workers"
for jobs in 1 4; do
    run 0 --plugin lang "$T/in.jsonl" -o "$T/o.$jobs" -j $jobs
done
same "$T/o.1" "$T/o.4"
sed -E 's/.*"label":"(..)".*/\1/' "$T/o.1" >"$T/labels"
sed -E 's/.*"lang":"(..)".*/\1/' "$T/o.1" | tr A-Z a-z >"$T/told"
same "$T/labels" "$T/told"

echo "- a recipe that keeps two of them"
cat >"$T/r.json" <<END
{ "recipe": 1, "version": "v1", "data": "$T/d",
  "sources": [ { "use": "local", "path": "$T/in.jsonl", "domain": "A", "dataset": "one" } ],
  "preprocess": [ { "use": "chat" }, { "use": "lang", "keep": ["fr", "zh"] } ] }
END
run 0 run "$T/r.json"
cat "$T"/d/interim/v1/A/one/*.jsonl >"$T/left"
lines "$T/left" 20
[ "$(grep -c -e '"label":"fr"' -e '"label":"zh"' "$T/left")" = 20 ] || fail "others are left"
has "$T/d/.drhost/v1/report.json" '"lang":	270' '"balanced":	true'

echo "- what cannot be"
run 2 --plugin lang "$T/in.jsonl" --set 'keep=["english"]'
has "$T/err" '"english" is no language that can be told'
run 2 --plugin lang "$T/in.jsonl" --set "models=$T/cwd"
has "$T/err" "cwd/en.lm is not there; install Debian's libexttextcat-data"
: >"$T/cwd/en.lm"
run 2 --plugin lang "$T/in.jsonl" --set "models=$T/cwd" --set 'languages=["en","fr"]'
has "$T/err" "cwd/en.lm is no file, or empty"
run 2 --plugin lang "$T/in.jsonl" --set 'kepe=["en"]'
has "$T/err" "kepe" "keep"
