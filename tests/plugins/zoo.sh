#!/bin/sh
# SPDX-License-Identifier: MIT
# zoo.sh DRHOST ZOO - plugins of tests/zoo as single steps: the exit code, words of the message, how
# many records come out.  No animal but the one that says so may end the host by a signal.
set -eu
drhost=$1
zoo=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
bad=0
printf '{"a":1}\n{"a":2}\n' >in.jsonl

# animal NAME CODE RECORDS WORDS [OPTION...]
animal() {
    name=$1 code=$2 records=$3 words=$4
    shift 4
    for j in 1 2; do
        rm -f out* log
        got=0
        "$drhost" --plugin "$zoo/$name.so" -j$j "$@" in.jsonl -o out.jsonl >log 2>&1 || got=$?
        n=0
        [ ! -f out.jsonl ] || n=$(wc -l <out.jsonl)
        cat out* >>log 2>/dev/null || :
        if [ "$got" -ne "$code" ] || [ "$n" -ne "$records" ] || ! grep -q -e "$words" log ||
            grep -q 'Sanitizer\|runtime error' log; then
            echo "$name -j$j: exit $got, $n records; wanted $code, $records and \"$words\" in:" >&2
            cat log >&2
            bad=1
        fi
    done
}

animal good 0 2 '2 out'
animal fast_math 0 2 '2 out'
animal create_fails_silently 1 0 'gave no reason'
animal unknown_status 1 0 'unknown status 4711'
animal keeps_twice 0 2 '2 out'
animal never_settles 3 0 unsettled
animal bad_reason 3 0 unsettled
animal nan_scores 0 2 '2 out'
animal nan_scores 0 0 unscored --set top=0.5
animal nan_scores 0 0 unscored --set below=1
animal bad_schema 2 0 '\$ref'
animal broken_schema 2 0 schema
animal no_symbol 2 0 'drh_entry_v1'
animal wrong_major 2 0 'major\|rebuild'
animal needs_newer 2 0 newer
animal null_id 2 0 'stage 0: id'
animal no_process 2 0 process
animal both_shapes 2 0 'process'
animal init_fails 2 0 'no tail'
animal init_fails_silently 2 0 'without a reason'
animal unresolved_symbol 2 0 undefined
animal missing_dependency 2 0 'libzoo_gone\|cannot open'
exit $bad
