#!/bin/sh
# SPDX-License-Identifier: MIT
# magpie.sh - magpie by a server: raw text for questions, chat for answers; a server that misbehaves; one
# that offers chat only.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"

recipe() { # [MEMBERS of the step]
    cat >"$T/r.json" <<END
{ "recipe": 1, "version": "v1", "data": "$T/data", "seed": 7,
  "services": { "infer": { "use": "infer-openai", "endpoint": "$LLM", "pause": 0.01, "timeout": 1 }, "http": { "pause": 0.01 } },
  "synthesize": [ { "use": "magpie", "domain": "D", "dataset": "s", "count": 60${1:-} } ], "convert": [ { "use": "pretrain" } ] }
END
}
raw=', "pre_query": "<|im_start|>user\n"'

echo "- a server with raw prompts"
llm_start --profile vllm
recipe "$raw"
recipe_run 0 "$T/r.json"
lines "$T/data/interim/v1/D/s/part-000.jsonl" 60
balanced
[ "$(twice)" -eq 0 ] || fail "an answer was paid twice"
made >"$T/first"
llm_stop

echo "- one that fails now and then"
rm -rf "$T/data"
llm_start --profile vllm --rules '[{"path":"completions","from":8,"first":1,"one_in":5,"action":"status","code":429},
    {"path":"completions","from":8,"first":1,"one_in":7,"salt":1,"action":"bad_json"}]'
recipe "$raw"
recipe_run 0 "$T/r.json"
made >"$T/now"
same "$T/first" "$T/now"
no_error_text
llm_stop

echo "- what a server withholds is no record"
rm -rf "$T/data"
llm_start --profile vllm --rules '[{"path":"completions","from":8,"one_in":6,"action":"filter"}]'
recipe "$raw"
recipe_run 0 "$T/r.json"
lines "$T/data/interim/v1/D/s/part-000.jsonl" 60
no_error_text
grep -q '"filtered"' "$T/data/.drhost/v1/report.json" || fail "nothing was withheld"

echo "- a turn that is left open is not for servers"
rm -rf "$T/data"
recipe
recipe_run 2 "$T/r.json"
has "$T/err" "none can be left open" "raw prompt"
llm_stop
llm_start --profile openai
recipe "$raw"
sed 's|"endpoint"|"model": "fake-1", "endpoint"|' "$T/r.json" >"$T/r2.json"
recipe_run 2 "$T/r2.json"
has "$T/err" "offers chat only" "/v1/completions"
llm_stop
