#!/bin/sh
# SPDX-License-Identifier: MIT
# budget.sh - tokens, money and time: never more than allowed, what is whole is there, exit 4, and a
# larger budget goes on from there.  A signal: requests are let go, and nothing that came is lost.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"

short='--set two-call.max_tokens=40'
set_infer='--set services.infer'

# spent - "IN OUT": what the program says that it has spent.
spent() {
    sed -n 's/.* requests, \([0-9]*\) tokens in, \([0-9]*\) out.*/\1 \2/p' "$T/err"
}

llm_start --profile vllm --latency 5
slots "$T/r.json" 200
# shellcheck disable=SC2086
recipe_run 0 "$T/r.json" $short
made >"$T/first"
whole=$(spent)
echo "- all of it: $whole tokens"

# stopped WHAT - after a run that ended with exit 4: some records, and they are the whole run's.
stopped() {
    has "$T/err" 'stopped: ' 'the same command goes on from here'
    balanced
    n=$(wc -l <"$T/data/interim/v1/D/s/part-000.jsonl")
    [ "$n" -gt 5 ] && [ "$n" -lt 200 ] || fail "$1: $n records"
    lines "$T/data/processed/v1/D.jsonl" "$n"
    sort "$T/data/interim/v1/D/s/part-000.jsonl" >"$T/some"
    grep conversations "$T/first" | sort >"$T/all"
    [ -z "$(comm -23 "$T/some" "$T/all")" ] || fail "$1: a record that the whole run does not have"
    : >"$LLM_LOG"
}

goes_on() { # WHAT
    # shellcheck disable=SC2086
    recipe_run 0 "$T/r.json" $short
    made >"$T/now"
    same "$T/first" "$T/now"
    again=$(paid | wc -l)
    [ "$again" -lt 390 ] || fail "$1: $again answers were asked for again"
}

for budget in 2500 4000; do
    echo "- $budget tokens"
    rm -rf "$T/data"
    # shellcheck disable=SC2086
    recipe_run 4 "$T/r.json" $short $set_infer.budget_tokens=$budget
    spent >"$T/spent"
    read -r in out <"$T/spent"
    [ $((in + out)) -le $budget ] || fail "$in + $out tokens of $budget"
    [ $((in + out)) -ge $((budget - 300)) ] || fail "only $in + $out tokens of $budget were used"
    has "$T/err" "the $budget tokens of budget_tokens"
    stopped "$budget tokens"
    goes_on "$budget tokens"
done

echo "- money: 3 a million tokens in, 15 a million out"
rm -rf "$T/data"
prices="$set_infer.price_in=3 $set_infer.price_out=15"
# shellcheck disable=SC2086
recipe_run 4 "$T/r.json" $short $prices $set_infer.budget_money=0.05
spent >"$T/spent"
read -r in out <"$T/spent"
awk -v i="$in" -v o="$out" 'BEGIN { c = (3 * i + 15 * o) / 1e6; exit !(c <= 0.05 && c >= 0.046) }' ||
    fail "$in and $out tokens are not the worth of 0.05"
awk -v i="$in" -v o="$out" 'BEGIN { printf "cost %.6g\n", (3 * i + 15 * o) / 1e6 }' >"$T/cost"
has "$T/err" "$(cat "$T/cost")" 'budget_money'
stopped money
goes_on money
# shellcheck disable=SC2086
recipe_run 2 "$T/r.json" $short $set_infer.budget_money=0.05
has "$T/err" 'price_in'
llm_stop

echo "- time"
llm_start --profile vllm --latency 150
slots "$T/r.json" 200
rm -rf "$T/data"
# shellcheck disable=SC2086
recipe_run 4 "$T/r.json" $short $set_infer.budget_seconds=2 $set_infer.max_concurrency=16
has "$T/err" 'budget_seconds are over'
stopped time
llm_stop

echo "- a signal while all hangs: the server sees that nobody listens any more"
for kind in vllm llamacpp; do # as a whole; streamed
    rm -rf "$T/data"
    # six questions of what it can do, a record or two, then silence
    llm_start --profile $kind --rules '[{"path":"completions","from":30,"action":"hang"}]'
    slots "$T/r.json" 200
    "$DRHOST" run --plugin-path "$FAKES" --plugin-path "$DRH_BUILD/plugins" -q "$T/r.json" \
        >"$T/out" 2>"$T/err" &
    pid=$!
    tries=0
    until [ "$(wc -l <"$LLM_LOG")" -ge 29 ] || [ $tries -gt 400 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
    sleep 0.3
    kill -TERM $pid
    code=0
    wait $pid || code=$?
    pid=
    [ $code = 4 ] || fail "exit code $code after a signal"
    hasnt "$T/err" 'did not give back'
    tries=0
    until grep -q '"end":"left"' "$LLM_LOG" || [ $tries -gt 100 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
    [ "$(grep -c '"fault":"hang","end":"left"' "$LLM_LOG")" -ge 10 ] ||
        fail "requests were not let go: $(tail -n 3 "$LLM_LOG")"
    paid | sort >"$T/before"
    llm_stop
    llm_start --profile $kind
    slots "$T/r.json" 200
    recipe_run 0 "$T/r.json"
    lines "$T/data/interim/v1/D/s/part-000.jsonl" 200
    # but for the questions of what it can do nothing that came is asked for again
    paid | sort | comm -12 - "$T/before" >"$T/both"
    [ "$(wc -l <"$T/both")" -le 3 ] || fail "$(wc -l <"$T/both") answers were paid twice"
    llm_stop
done

echo "- the key: nowhere"
export LLM_KEY=key-canary-4711
llm_start --profile vllm --key key-canary-4711
slots "$T/r.json" 60 ', "key": "env:LLM_KEY"'
rm -rf "$T/data"
"$DRHOST" run --plugin-path "$FAKES" --plugin-path "$DRH_BUILD/plugins" -v "$T/r.json" \
    $set_infer.budget_tokens=1500 --set two-call.max_tokens=40 >"$T/out" 2>"$T/err" &
pid=$!
# while it runs: not in its arguments
! tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q canary || fail "the key is in the process list"
code=0
wait $pid || code=$?
pid=
[ $code = 4 ] || fail "exit code $code"
recipe_run 0 "$T/r.json" -v
llm_stop
llm_start --profile vllm --key other # which repeats the wrong key in its answer
slots "$T/r.json" 60 ', "key": "env:LLM_KEY"'
cp "$T/err" "$T/err1"
recipe_run 1 "$T/r.json" -v --fresh
has "$T/err" 'the key is refused (401)'
! grep -rq canary "$T/data" "$T/err" "$T/err1" "$T/out" || fail "the key is in a file or in the log"
llm_stop
