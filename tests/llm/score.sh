#!/bin/sh
# SPDX-License-Identifier: MIT
# score.sh - ifd by a server: by vLLM's prompt_logprobs and by an echo, against the same sums by awk.
# The fake's i-th token, of b bytes, has -b/10 - 1/(1+i); a token is a word with the space before it.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"

awk 'BEGIN { srand(3); for (i = 0; i < 40; i++) {
    q = "why"; a = "since"
    for (k = 0; k < 2 + int(rand() * 9); k++) q = q " " substr("abcdefghijkl", 1, 1 + int(rand() * 11))
    for (k = 0; k < 1 + int(rand() * 20); k++) a = a " " substr("mnopqrstuvwx", 1, 1 + int(rand() * 11))
    printf "{\"conversations\":[{\"from\":\"human\",\"value\":\"%s\"},{\"from\":\"gpt\",\"value\":\"%s\"}]}\n", q, a } }' >"$T/in.jsonl"
printf '%s\n' '{"conversations":[{"from":"human","value":"日本 の"},{"from":"gpt","value":"東京 は é 大きい"}]}' >>"$T/in.jsonl"

# expected MODE - "COND ALONE" losses of each record.  superfiltering (its defaults): the question
# and a line break, then the answer; alone: the answer, whose first token has no context.
expected() {
    LC_ALL=C awk '
    function loss(i, bytes) { return bytes / 10 + 1 / (1 + i) }
    # sums from token `from` of the words of s, the first of which is token number `at`
    function sum(s, at, from,    w, n, k, all, count) {
        n = split(s, w, " ")
        for (k = 1; k <= n; k++)
            if (at + k - 1 >= from) { all += loss(at + k - 1, length(w[k]) + (k > 1)); count++ }
        return all / count
    }
    {
        split($0, part, "\"")
        q = part[10]; a = part[18]
        n = split(q, w, " ") + 1 # and the line break
        printf "%.6f %.6f\n", sum(a, n, 0), sum(a, 0, 1)
    }' "$T/in.jsonl"
}

# by KIND [OPTION of fakellm...]
by() {
    kind=$1
    shift
    llm_start --profile "$kind" "$@"
    rm -rf "$T/data"
    cat >"$T/r.json" <<END
{ "recipe": 1, "version": "v1", "data": "$T/data",
  "services": { "infer": { "use": "infer-openai", "endpoint": "$LLM" } },
  "sources": [ { "use": "local", "path": "$T/in.jsonl", "domain": "D", "dataset": "d" } ],
  "select": [ { "use": "ifd", "alone_context": "none" } ],
  "convert": [ { "use": "pretrain" } ] }
END
    recipe_run 0 "$T/r.json"
    grep -ho '"loss":\[[^]]*\]' "$T/data/processed/v1/D.jsonl" | tr -d '"loss:[]' | tr ',' ' ' |
        awk '{ printf "%.6f %.6f\n", $2, $1 }' >"$T/got" # alone, conditional
    llm_stop
    lines "$T/got" 41
    # as floats, so to six digits
    paste -d ' ' "$T/want" "$T/got" | awk '{ d = $1 - $3; e = $2 - $4
        if (d * d > 1e-10 || e * e > 1e-10) { print NR ": " $0; bad = 1 } } END { exit bad }' ||
        fail "$kind: other losses than by awk"
}

expected >"$T/want"
echo "- prompt_logprobs"
by vllm
has "$T/err" 'scores by prompt_logprobs'
echo "- echo"
by sglang
has "$T/err" 'scores by echo'

echo "- a context token: what the server adds, or what the user names"
llm_start --profile vllm
recipe='{ "recipe": 1, "version": "v1", "data": "DATA", "services": { "infer": { "use": "infer-openai", "endpoint": "LLM" } },
  "sources": [ { "use": "local", "path": "in.jsonl", "domain": "D", "dataset": "d" } ],
  "select": [ { "use": "ifd", "alone_context": "bos" } ] }'
echo "$recipe" | sed "s|DATA|$T/data|; s|LLM|$LLM|; s|in.jsonl|$T/in.jsonl|" >"$T/r.json"
rm -rf "$T/data"
recipe_run 0 "$T/r.json"
llm_stop
llm_start --profile vllm --no-bos
echo "$recipe" | sed "s|DATA|$T/data|; s|LLM|$LLM|; s|in.jsonl|$T/in.jsonl|" >"$T/r.json"
rm -rf "$T/data"
recipe_run 2 "$T/r.json"
has "$T/err" 'no bos'
recipe_run 0 "$T/r.json" --set 'services.infer.bos=<s>'
recipe_run 2 "$T/r.json" --set 'services.infer.bos=two words'
has "$T/err" 'must be one'
llm_stop

echo "- a server that does not tell probabilities"
llm_start --profile llamacpp
echo "$recipe" | sed "s|DATA|$T/data|; s|LLM|$LLM|; s|in.jsonl|$T/in.jsonl|" >"$T/r.json"
rm -rf "$T/data"
recipe_run 2 "$T/r.json"
has "$T/err" 'cannot score'
llm_stop

echo "- texts that are too long for the server: no score, and the reason"
llm_start --profile vllm --context 12
echo "$recipe" | sed "s|DATA|$T/data|; s|LLM|$LLM|; s|in.jsonl|$T/in.jsonl|; s|\"bos\"|\"none\"|" >"$T/r.json"
rm -rf "$T/data"
recipe_run 0 "$T/r.json"
balanced
logged 0 '"status":400'
llm_stop
