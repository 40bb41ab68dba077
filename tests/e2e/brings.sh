#!/bin/sh
# SPDX-License-Identifier: MIT
# brings.sh - drhost pull of a source that brings its files itself: the host verifies them, stays in the
# folder, and knows what is missing.
. "$(dirname "$0")/lib.sh"

bring() { # CODE HOW [OPTION...] - into $OUT
    want=$1
    how=$2
    shift 2
    run "$want" pull --plugin "$DRH_BUILD/tests/plugins/brings.so" "brings:$how" --local-dir "$OUT" --no-progress "$@"
}
came() { # N - so many files are there, and no temporary
    n=$(find "$OUT" -name '*.json' | wc -l)
    [ "$n" = "$1" ] || fail "$n files instead of $1"
    [ ! -e "$OUT/.cache/drhost/fetch.part" ] || fail "a temporary is left"
}

echo "- verified, and not brought again"
OUT=$T/right
bring 0 right
has "$T/err" "6 files verified" "6 brought now"
came 6
bring 0 right
has "$T/err" "6 files verified, all there already"

echo "- another size, another digest, no file at all"
for how in long other nothing; do
    OUT=$T/$how
    bring 1 $how
    came 0
done
OUT=$T/long
bring 1 long
has "$T/err" "d/f0.json: it has 13 bytes, and the source says 6"
bring 1 other
has "$T/err" "d/f0.json: it has the git id " "d/f1.json: it has the SHA-256 "
bring 1 nothing
has "$T/err" "wrote nothing"

echo "- a source that lists no digests is not called verified"
OUT=$T/unknown
bring 0 unknown
has "$T/err" "6 files, of which 6 could not be verified"

echo "- links in the way"
mkdir -p "$T/links/.cache/drhost" "$T/elsewhere"
ln -s ../elsewhere "$T/links/d"
ln -s ../../../elsewhere/part "$T/links/.cache/drhost/fetch.part"
OUT=$T/links
bring 1 right
has "$T/err" 'd/f0.json: "d" on its way is a symbolic link'
[ -z "$(ls -A "$T/elsewhere")" ] || fail "written through a link: $(ls -A "$T/elsewhere")"
[ -e "$OUT/e/f3.json" ] || fail "the other files did not come"

echo "- stopped half way: what is missing is not called complete"
OUT=$T/stops
bring 4 stops
came 3
has "$OUT/.cache/drhost/manifest.jsonl" '"complete":false'
bring 0 right
has "$T/err" "6 files verified; 3 brought now"
has "$OUT/.cache/drhost/manifest.jsonl" '"complete":true'
