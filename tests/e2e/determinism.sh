#!/bin/sh
# SPDX-License-Identifier: MIT
# determinism.sh - 1, 2 and 8 workers, and another locale, give the same bytes; with the tiny model
# and with a random one of width 768 (at 192 sums of floats hide what the number of rows changes).
. "$(dirname "$0")/lib.sh"
"$DRH_BUILD/tests/make_model" "$T/wide" --width 768 --layers 2 --seed 1 >/dev/null

# Short and long records in turn, so that packs and batches differ.
mkdir "$T/src"
rows 40 1 >"$T/src/one.jsonl"
head -n 8 "$DRH_SOURCE/examples/data/messages.jsonl" >"$T/src/two.jsonl"
rows 40 2 >>"$T/src/two.jsonl"
rows 60 3 >"$T/src/bad.jsonl"
echo 'bad' >>"$T/src/bad.jsonl"
recipe "$T/tiny.json" "$T/d" "$T/src"
recipe "$T/wide.json" "$T/d" "$T/src" "$T/wide"
other=$(locale -a 2>/dev/null | grep -i -m 1 '^de_DE.utf-\?8$' || true)
[ -n "$other" ] || echo "- no locale de_DE.UTF-8 here: left out"

# again NAME LIMIT OPTION... - runs NAME.json into a folder of its own; the first is the measure.
again() {
    name=$1
    limit=$2
    shift 2
    echo "- $name $* ${LC_ALL:-}"
    rm -rf "$T/d"
    run 0 run "$T/$name.json" --limit "$limit" --set part_records=30 "$@"
    results "$T/d" v1 >"$T/got"
    [ -f "$T/$name.want" ] || cp "$T/got" "$T/$name.want"
    same "$T/$name.want" "$T/got"
}

for jobs in 1 2 8; do
    again tiny 1000 -j $jobs
    again wide 16 -j $jobs
done
if [ -n "$other" ]; then
    LC_ALL=$other again tiny 1000 -j 2
fi
# The model matters, or nothing was shown.
if cmp -s "$T/tiny.want" "$T/wide.want"; then
    fail "both models give the same results"
fi
