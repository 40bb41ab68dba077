#!/bin/sh
# SPDX-License-Identifier: MIT
# async.sh DRHOST TEST_PLUGINS PLUGINS PART - inference as stages and backends see it: equal bytes
# whatever the delays, workers and kills; back-pressure, faults, cancellation; each in its own part.
set -eu
drhost=$1
fakes=$2
plugins=$3
part=$4
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

fail() {
    echo "FAIL: $*" >&2
    [ ! -f log ] || head -n 30 log >&2
    exit 1
}

# recipe STEPS - STEPS are members of the recipe.
recipe() {
    cat >recipe.json <<END
{ "recipe": 1, "version": "v1", "data": "data", "seed": 7, $1 }
END
}

# run CODE ARGUMENT... - into folder data, from nothing unless go_on=1.
run() {
    want=$1
    shift
    [ "${go_on:-0}" = 1 ] || rm -rf data
    code=0
    "$drhost" run --plugin-path "$fakes" --plugin-path "$plugins" --no-progress recipe.json "$@" \
        >out 2>log || code=$?
    ! grep -q 'BROKEN\|Sanitizer\|runtime error' log || fail "$*: the host broke a promise"
    [ "$code" -eq "$want" ] || fail "exit $code instead of $want: $*"
}

# What a run made, without what may differ: times, paths, journals.
made() {
    find data/interim data/processed data/.drhost/v1/rejected -type f 2>/dev/null | LC_ALL=C sort |
        while read -r f; do echo "$f"; cat "$f"; done
}

same() { # WHAT
    made >now
    cmp -s first now || fail "$1: other bytes than the first run: $(cmp first now)"
}

# stop CODE WHAT - a signal to $pid, which has to end by itself soon.
stop() {
    kill -TERM "$pid"
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    ! kill -0 "$pid" 2>/dev/null || { kill -KILL "$pid"; fail "did not stop within 10 s: $2"; }
    code=0
    wait "$pid" || code=$?
    ! grep -q 'BROKEN\|Sanitizer\|runtime error' log || fail "$2: the host broke a promise"
    [ "$code" -eq "$1" ] || fail "exit $code instead of $1: $2"
}

asked() { sort "$1" | uniq -c | awk '$1 > 1' | wc -l; } # requests asked more than once

slots='"services": { "infer": { "use": "infer-fake" } },
  "synthesize": [ { "use": "two-call", "domain": "D", "dataset": "s", "count": 200 } ],
  "convert": [ { "use": "pretrain" } ]'
infer='--set services.infer'

input() { # N - records that chat need not touch
    awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf \
        "{\"conversations\":[{\"from\":\"human\",\"value\":\"q %d of many\"},{\"from\":\"gpt\"," \
        "\"value\":\"a b c d %d %d e f\"}],\"metadata\":{\"id\":\"%032d\"}}\n", i, i % 7, i, i % 90 }'
}
files='"sources": [ { "use": "local", "path": "in.jsonl", "domain": "D", "dataset": "d" } ]'

case $part in
order) # delays, order, workers, refusals: equal bytes
    recipe "$slots"
    run 0 -j1 --set two-call.drop_every=4 --set two-call.misuse=1
    made >first
    [ "$(grep -c conversations data/interim/v1/D/s/part-000.jsonl)" -eq 200 ] || fail "not 200"
    grep -q '"attempt":[1-9]' data/interim/v1/D/s/part-000.jsonl || fail "no slot was tried again"
    grep -q not_liked data/.drhost/v1/rejected/*/D/s/part-000.jsonl || fail "no slot was rejected"
    for how in "-j2 $infer.delay_max=9 $infer.reorder=true" \
        "-j8 $infer.delay_max=30 $infer.reorder=true $infer.max_in_flight=70" \
        "-j2 $infer.again_every=3 $infer.delay_max=3" \
        "-j2 $infer.max_in_flight=1" \
        "-j2 $infer.twice=true $infer.delay_max=3 $infer.reorder=true" \
        "-j2 $infer.retry_every=90 $infer.reorder=true" \
        "-j2 $infer.delay_max=5 $infer.reorder=true --set two-call.extra=3"; do
        # shellcheck disable=SC2086
        run 0 $how --set two-call.drop_every=4 --set two-call.misuse=1
        same "$how"
    done
    ;;
faults) # what fails for good becomes a failed record with a reason
    recipe "$slots"
    run 3 --max-bad 1000 --set two-call.attempts=1 $infer.fail_every=9 $infer.refuse_every=11
    r=data/.drhost/v1/rejected/synthesize.two-call/D/s/part-000.jsonl
    grep -q 'infer_failed.*this one never works' $r || fail "no failed answer"
    grep -q 'infer_failed.*refused at once' $r || fail "no refused request"
    n=$(wc -l <$r) m=$(wc -l <data/interim/v1/D/s/part-000.jsonl)
    [ $((n + m)) -eq 200 ] || fail "$n + $m records of 200"
    grep -q '"balanced":[[:space:]]*true' data/.drhost/v1/report.json || fail "not balanced"
    run 0 --max-bad 1000 $infer.fail_every=9 # a slot that failed is tried again
    run 3 --max-bad 1000 --set two-call.attempts=1 --set two-call.leave_every=5 \
        --set two-call.start_drop_every=6 --set two-call.error_every=7 $infer.delay_max=3
    for reason in unsettled at_start bad_data 'this record is bad'; do
        grep -q "$reason" $r || fail "no record is $reason"
    done
    run 0 --max-bad 1000 --set two-call.leave_every=5 --set two-call.start_drop_every=6 \
        --set two-call.error_every=7 $infer.delay_max=3 $infer.reorder=true --set two-call.extra=2
    [ "$(wc -l <data/interim/v1/D/s/part-000.jsonl)" -eq 200 ] || fail "not 200"
    run 3 --max-bad 1e6 --set two-call.drop_every=1 --set two-call.attempts=3 # all, always
    [ "$(wc -l <$r)" -eq 600 ] || fail "$(wc -l <$r) attempts instead of 600"
    run 3 --max-bad 1e6 --set two-call.leave_every=1 --set two-call.attempts=2000 \
        --set two-call.count=3
    ;;
cancel) # a signal while requests hang: stops soon, resumable, and then goes on
    recipe "$slots"
    run 0
    made >first
    for how in "$infer.hang_every=20" "$infer.hang_every=1" \
        "$infer.hang_every=20 $infer.deaf=true"; do
        rm -rf data log
        # shellcheck disable=SC2086
        "$drhost" run --plugin-path "$fakes" --plugin-path "$plugins" recipe.json \
            $how $infer.log="$dir/asked" >out 2>log &
        pid=$!
        while [ ! -s asked ]; do sleep 0.05; done
        sleep 0.2
        stop 4 "$how"
        case $how in
        *deaf*) grep -q 'did not give back' log || fail "no word about a deaf backend" ;;
        *) ! grep -q 'did not give back' log || fail "open requests were not cancelled" ;;
        esac
        rm -f asked
        go_on=1 run 0
        same "after $how"
    done
    ;;
budget) # a budget that is spent: what is whole is kept, exit 4, and a larger one goes on from there
    recipe "$slots"
    run 0 --set two-call.drop_every=4 --set two-call.extra=1
    made >first
    records=data/interim/v1/D/s/part-000.jsonl
    for budget in 1 2 90 301; do
        for how in "$infer.max_in_flight=8" "$infer.max_in_flight=70 $infer.reorder=true"; do
            rm -rf data asked
            # shellcheck disable=SC2086
            run 4 $infer.budget=$budget $infer.log="$dir/asked" $infer.delay_max=4 $how \
                --set two-call.drop_every=4 --set two-call.extra=1
            [ "$(wc -l <asked)" -eq "$budget" ] || fail "$(wc -l <asked) asked, the budget is $budget"
            grep -q 'all of the budget is spent' log || fail "no word about the budget"
            grep -q '"state":[[:space:]]*"stopped"' data/.drhost/v1/report.json || fail "not stopped"
            grep -q '"balanced":[[:space:]]*true' data/.drhost/v1/report.json || fail "not balanced"
            n=$(wc -l <$records)
            [ "$n" -lt 200 ] || fail "$n records for $budget requests"
            [ "$budget" -lt 90 ] || [ "$n" -gt 2 ] || fail "$n records for $budget requests"
            [ "$(wc -l <data/processed/v1/D.jsonl)" -eq "$n" ] || fail "not all of $n were converted"
            # its records are the whole run's
            sort $records >some
            sort first >all
            [ -z "$(comm -23 some all)" ] || fail "a record that the whole run does not have"
            go_on=1 run 0 $infer.log="$dir/asked" --set two-call.drop_every=4 --set two-call.extra=1
            same "after a budget of $budget, $how"
            [ "$(asked asked)" -eq 0 ] || fail "$(asked asked) requests were paid twice"
        done
    done
    rm -rf data asked
    run 1 $infer.stop_after=90 $infer.log="$dir/asked" --set two-call.drop_every=4 \
        --set two-call.extra=1
    grep -q 'the key is refused' log || fail "no word about the key"
    [ ! -e $records ] || fail "a part of a run that failed"
    go_on=1 run 0 $infer.log="$dir/asked" --set two-call.drop_every=4 --set two-call.extra=1
    same "after a key that was refused"
    [ "$(asked asked)" -eq 0 ] || fail "$(asked asked) requests were paid twice"
    # one step, and records that are read
    input 90 >in.jsonl
    code=0
    "$drhost" --plugin "$fakes/two_call.so:ask" --plugin-path "$fakes" --backend infer-fake \
        $infer.budget=100 in.jsonl -o out.jsonl 2>log || code=$?
    [ "$code" -eq 4 ] || fail "a step: exit $code"
    n=$(wc -l <out.jsonl)
    [ "$n" -gt 20 ] && [ "$n" -lt 64 ] || fail "a step: $n records" # the first of its answers is enough for a record
    grep -q '"reason":"budget"' out.jsonl.rejected.jsonl || fail "a step: no record is missing"
    ;;
kill) # killed at some request, once or often: equal bytes, and nothing answered is asked again
    recipe "$slots"
    run 0 --set two-call.drop_every=4
    made >first
    for at in 1 2 17 150 301 400; do
        rm -rf data asked log
        code=0
        "$drhost" run --plugin-path "$fakes" --plugin-path "$plugins" recipe.json -q \
            $infer.log="$dir/asked" $infer.kill_after=$at --set two-call.drop_every=4 \
            $infer.delay_max=3 $infer.reorder=true >out 2>log || code=$?
        [ "$code" -eq 137 ] || fail "exit $code instead of a kill at $at"
        go_on=1 run 0 $infer.log="$dir/asked" --set two-call.drop_every=4
        same "killed at request $at"
        [ "$(asked asked)" -le 16 ] || fail "$(asked asked) requests paid twice, killed at $at"
    done
    rm -rf data asked
    for at in 40 40 40 40 40 40; do # six times on the same folder
        "$drhost" run --plugin-path "$fakes" --plugin-path "$plugins" recipe.json -q \
            $infer.log="$dir/asked" $infer.kill_after=$at --set two-call.drop_every=4 \
            $infer.max_in_flight=2 >out 2>log || :
        # a tail that was torn does no harm
        j=$(find data -name '*.jnl')
        printf 'torn' >>"$j"
    done
    go_on=1 run 0 $infer.log="$dir/asked" --set two-call.drop_every=4
    same "killed six times"
    [ "$(asked asked)" -le 12 ] || fail "$(asked asked) requests paid twice in six kills"
    [ "$(asked asked)" -lt "$(wc -l <asked)" ] || fail "nothing was asked"
    ;;
late) # a record settled while its other requests are under way
    recipe "$files, \"services\": { \"infer\": { \"use\": \"infer-fake\" } },
        \"preprocess\": [ { \"use\": \"ask\" }, { \"use\": \"serial-order\" } ],
        \"convert\": [ { \"use\": \"pretrain\" } ]"
    input 400 >in.jsonl
    run 0 -j2
    made >first
    [ "$(grep -c answer data/interim/v1/D/d/part-000.jsonl)" -eq 400 ] || fail "not 400"
    run 0 -j2 $infer.delay_max=20 $infer.reorder=true $infer.max_in_flight=40
    same "late answers"
    run 0 -j8 $infer.delay_max=20 $infer.twice=true $infer.reorder=true
    same "late answers, given twice"
    run 0 -j2 --set ask.all=1 $infer.delay_max=4 $infer.reorder=true
    grep -q 'answer [0-9a-f]*, answer [0-9a-f]*, answer' data/interim/v1/D/d/part-000.jsonl ||
        fail "not all three answers"
    ;;
packs) # scores depend on the packs; packs depend on nothing but the records
    recipe "$files, \"services\": { \"infer\": { \"use\": \"infer-fake-packs\" } },
        \"select\": [ { \"use\": \"ifd\", \"top\": 0.29 } ], \"convert\": [ { \"use\": \"pretrain\" } ]"
    input 3000 >in.jsonl
    run 0 -j1
    made >first
    cp data/.drhost/v1/work/select.ifd/D/d/part-000.scores scores
    for how in "-j2" "-j8" "-j8 $infer.threads=1" "-j8 $infer.delay=2"; do
        # shellcheck disable=SC2086
        run 0 $how
        same "$how"
        cmp scores data/.drhost/v1/work/select.ifd/D/d/part-000.scores || fail "$how: scores"
    done
    run 0 $infer.pack_tokens=100
    made >now
    ! cmp -s scores data/.drhost/v1/work/select.ifd/D/d/part-000.scores ||
        fail "other packs gave the same scores; the test sees nothing"
    for at in 1 2 40 90 130; do
        rm -rf data asked log
        code=0
        "$drhost" run --plugin-path "$fakes" --plugin-path "$plugins" recipe.json -q -j2 \
            $infer.log="$dir/asked" $infer.kill_after=$at $infer.delay=8 >out 2>log || code=$?
        [ "$code" -eq 137 ] || fail "exit $code instead of a kill at $at"
        go_on=1 run 0 $infer.log="$dir/asked" -j3
        same "killed at pack $at"
        [ "$(asked asked)" -le 600 ] || fail "$(asked asked) requests scored twice, killed at $at"
        cmp scores data/.drhost/v1/work/select.ifd/D/d/part-000.scores || fail "$at: scores"
    done
    run 1 $infer.fail_after=20
    grep -q 'this pack fails' log || fail "no reason for the failed pack"
    go_on=1 run 0
    same "after a failed pack"
    rm -rf data
    "$drhost" run --plugin-path "$fakes" --plugin-path "$plugins" recipe.json \
        $infer.hang=true $infer.log="$dir/hung" >out 2>log &
    pid=$!
    while [ ! -s hung ]; do sleep 0.05; done
    stop 4 "$part"
    ;;
stages) # scopes and threads
    recipe "$files, \"part_records\": 700, \"preprocess\": [ { \"use\": \"serial-order\" },
        { \"use\": \"pinned\" }, { \"use\": \"adder\" }, { \"use\": \"shard-count\" } ]"
    input 3000 >in.jsonl
    run 0 -j1
    made >first
    # of 700: 560 stay, 1400 children, 100 grandchildren; of the last 200: 160, 400, 29
    grep -h '^{"count":[0-9]*}$' data/interim/v1/D/d/*.jsonl >counts || fail "no shard counts"
    printf '{"count":2060}\n{"count":2060}\n{"count":2060}\n{"count":2060}\n{"count":589}\n' |
        cmp - counts || fail "wrong shard counts"
    [ "$(cat data/.drhost/v1/rejected/preprocess/D/d/* | grep -c '"fifth"')" -eq 600 ] ||
        fail "not every fifth parent was dropped"
    for j in 2 8; do
        run 0 -j$j
        same "-j$j"
    done
    recipe "$files, \"part_records\": 700, \"preprocess\": [ { \"use\": \"dedup-exact\" } ],
        \"convert\": [ { \"use\": \"pretrain\" } ]"
    run 0 -j2
    made >first
    cat data/interim/v1/D/d/*.jsonl >kept
    head -n 90 in.jsonl | cmp - kept || fail "not the first of equal ids"
    run 0 -j8
    same "dedup, -j8"
    recipe "$files, \"preprocess\": [ { \"use\": \"slow\" } ], \"convert\": [ { \"use\": \"pretrain\" } ]"
    rm -rf data
    "$drhost" run -j8 --plugin-path "$fakes" --plugin-path "$plugins" recipe.json \
        >out 2>log &
    pid=$!
    while [ ! -d data/.drhost/v1/rejected ]; do sleep 0.05; done
    stop 4 "$part"
    ;;
*) fail "no part $part" ;;
esac
echo "$part: passed"
