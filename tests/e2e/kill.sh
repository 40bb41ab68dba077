#!/bin/sh
# SPDX-License-Identifier: MIT
# kill.sh [N [WIDE_N [SEED]]] - kill -9 at N random moments of a run, the same command again each
# time: in the end the same bytes as without.  Then WIDE_N times with a model of width 768.  Then
# SIGTERM: stops soon with code 4, and goes on.  By hand: kill.sh 50 20.
. "$(dirname "$0")/lib.sh"
N=${1:-6}
WIDE_N=${2:-3}
SEED=${3:-$(date +%s)}
echo "- seed $SEED: kill.sh $N $WIDE_N $SEED"
"$DRH_BUILD/tests/make_model" "$T/wide" --width 768 --layers 2 --seed 1 >/dev/null

mkdir "$T/src"
for one in one two bad; do
    rows 100 ${#one}1 >"$T/src/$one.jsonl"
    head -n 3 "$DRH_SOURCE/examples/data/messages.jsonl" >>"$T/src/$one.jsonl"
done
echo bad >>"$T/src/bad.jsonl"
recipe "$T/tiny.json" "$T/d" "$T/src"
recipe "$T/wide.json" "$T/d" "$T/src" "$T/wide"

now() { # in milliseconds
    echo $(($(date +%s%N) / 1000000))
}

# start OPTION... - drhost run in the background, in $pid
start() {
    "$DRHOST" run "$@" -j 2 -q >"$T/out" 2>"$T/err" &
    pid=$!
}

# finish WANT - of a run that ended by itself
finish() {
    code=0
    wait "$pid" || code=$?
    pid=
    [ "$code" = 0 ] || fail "exit code $code"
    results "$T/d" v1 >"$T/got"
    same "$1" "$T/got"
    [ -z "$(find "$T/d" -name '*.tmp-*')" ] || fail "temporary files are left"
    [ -z "$(find "$T/d/.drhost/v1/journal" -type f)" ] || fail "journals are left"
    grep -q '"balanced":	true' "$T/d/.drhost/v1/report.json" || fail "the report does not balance"
}

# random MAX - $delay: milliseconds below MAX, as seconds
random() {
    SEED=$((SEED % 2147483647 * 16807 % 2147483647))
    delay=$(awk -v s="$SEED" -v m="$1" 'BEGIN { printf "%.3f\n", s % 100003 / 100003 * m / 1000 }')
}

# torment NAME N
torment() {
    rm -rf "$T/d"
    from=$(now)
    start "$T/$1.json"
    wait "$pid" || fail "the undisturbed run failed"
    took=$(($(now) - from))
    results "$T/d" v1 >"$T/$1.want"
    rm -rf "$T/d"
    killed=0
    runs=0
    while [ "$killed" -lt "$2" ]; do
        random "$took"
        start "$T/$1.json"
        sleep "$delay"
        if ! kill -9 "$pid" 2>/dev/null; then
            finish "$T/$1.want"
            rm -rf "$T/d"
        else
            code=0
            wait "$pid" 2>/dev/null || code=$?
            [ "$code" = 137 ] || [ "$code" = 0 ] || fail "exit code $code"
            [ "$code" = 0 ] || killed=$((killed + 1))
        fi
        runs=$((runs + 1))
        [ $runs -lt $((10 * $2 + 20)) ] || fail "only $killed of $runs runs could be killed"
    done
    start "$T/$1.json"
    finish "$T/$1.want"
    echo "- $1: killed $killed of $runs runs; one takes $took ms; the same bytes"
}

torment wide "$WIDE_N"
torment tiny "$N"

# SIGTERM while the model is at work.
rm -rf "$T/d"
start "$T/tiny.json"
tries=0
while [ -z "$(find "$T/d/.drhost/v1/journal" -type f -size +0 2>/dev/null)" ]; do
    tries=$((tries + 1))
    [ $tries -lt 3000 ] || fail "no journal after half a minute"
    sleep 0.01
done
kill -TERM "$pid"
from=$(now)
code=0
wait "$pid" || code=$?
took=$(($(now) - from))
[ "$code" = 4 ] || fail "exit code $code after SIGTERM instead of 4"
# A second is the promise; this machine may have much else to do.
[ $took -lt 5000 ] || fail "SIGTERM took $took ms"
grep -q '"state":	"stopped"' "$T/d/.drhost/v1/report.json" || fail "the report does not say so"
run 0 status "$T/d"
has "$T/out" stopped
echo "- SIGTERM: stopped after $took ms"
start "$T/tiny.json" --resume=strict
finish "$T/tiny.want"
