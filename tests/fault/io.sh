#!/bin/sh
# SPDX-License-Identifier: MIT
# io.sh - a whole run in which one call of open, write, fsync or rename fails, or all
# from one on (a full disk): an error that names a file, results complete or not there; the same
# command then goes on.  A single step, too.
[ ! -w /dev/shm ] || export TMPDIR="${TMPDIR:-/dev/shm}"
. "$(dirname "$0")/../e2e/lib.sh"
case $DRH_SANITIZE in
*thread*) skip "not with this sanitizer" ;;
esac
PRELOAD=$DRH_BUILD/tests/fault/faultio.so
[ -f "$PRELOAD" ] || fail "no $PRELOAD"
# The sanitizer's own library wants to come first, but works behind this one.
export ASAN_OPTIONS="exitcode=99:verify_asan_link_order=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="exitcode=99"
export FAULTIO_UNDER="$T/d" FAULTIO_FELT="$T/felt"

sources "$T/src" 3
recipe "$T/scored.json" "$T/d" "$T/src"
grep -v '"use": "ifd"' "$T/scored.json" >"$T/r.json"
run 0 run "$T/r.json" -j 2
cp -r "$T/d" "$T/want"

# attempt FAULT ARGUMENT... - exit code in $code; $felt: whether the fault came about
attempt() {
    fault=$1
    shift
    rm -rf "$T/d" "$T/felt"
    mkdir "$T/d"
    code=0
    FAULTIO=$fault LD_PRELOAD=$PRELOAD "$DRHOST" "$@" >"$T/out" 2>"$T/err" || code=$?
    felt=false
    [ ! -e "$T/felt" ] || felt=true
    case $code in
    0 | 1) ;;
    *) fail "FAULTIO=$fault: exit code $code" ;;
    esac
    ! grep -qE 'Sanitizer|runtime error|crashed' "$T/err" || fail "FAULTIO=$fault"
    $felt || [ $code = 0 ] || fail "FAULTIO=$fault: failed for another reason"
    case $($felt && cat "$T/felt") in
    */interim/*.tmp-* | */processed/*.tmp-* | */.drhost/*.tmp-*)
        [ $code = 1 ] || fail "FAULTIO=$fault: $(cat "$T/felt") could not be kept, but the exit code is 0"
        ;;
    esac
}

whole() { # GOT WANT
    if [ -e "$1" ]; then
        cmp -s "$1" "$2" || fail "FAULTIO=$fault: $1 is not complete"
    elif [ $code = 0 ]; then
        fail "FAULTIO=$fault: exit code 0 without $1"
    fi
}

# A file of this folder is named, or a temporary's final name.
names_file() {
    grep -q "^drhost: .*$T/d" "$T/err" || fail "FAULTIO=$fault: no file is named"
}

total=0
for call in open write fsync rename; do
    for kind in EIO ENOSPC+; do
        n=1
        while :; do
            attempt "$call:$n:$kind" run "$T/r.json" -j 2
            for file in interim/v1/Math/one/part-000.jsonl interim/v1/General/two/part-000.jsonl \
                processed/v1/Math.jsonl processed/v1/General.jsonl; do
                whole "$T/d/$file" "$T/want/$file"
            done
            [ $code = 0 ] || names_file
            if [ $((n % 4)) = 1 ]; then
                run 0 run "$T/r.json" -j 2
                same "$T/want/processed/v1/General.jsonl" "$T/d/processed/v1/General.jsonl"
                [ -z "$(find "$T/d" -name '*.tmp-*')" ] || fail "FAULTIO=$fault: temporary files are left"
            fi
            $felt || break
            n=$((n + 1))
            total=$((total + 1))
        done
        echo "- $call $kind: $((n - 1)) points"
    done
done
[ $total -gt 40 ] || fail "only $total faults were felt"

# A converter with two files a domain: both are there and whole, or none.
cat >"$T/b.json" <<END
{ "recipe": 1, "version": "v1", "data": "$T/d",
  "sources": [ { "use": "local", "path": "$T/src/one.jsonl", "domain": "Math", "dataset": "one" } ],
  "preprocess": [ { "use": "chat" } ], "convert": [ { "use": "pretrain" }, { "use": "pair" } ] }
END
set -- run "$T/b.json" --plugin-path "$DRH_BUILD/tests/plugins"
rm -rf "$T/want" "$T/d"
run 0 "$@"
cp -r "$T/d" "$T/want"
for call in open write fsync rename; do
    n=1
    while :; do
        attempt "$call:$n:EIO" "$@"
        P=$T/d/processed/v1
        whole "$P/Math.bin" "$T/want/processed/v1/Math.bin"
        whole "$P/Math.idx" "$T/want/processed/v1/Math.idx"
        [ -e "$P/Math.bin" ] && [ -e "$P/Math.idx" ] || [ ! -e "$P/Math.bin" -a ! -e "$P/Math.idx" ] ||
            fail "FAULTIO=$fault: half a set"
        [ $code = 0 ] || names_file
        run 0 "$@"
        same "$T/want/processed/v1/Math.idx" "$P/Math.idx"
        $felt || break
        n=$((n + 1))
    done
    echo "- two files, $call: $((n - 1)) points"
done

# Killed at each rename while an older set is there: never one file of each.
rm -rf "$T/old" "$T/d"
run 0 "$@" --set pair.every=2 --max-bad 100
cp -r "$T/d" "$T/old"
n=1
while :; do
    rm -rf "$T/d" "$T/felt"
    cp -rp "$T/old" "$T/d"
    code=0
    FAULTIO=rename:$n:KILL LD_PRELOAD=$PRELOAD "$DRHOST" "$@" >"$T/out" 2>"$T/err" || code=$?
    [ -e "$T/felt" ] || break
    [ $code = 137 ] || fail "killed at rename $n: exit code $code"
    for one in bin idx; do
        version=
        [ ! -e "$P/Math.$one" ] || version=new
        ! cmp -s "$P/Math.$one" "$T/old/processed/v1/Math.$one" || version=old
        eval "$one=$version"
    done
    [ -z "$bin" ] || [ -z "$idx" ] || [ "$bin" = "$idx" ] ||
        fail "killed at rename $n: the .bin is $bin, the .idx $idx"
    run 0 "$@"
    same "$T/want/processed/v1/Math.bin" "$P/Math.bin"
    same "$T/want/processed/v1/Math.idx" "$P/Math.idx"
    n=$((n + 1))
done
[ $code = 0 ] && [ $n -gt 4 ] || fail "exit code $code, $n kills"
echo "- two files, killed: $((n - 1)) points"

run 0 --plugin chat.so "$T/src/one.jsonl" -o "$T/want.jsonl"
for call in open write fsync rename; do
    n=1
    while :; do
        attempt "$call:$n:ENOSPC" --plugin chat.so "$T/src/one.jsonl" -o "$T/d/o.jsonl"
        whole "$T/d/o.jsonl" "$T/want.jsonl"
        [ $code = 0 ] || names_file
        $felt || break
        n=$((n + 1))
    done
done
