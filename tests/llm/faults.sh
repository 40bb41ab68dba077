#!/bin/sh
# SPDX-License-Identifier: MIT
# faults.sh - servers that misbehave: the counts balance, no error becomes text, each answer is paid
# once unless it failed, and what comes out is what a server that behaves gives.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"

# requests that are refused by their number would be that one by one, with pauses that grow each time
more=', "timeout": 0.6, "longest_pause": 0.1'

# rule MEMBERS - a rule for the requests of the run, behind those at the start.
rule() {
    echo "{\"path\":\"completions\",$1,\"from\":8}"
}

# faulty WHAT RULES [OPTION of fakellm...] - a run against it gives what an undisturbed one gives.
faulty() {
    what=$1
    rules=$2
    shift 2
    echo "- $what"
    rm -rf "$T/data"
    llm_start --profile "${kind:-vllm}" --latency 5 --rules "[$rules]" "$@"
    slots "$T/r.json" 120 "$more"
    recipe_run 0 "$T/r.json"
    made >"$T/now"
    same "$T/first" "$T/now"
    no_error_text
    balanced
    [ "$(twice)" -eq 0 ] || fail "$what: $(twice) answers were paid twice"
    n=$(grep -c '"fault":"[a-z]' "$LLM_LOG" || true)
    [ "$n" -gt 3 ] || fail "$what: $n faults only; the test sees nothing"
    llm_stop
}

llm_start --profile vllm
slots "$T/r.json" 120
recipe_run 0 "$T/r.json"
made >"$T/first"
llm_stop

faulty "429 with Retry-After" "$(rule '"first":1,"one_in":5,"action":"status","code":429,"retry_after":"0"')"
faulty "429 with a date" "$(rule '"first":1,"one_in":9,"action":"status","code":429,"retry_after":"Fri, 31 Dec 1999 23:59:59 GMT"')"
faulty "429 without" "$(rule '"first":2,"one_in":5,"action":"status","code":429')"
faulty "429 for all at once, again and again" '{"path":"completions","from":30,"to":50,"action":"status","code":429},{"path":"completions","from":90,"to":110,"action":"status","code":429}'
faulty "too many at once" '' --slots 5
[ "$(grep -c '"status":429' "$LLM_LOG")" -lt 120 ] || fail "it does not learn how many are too many"
faulty "503" "$(rule '"first":1,"one_in":5,"action":"status","code":503')"
faulty "500, twice" "$(rule '"first":2,"one_in":5,"action":"status","code":500')"
faulty "502, with a page for people" "$(rule '"first":1,"one_in":5,"action":"status","code":502,"body_is":"<html>ERRORTEXT</html>"')"
faulty "no answer at all" "$(rule '"first":1,"one_in":20,"action":"hang"')"
faulty "a connection that breaks" "$(rule '"first":1,"one_in":9,"action":"reset"')"
faulty "an answer that breaks off" "$(rule '"first":1,"one_in":9,"action":"cut"')"
kind=llamacpp faulty "a stream that breaks off" "$(rule '"first":1,"one_in":9,"action":"cut"')"
kind=llamacpp faulty "a stream that hangs" "$(rule '"first":1,"one_in":20,"action":"hang"')"
faulty "broken JSON" "$(rule '"first":1,"one_in":9,"action":"bad_json"')"
faulty "a page for people under 200" "$(rule '"first":1,"one_in":9,"action":"html"')"
faulty "an error under 200" "$(rule '"first":1,"one_in":9,"action":"error200"')"
faulty "no choices" "$(rule '"first":1,"one_in":9,"action":"no_choices"')"
faulty "an answer that drips too slowly" "$(rule '"first":1,"one_in":30,"action":"drip","ms":50')"
faulty "an answer that drips, but in time" "$(rule '"one_in":9,"action":"drip","ms":3')"
faulty "no usage" "$(rule '"one_in":3,"action":"no_usage"')"
has "$T/err" 'answers without usage'
faulty "some of everything" "$(rule '"first":1,"one_in":6,"salt":1,"action":"status","code":429'),$(
    rule '"first":1,"one_in":7,"salt":2,"action":"status","code":500'),$(
    rule '"first":2,"one_in":8,"salt":3,"action":"bad_json"'),$(
    rule '"first":2,"one_in":9,"salt":4,"action":"reset"'),$(
    rule '"first":2,"one_in":10,"salt":5,"action":"cut"'),$(
    rule '"first":1,"one_in":40,"salt":6,"action":"hang"')"

# what fails for good is a failed record with its reason, never a text
lost() { # WHAT RULES REASON
    echo "- $1"
    rm -rf "$T/data"
    llm_start --profile vllm --rules "[$2]"
    slots "$T/r.json" 120 ', "tries": 2'
    recipe_run 3 "$T/r.json" --max-bad 1e6 --set two-call.attempts=1
    no_error_text
    balanced
    rejected=$T/data/.drhost/v1/rejected/synthesize.two-call/D/s/part-000.jsonl
    grep -q "$3" "$rejected" || fail "no record with the reason $3: $(head -n 3 "$rejected")"
    n=$(wc -l <"$rejected") m=$(wc -l <"$T/data/interim/v1/D/s/part-000.jsonl")
    [ $((n + m)) -eq 120 ] && [ "$n" -gt 3 ] && [ "$m" -gt 30 ] || fail "$n and $m records of 120"
    llm_stop
}
lost "500 for ever" "$(rule '"one_in":9,"action":"status","code":500')" 'infer_failed.*the server answers 500'
lost "400" "$(rule '"one_in":9,"action":"status","code":400')" 'infer_failed.*the server answers 400'
lost "a context that is too short" "$(rule '"one_in":9,"action":"status","code":400,"body_is":"{\"error\":{\"message\":\"m\",\"code\":\"context_length_exceeded\"}}"')" 'the server answers 400'
lost "withheld answers" "$(rule '"one_in":9,"action":"filter"')" '"filtered"'
lost "withheld prompts" "$(rule '"one_in":9,"action":"status","code":400,"body_is":"{\"error\":{\"message\":\"m\",\"code\":\"content_filter\"}}"')" '"filtered"'

echo "- requests that are all wrong: the run stops, and says what the server says"
rm -rf "$T/data"
llm_start --profile vllm --rules "[$(rule '"action":"status","code":400,"body_is":"{\"error\":{\"message\":\"I do not know seed\"}}"')]"
slots "$T/r.json" 120
recipe_run 2 "$T/r.json"
has "$T/err" 'I do not know seed'
[ "$(wc -l <"$LLM_LOG")" -lt 90 ] || fail "it went on asking"
llm_stop

echo "- a key that is revoked on the way: the run stops, and goes on with another"
rm -rf "$T/data"
llm_start --profile vllm --rules "[$(rule '"from":60,"action":"status","code":401')]"
slots "$T/r.json" 120
recipe_run 1 "$T/r.json"
has "$T/err" '(401)'
paid >"$T/paid"
llm_stop
llm_start --profile vllm
slots "$T/r.json" 120
recipe_run 0 "$T/r.json"
made >"$T/now"
same "$T/first" "$T/now"
paid >>"$T/paid"
# the questions at the start, three of which are of these paths, are asked each time
[ "$(sort "$T/paid" | uniq -d | wc -l)" -le 3 ] || fail "answers were paid twice after the key"
llm_stop

echo "- an account without anything left is a budget that is spent"
rm -rf "$T/data"
llm_start --profile vllm --rules "[$(rule '"from":150,"action":"status","code":429,"body_is":"{\"error\":{\"message\":\"m\",\"code\":\"insufficient_quota\"}}"')]"
slots "$T/r.json" 120
recipe_run 4 "$T/r.json"
has "$T/err" 'has nothing left'
n=$(wc -l <"$T/data/processed/v1/D.jsonl")
[ "$n" -gt 10 ] && [ "$n" -lt 120 ] || fail "$n records"
llm_stop

echo "- a server that is gone: the run stops after its patience, to go on another time"
rm -rf "$T/data"
llm_start --profile vllm --rules "[$(rule '"from":60,"action":"reset"')]"
slots "$T/r.json" 120 ', "patience": 0.3, "longest_pause": 0.1'
recipe_run 75 "$T/r.json"
has "$T/err" 'patience'
llm_stop
llm_start --profile vllm --rules "[$(rule '"from":60,"action":"status","code":500')]"
slots "$T/r.json" 120 ', "patience": 0.3, "longest_pause": 0.1'
recipe_run 75 "$T/r.json"
has "$T/err" 'patience'
llm_stop
llm_start --profile vllm --rules "[$(rule '"from":60,"action":"status","code":429,"retry_after":"7200"')]"
slots "$T/r.json" 120
recipe_run 75 "$T/r.json"
has "$T/err" 'asks to wait'
llm_stop
llm_start --profile vllm
slots "$T/r.json" 120
recipe_run 0 "$T/r.json"
made >"$T/now"
same "$T/first" "$T/now"
llm_stop
