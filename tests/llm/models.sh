#!/bin/sh
# SPDX-License-Identifier: MIT
# models.sh - one model asks and another one answers, in one recipe; what follows a synthesizer.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"

QWEN=$DRH_SOURCE/examples/models/tiny-qwen2
recipe() { # SERVICES MAGPIE THEN [MORE]
    cat >"$T/r.json" <<END
{ "recipe": 1, "version": "v1", "data": "$T/data", "seed": 7,
  "services": { "infer": { "use": "infer-openblas", "model": "$QWEN" }, "http": { "pause": 0.01 }$1 },
  "synthesize": [ { "use": "magpie", "domain": "D", "dataset": "s", "count": 8, "answers": false$2, "then": [ $3 ] } ]${4:-} }
END
}
writer=", \"writer\": { \"use\": \"infer-openai\", \"endpoint\": \"http://127.0.0.1:PORT/v1\", \"model\": \"fake-1\", \"pause\": 0.01 }"
out=$T/data/interim/v1/D/s/part-000.jsonl

echo "- questions of a local model, answers of a server's"
llm_start --profile openai
writer=$(echo "$writer" | sed "s/PORT/$LLM_PORT/")
recipe "$writer" "" '{ "use": "answers", "infer": "writer", "max_tokens": 50 }' ', "convert": [ { "use": "pretrain" } ]'
recipe_run 0 "$T/r.json"
lines "$out" 8
balanced
[ "$(grep -c '"synthesis":{"method":"magpie","model":"tiny-qwen2"' "$out")" -eq 8 ] || fail "not asked by the local model"
[ "$(grep -c '"answer":{"method":"answers","model":"fake-1"' "$out")" -eq 8 ] || fail "not answered by the server's"
[ "$(grep -c '"from":"human".*"from":"gpt"' "$out")" -eq 8 ] || fail "not answered"
[ -z "$(find "$T/data/interim" -name '*.jsonl' ! -path "$out")" ] || fail "parts in between are in interim"
lines "$T/data/processed/v1/D.jsonl" 8
grep -q '"name":[[:space:]]*"writer"' "$T/data/.drhost/v1/report.json" || fail "the report does not tell the models apart"
asked=$(paid | sort -u | wc -l) # with the questions of what kind of server it is
made >"$T/first"
recipe_run 0 "$T/r.json"
has "$T/err" "nothing had to be done again"
[ "$(paid | sort -u | wc -l)" -eq "$asked" ] || fail "asked again"

echo "- another way to answer: the questions stay"
recipe_run 0 "$T/r.json" --set answers.max_tokens=40
hasnt "$T/err" "nothing had to be done again"
[ "$(paid | sort -u | wc -l)" -eq $((asked + 8)) ] || fail "not each question once more"
recipe_run 0 "$T/r.json" # and back again
made | cmp - "$T/first" || fail "not the same as at first"

echo "- the same steps, all by the server"
rm -rf "$T/data"
llm_stop
llm_start --profile vllm
writer=$(echo "$writer" | sed "s/127.0.0.1:[0-9]*/127.0.0.1:$LLM_PORT/")
recipe "$writer" ", \"infer\": \"writer\", \"form\": \"qwen2\"" '{ "use": "answers", "infer": "writer" }'
recipe_run 0 "$T/r.json"
hasnt "$T/err" openblas # nobody asks the other model, so it is not loaded
has "$T/err" "/services/infer: no step needs this service"
grep -q '"synthesis":{"method":"magpie","model":"fake-1"' "$out" || fail "not by the server"

echo "- a step of the records of one synthesizer only, and several after another"
rm -rf "$T/data"
cat >"$T/in.jsonl" <<'END'
{"conversations": [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "I."}]}
END
recipe "$writer" "" '{ "use": "answers", "infer": "writer" }, { "use": "chat" }, { "use": "answers", "id": "again", "infer": "infer", "again": true, "max_tokens": 60, "keep_cut_answers": true }' ", \"sources\": [ { \"use\": \"local\", \"path\": \"$T/in.jsonl\" } ], \"preprocess\": [ { \"use\": \"chat\" } ]"
recipe_run 0 "$T/r.json"
[ "$(grep -c '"answer":{"method":"answers","model":"tiny-qwen2"' "$out")" -eq 8 ] || fail "not answered again"
! grep -rq '"method"' "$T/data/interim/v1/General" || fail "a record of the source has been answered"
run 0 run --plugin-path "$DRH_BUILD/plugins" --dry-run "$T/r.json"
has "$T/out" "/synthesize/0/then/2" writer

echo "- a step over all records of a synthesizer: what is there twice is answered once"
rm -rf "$T/data"
llm_stop
llm_start --profile vllm --rules '[{"path":"/v1/completions","from":4,"action":"status","code":200,"body_is":"{\"choices\":[{\"text\":\"How deep is the snow?\",\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}"}]'
writer=$(echo "$writer" | sed "s/127.0.0.1:[0-9]*/127.0.0.1:$LLM_PORT/")
recipe "$writer" ", \"infer\": \"writer\", \"form\": \"qwen2\"" '{ "use": "dedup-exact" }, { "use": "answers", "infer": "writer" }'
recipe_run 0 "$T/r.json"
lines "$out" 1
has "$out" "How deep is the snow?" '"method":"answers"'
balanced

echo "- what cannot be"
recipe "$writer" "" '{ "use": "answers", "infer": "riter" }'
recipe_run 2 "$T/r.json"
has "$T/err" '/synthesize/0/then/0/infer: there is no "riter" among services; did you mean "writer"?'
recipe "" "" '{ "use": "answers", "infer": "writer" }'
recipe_run 2 "$T/r.json"
has "$T/err" '/synthesize/0/then/0/infer: there is no "writer" among services'
recipe "$writer" "" '{ "use": "chat", "infer": "writer" }'
recipe_run 2 "$T/r.json"
has "$T/err" "/synthesize/0/then/0/infer: chat asks no model"
recipe "$writer" "" ''
recipe_run 2 "$T/r.json"
has "$T/err" '/services/writer: there is no such service; known are' 'named by them, with "infer"'
recipe "$writer" "" '{ "use": "magpie" }'
recipe_run 2 "$T/r.json"
has "$T/err" "/synthesize/0/then/0" preprocessor
recipe "$writer" "" '{ "use": "answers", "infer": "http" }'
recipe_run 2 "$T/r.json"
has "$T/err" "/services/http" "drh.infer/1"
llm_stop
