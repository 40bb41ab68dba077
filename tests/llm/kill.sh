#!/bin/sh
# SPDX-License-Identifier: MIT
# kill.sh [N] - kill -9 at N random moments of a run over a server; what comes out is what an
# undisturbed run gives, and no more is paid again than what was under way.  By hand: kill.sh 50.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"

N=${1:-6} FLIGHT=16 RECORDS=150
llm_start --profile vllm --latency 20
slots "$T/r.json" $RECORDS ", \"max_concurrency\": $FLIGHT"
recipe_run 0 "$T/r.json"
made >"$T/first"
total=$(paid | sort -u | wc -l)
llm_stop

echo "- killed $N times"
rm -rf "$T/data"
llm_start --profile vllm --latency 20
slots "$T/r.json" $RECORDS ", \"max_concurrency\": $FLIGHT"
killed=0 tries=0
while [ $killed -lt "$N" ] && [ $tries -lt $((N * 4)) ]; do
    tries=$((tries + 1))
    "$DRHOST" run --plugin-path "$FAKES" --plugin-path "$DRH_BUILD/plugins" -q "$T/r.json" \
        >"$T/out" 2>"$T/err" &
    pid=$!
    sleep "0.$(awk -v seed="$tries" 'BEGIN { srand(seed * 7919); printf "%03d", 100 + int(rand() * 400) }')"
    code=0
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || code=$?
    if [ $code -eq 0 ]; then # it had ended: begin anew
        made >"$T/now"
        same "$T/first" "$T/now"
        rm -rf "$T/data"
        continue
    fi
    killed=$((killed + 1))
done
[ $killed -eq "$N" ] || fail "killed $killed times only"
recipe_run 0 "$T/r.json"
made >"$T/now"
same "$T/first" "$T/now"
balanced
again=$(paid | sort | uniq -c | awk '{ n += $1 - 1 } END { print n + 0 }')
starts=$((tries + 1))
# each start asks a few questions of what the server can do; a run that ended pays for all anew
[ "$again" -le $((killed * FLIGHT + starts * 8 + (tries - killed) * total)) ] ||
    fail "$again answers were paid twice by $killed kills with $FLIGHT requests at once"
llm_stop
