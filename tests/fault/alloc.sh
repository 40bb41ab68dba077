#!/bin/sh
# SPDX-License-Identifier: MIT
# alloc.sh [POINTS [SCORED]] - a whole run in which allocation number N of the host fails, or all from
# the Nth on: no crash, no report of a sanitizer, a message or success; results are complete or not
# there; the same command then goes on.  POINTS values of N for a recipe without a model, SCORED for
# one with ifd, one that sees all records first (dedup), and one with a reader and a converter that
# writes bytes; "all": each.
[ ! -w /dev/shm ] || export TMPDIR="${TMPDIR:-/dev/shm}" # hundreds of runs with fsync
. "$(dirname "$0")/../e2e/lib.sh"
POINTS=${1:-100}
SCORED=${2:-30}
# Exit codes of their own, so that they cannot be taken for the program's.
export ASAN_OPTIONS="exitcode=99:detect_leaks=1:allocator_may_return_null=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="exitcode=99:print_stacktrace=1" TSAN_OPTIONS="exitcode=99"

sources "$T/src" 3
recipe "$T/scored.json" "$T/d" "$T/src"
grep -v '"use": "ifd"' "$T/scored.json" >"$T/plain.json"
sed 's/{ "use": "chat" }/&, { "use": "dedup", "method": "minhash" }/' "$T/plain.json" >"$T/all.json"
FAKES=$DRH_BUILD/tests/plugins
"$FAKES/make_tiny" 1 40 9 >"$T/src/tiny.bin"
cat >"$T/bytes.json" <<END
{ "recipe": 1, "version": "v1", "data": "$T/d", "part_records": 25,
  "sources": [ { "use": "local", "path": "$T/src/tiny.bin", "domain": "Math", "dataset": "one" },
    { "use": "local", "path": "$T/src/tiny.bin", "domain": "General", "dataset": "two",
      "reader": { "use": "tiny-pinned", "suffix": "?" } } ],
  "preprocess": [ { "use": "chat" } ],
  "convert": [ { "use": "pretrain" }, { "use": "pair" } ] }
END

# try NAME FAULT - 0: the run was complete in spite of it
try() {
    rm -rf "$T/d"
    code=0
    DRHOST_FAULT=$2 "$DRHOST" run "$T/$1.json" -j 2 --plugin-path "$FAKES" \
        --plugin-path "$FAKES/readers" >"$T/out" 2>"$T/err" || code=$?
    case $code in
    0) ;;
    1 | 2 | 3 | 75)
        grep -q '^drhost: ' "$T/err" || fail "$1, DRHOST_FAULT=$2: exit code $code without a message"
        ;;
    *) fail "$1, DRHOST_FAULT=$2: exit code $code" ;;
    esac
    ! grep -qE 'Sanitizer|runtime error|crashed|do not balance|BROKEN' "$T/err" || fail "$1, DRHOST_FAULT=$2"
    for file in $(cat "$T/files.$1"); do
        if [ -e "$T/d/$file" ]; then
            cmp -s "$T/want.$1/$file" "$T/d/$file" || fail "$1, DRHOST_FAULT=$2: $file is not complete"
        elif [ $code = 0 ]; then
            fail "$1, DRHOST_FAULT=$2: exit code 0 without $file"
        fi
    done
    return $code
}

again() { # NAME - without a fault
    run 0 run "$T/$1.json" -j 2 --plugin-path "$FAKES" --plugin-path "$FAKES/readers"
}

# sweep NAME POINTS
sweep() {
    rm -rf "$T/d"
    again "$1"
    cp -r "$T/d" "$T/want.$1"
    (cd "$T/d" && find interim processed -type f) >"$T/files.$1"
    total=1024
    while ! (try "$1" alloc:$total+) >/dev/null 2>&1; do
        total=$((total * 2))
        [ $total -lt 100000000 ] || fail "$1 never gets through"
    done
    low=$((total / 2))
    while [ $((total - low)) -gt $((total / 50 + 1)) ]; do
        middle=$(((low + total) / 2))
        if (try "$1" alloc:$middle+) >/dev/null 2>&1; then
            total=$middle
        else
            low=$middle
        fi
    done
    step=1
    [ "$2" = all ] || step=$((total / $2 + 1))
    n=1
    tried=0
    survived=0
    while [ $n -le $total ]; do
        try "$1" "alloc:$n" && survived=$((survived + 1))
        # Every other point, all from there on; every eighth goes on without a fault.
        [ $((tried % 2)) = 0 ] || try "$1" "alloc:$n+" || true
        if [ $((tried % 8)) = 0 ]; then
            again "$1"
            for file in $(grep ^processed "$T/files.$1"); do
                same "$T/want.$1/$file" "$T/d/$file"
            done
        fi
        tried=$((tried + 1))
        n=$((n + step))
    done
    echo "- $1: $tried of about $total allocations refused; $survived runs were complete in spite of it"
    [ $tried -gt 3 ] && [ $survived -lt $tried ] || fail "no fault was felt"
}

sweep plain "$POINTS"
sweep scored "$SCORED"
sweep all "$SCORED"
sweep bytes "$SCORED"
