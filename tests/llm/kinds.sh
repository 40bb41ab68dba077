#!/bin/sh
# SPDX-License-Identifier: MIT
# kinds.sh - each kind of server, what it is found to be able to do, and what is asked of it.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"

chat='--set two-call.chat=1 --set two-call.max_tokens=30'

echo "- servers with raw prompts and chats"
for kind in vllm sglang llamacpp ollama; do
    rm -rf "$T/data"
    llm_start --profile $kind
    slots "$T/r.json" 40
    recipe_run 0 "$T/r.json"
    has "$T/err" 'raw prompts, chat'
    lines "$T/data/interim/v1/D/s/part-000.jsonl" 40
    balanced
    logged 41 '"path":"/v1/chat/completions"' # one of them asks what the server can do
    [ "$(twice)" -eq 0 ] || fail "$kind: an answer was paid twice"
    made >"$T/made.$kind"
    llm_stop
done
# the same texts, whether they came as a whole (vLLM) or streamed (llama.cpp)
same "$T/made.vllm" "$T/made.llamacpp"
same "$T/made.vllm" "$T/made.ollama"

echo "- chat only: a raw prompt is refused at once, in words that help"
rm -rf "$T/data"
llm_start --profile openai
slots "$T/r.json" 40 ', "model": "fake-1"'
recipe_run 2 "$T/r.json"
has "$T/err" 'offers chat only' 'raw prompt' 'vLLM'
[ "$(wc -l <"$LLM_LOG")" -lt 80 ] || fail "it went on asking"
# shellcheck disable=SC2086
recipe_run 0 "$T/r.json" $chat
lines "$T/data/interim/v1/D/s/part-000.jsonl" 40
echo "- the newer name of max_tokens is found out; more stop texts than the server takes"
rm -rf "$T/data"
# shellcheck disable=SC2086
recipe_run 0 "$T/r.json" $chat --set two-call.stops=6
lines "$T/data/interim/v1/D/s/part-000.jsonl" 40
! sed 's/.*"from":"gpt"//' "$T/data/interim/v1/D/s/part-000.jsonl" | grep -q ' bridge\| moves' ||
    fail "an answer goes on behind a stop text"
llm_stop
# the same by a server that knows all of them
rm -rf "$T/kept"
cp "$T/data/interim/v1/D/s/part-000.jsonl" "$T/kept"
rm -rf "$T/data"
llm_start --profile vllm
slots "$T/r.json" 40
# shellcheck disable=SC2086
recipe_run 0 "$T/r.json" $chat --set two-call.stops=6
same "$T/kept" "$T/data/interim/v1/D/s/part-000.jsonl"

echo "- the model that is asked for"
slots "$T/r.json" 4 ', "model": "other"'
rm -rf "$T/data"
recipe_run 2 "$T/r.json"
has "$T/err" 'fake-1' 'name one of them with --model'
llm_stop

echo "- Azure: its addresses, its key"
export AZURE_KEY=key-canary-4711
llm_start --profile azure --key key-canary-4711
LLM=http://127.0.0.1:$LLM_PORT
slots "$T/r.json" 40 ', "azure_deployment": "dep", "key": "env:AZURE_KEY"'
rm -rf "$T/data"
# shellcheck disable=SC2086
recipe_run 0 "$T/r.json" $chat
lines "$T/data/interim/v1/D/s/part-000.jsonl" 40
logged 0 '"status":40[13]'
llm_stop

echo "- a key that is refused, and one that would not be safe"
llm_start --profile vllm --key right
export WRONG_KEY=key-canary-4711
slots "$T/r.json" 4 ', "key": "env:WRONG_KEY"'
rm -rf "$T/data"
recipe_run 1 "$T/r.json"
has "$T/err" 'the key is refused (401)'
slots "$T/r.json" 4
recipe_run 1 "$T/r.json"
has "$T/err" 'the server wants a key (401)'
slots "$T/r.json" 4 ', "key": "plain-text-key"'
recipe_run 2 "$T/r.json"
hasnt "$T/err" 'plain-text-key'
sed 's|http://127.0.0.1|http://192.0.2.1|; s|plain-text-key|env:WRONG_KEY|' "$T/r.json" >"$T/r2.json"
recipe_run 2 "$T/r2.json"
has "$T/err" 'is not encrypted'
llm_stop
! grep -rq key-canary-4711 "$T/data" "$T/err" "$T/out" || fail "the key is in a file"

echo "- nobody there"
slots "$T/r.json" 4
recipe_run 75 "$T/r.json"

echo "- several servers, by weight, one of them with little room"
llm_start --profile vllm --latency 20
first_in=$T/llm.in first_port=$LLM_PORT
mkfifo "$T/llm2.in"
"$FAKELLM" --profile vllm --latency 20 --slots 3 --port-file "$T/llm2.port" --log "$T/llm2.log" \
    <"$T/llm2.in" >"$T/llm2.out" 2>&1 &
second=$!
exec 7>"$T/llm2.in"
llm_wait "$T/llm2.port"
slots "$T/r.json" 400 ', "longest_pause": 0.1'
sed "s|\"endpoint\": \"[^\"]*\"|\"endpoints\": [ {\"endpoint\": \"http://127.0.0.1:$first_port/v1\", \"weight\": 3, \"max_concurrency\": 30 }, {\"endpoint\": \"http://127.0.0.1:$(cat "$T/llm2.port")/v1\"} ]|" "$T/r.json" >"$T/r2.json"
rm -rf "$T/data"
recipe_run 0 "$T/r2.json"
lines "$T/data/interim/v1/D/s/part-000.jsonl" 400
grep -q '"status":429' "$T/llm2.log" || fail "the second server never had enough"
n=$(grep -c '"status":200,"fault":"","end":"sent"' "$T/llm2.log")
m=$(grep -c '"status":200,"fault":"","end":"sent"' "$LLM_LOG")
[ "$n" -gt 20 ] && [ "$m" -gt "$n" ] || fail "$m and $n requests, by weights of 3 and 1"
[ $((n + m)) -eq $((800 + 10)) ] || fail "$((n + m)) answers for 800 requests and 10 questions"
exec 7>&-
wait $second
llm_stop
