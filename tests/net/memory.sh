#!/bin/sh
# SPDX-License-Identifier: MIT
# memory.sh [POINTS] - a download in which allocation number N of the host or a plugin fails, or all from
# the Nth on: no crash, no hang, no report of a sanitizer; each file is whole or not there; the same command
# then goes on.  POINTS values of N; "all": each.
[ ! -w /dev/shm ] || export TMPDIR="${TMPDIR:-/dev/shm}"
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pull.sh"
POINTS=${1:-40}
export ASAN_OPTIONS="exitcode=99:detect_leaks=1:allocator_may_return_null=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="exitcode=99:print_stacktrace=1" TSAN_OPTIONS="exitcode=99"

cat >"$T/spec.json" <<'END'
{ "repos": [ { "hub": "both", "id": "o/d", "license": "mit", "files": [
    { "path": "README.md", "text": "# hi\n" }, { "path": "a/b.json", "text": "{}\n" }, { "path": "empty", "text": "" },
    { "path": "big.bin", "size": 9000000, "seed": 3, "kind": "lfs" } ] } ] }
END
hub_start "$T/spec.json"

# try FAULT - 0: the download was complete in spite of it
try() {
    rm -rf "$OUT"
    code=0
    DRHOST_FAULT=$1 timeout 60 "$DRHOST" pull "$SOURCE:o/d" --endpoint "$HUBURL" --local-dir "$OUT" $QUICK \
        --set services.http.connections=4 >"$T/out" 2>"$T/err" || code=$?
    case $code in
    0) ;;
    1 | 2 | 75) grep -q '^drhost: ' "$T/err" || fail "DRHOST_FAULT=$1: exit code $code without a message" ;;
    *) fail "DRHOST_FAULT=$1: exit code $code" ;;
    esac
    ! grep -qE 'Sanitizer|runtime error|crashed' "$T/err" || fail "DRHOST_FAULT=$1"
    for file in README.md a/b.json empty big.bin; do
        if [ -e "$OUT/$file" ]; then
            cmp -s "$T/good/$file" "$OUT/$file" || fail "DRHOST_FAULT=$1: $file is not whole"
        elif [ $code = 0 ]; then
            fail "DRHOST_FAULT=$1: exit code 0 without $file"
        fi
    done
    return $code
}

for hub in hf ms; do
    from $hub
    rm -rf "$T/good"
    OUT=$T/good
    pull 0 o/d
    whole o/d
    OUT=$T/swept
    total=64
    while ! (try alloc:$total+) >/dev/null 2>&1; do
        total=$((total * 2))
        [ $total -lt 10000000 ] || fail "it never gets through"
    done
    step=1
    [ "$POINTS" = all ] || step=$((total / POINTS + 1))
    n=1 tried=0 survived=0
    while [ $n -le $total ]; do
        try "alloc:$n" && survived=$((survived + 1))
        [ $((tried % 2)) = 0 ] || try "alloc:$n+" || true
        if [ $((tried % 8)) = 0 ]; then
            pull 0 o/d
            whole o/d
        fi
        tried=$((tried + 1))
        n=$((n + step))
    done
    echo "- $hub: $tried of about $total allocations refused; $survived downloads were complete in spite of it"
    [ $tried -gt 3 ] && [ $survived -lt $tried ] || fail "no fault was felt"
done
hub_stop
