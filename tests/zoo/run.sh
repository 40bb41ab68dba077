#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh DRHOST ZOO PLUGINS - plugins that load and then misbehave, in a small recipe.  For each: the
# exit code, words of the message, and how many records come out; the host may not crash.
set -eu
drhost=$1
zoo=$2
PLUGINS=$3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
bad=0
printf '%s\n' '{"conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}]}' \
    '{"conversations":[{"from":"human","value":"c"},{"from":"gpt","value":"d"}]}' >in.jsonl

# animal STEPS CODE RECORDS WORDS - STEPS are the members between sources and convert.
animal() {
    rm -rf data
    cat >recipe.json <<EOF
{ "recipe": 1, "version": "v1", "data": "data",
  "sources": [ { "use": "local", "path": "in.jsonl", "domain": "D", "dataset": "d" } ],
  $1,
  "convert": [ { "use": "pretrain" } ] }
EOF
    code=0
    "$drhost" run --plugin-path "$PLUGINS" recipe.json >log 2>&1 || code=$?
    records=0
    [ ! -f data/processed/v1/D.jsonl ] || records=$(wc -l <data/processed/v1/D.jsonl)
    if [ "$code" -ne "$2" ] || [ "$records" -ne "$3" ] || ! cat log $(find . -name '*.jsonl') | grep -q "$4"
    then
        echo "$1: exit $code, $records records; wanted $2, $3 and \"$4\" in:" >&2
        cat log $(find . -path '*rejected*' -type f) >&2
        bad=1
    fi
}
prep() { animal "\"preprocess\": [ { \"use\": \"$zoo/$1.so\" } ]" "$2" "$3" "$4"; }

prep good 0 2 content
prep newer_tail 3 0 unsettled
prep create_fails_silently 1 0 'gave no reason'
prep unknown_status 1 0 'unknown status 4711'
prep keeps_twice 0 2 content
prep never_settles 3 0 unsettled
prep bad_reason 3 0 unsettled
prep bad_schema 2 0 '\$ref'
prep broken_schema 2 0 schema
prep null_id 2 0 'stage 0: id: NULL'
prep init_fails 2 0 'no tail'
animal "\"select\": [ { \"use\": \"$zoo/nan_scores.so\" } ]" 0 2 content
animal "\"select\": [ { \"use\": \"$zoo/nan_scores.so\", \"top\": 0.5 } ]" 0 0 unscored

# Readers that cannot be used: said when a file is in no known format, and when they are named.
printf 'FEA1....' >train.feather
reader() { # NAME WORDS
    mkdir only
    cp "$zoo/$1.so" only/
    for how in "--plugin-path only" "--plugin only/$1.so"; do
        code=0
        # shellcheck disable=SC2086
        "$drhost" --plugin "$PLUGINS/chat.so" $how train.feather >log 2>&1 || code=$?
        if [ "$code" -ne 2 ] || ! grep -q "$2" log; then
            echo "$1, $how: exit $code; wanted 2 and \"$2\" in:" >&2
            cat log >&2
            bad=1
        fi
    done
    rm -r only
}
reader reader_fails 'no table of shapes'
reader reader_needs 'asks for the service drh.infer/1'

# Sources that stand for another one.
stands() { # NAME TEXT
    printf '{"recipe":1,"sources":[{"use":"%s"}]}' "$1" >stands.json
    mkdir only
    cp "$zoo/$1.so" only/
    code=0
    "$drhost" check --plugin-path only --plugin-path "$PLUGINS" stands.json >log 2>&1 || code=$?
    if [ "$code" -ne 2 ] || ! grep -q "$2" log; then
        echo "$1: exit $code; wanted 2 and \"$2\" in:" >&2
        cat log >&2
        bad=1
    fi
    rm -r only
}
stands stands_badly '/sources/0: what stands_badly stands for: entry:'
stands stands_named '/sources/0: what stands_named stands for: /id: is for the recipe to say'
stands stands_wrong '/sources/0: what stands_wrong stands for: .*/or: must be'
stands stands_nobody '/sources/0: nobody: find: no such source'
stands stands_itself '/sources/0: stands for stands_itself, which stands for another one'
stands stands_empty '/sources/0: what stands_empty stands for'
stands stands_mute '/sources/0: .*stands_mute'

# One that claims every file: JSON stays with the host, unless the user gave it.
mkdir only
cp "$zoo/reader_all.so" only/
claims() { # FILE RECORDS OPTION...
    file=$1 records=$2
    shift 2
    "$drhost" --plugin "$PLUGINS/chat.so" "$@" $file >out 2>log || :
    if [ "$(wc -l <out)" -ne "$records" ] || ! grep -q 'read: ' log; then
        echo "reader_all, $*: $(wc -l <out) records of $file instead of $records" >&2
        bad=1
    fi
}
claims in.jsonl 2 --plugin-path only
claims in.jsonl 0 --plugin only/reader_all.so
claims train.feather 0 --plugin-path only
exit $bad
