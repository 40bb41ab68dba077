#!/bin/sh
# SPDX-License-Identifier: MIT
# tags.sh - difficulty, quality and category of questions, by a server that says what it is told to.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"

cat >"$T/in.jsonl" <<'END'
{"conversations": [{"from": "human", "value": "How do I prune roses?"}, {"from": "gpt", "value": "In spring."}], "metadata": {"id": "q1"}}
{"messages": [{"role": "user", "content": "Prove Fermat's last theorem"}, {"role": "assistant", "content": "No."}], "metadata": {"id": "q2"}}
{"conversations": [{"from": "human", "value": "asdf"}], "metadata": {"id": "q3", "difficulty": "hard"}}
END

# What is asked of the one thing and of the other.
hard='how difficult that is'
good='specific and coherent'
kind='of what kind it is'

# says QUESTION TEXT REPLY [MEMBERS] - a rule: what the server says to requests that hold both; REPLY has ' for "
says() {
    reply=$(printf %s "$3" | sed "s/'/\\\\\\\\\\\\\"/g")
    printf '%s' "{\"path\":\"chat/completions\",\"body\":\"$1\",\"and\":\"$2\",\"action\":\"status\",\"code\":200,\"body_is\":\"{\\\"choices\\\":[{\\\"message\\\":{\\\"role\\\":\\\"assistant\\\",\\\"content\\\":\\\"$reply\\\"},\\\"finish_reason\\\":\\\"stop\\\"}],\\\"usage\\\":{\\\"prompt_tokens\\\":1,\\\"completion_tokens\\\":1}}\"${4:-}}"
}
tag() { # CODE OUT OPTION...
    want=$1 to=$2
    shift 2
    run "$want" --plugin-path "$DRH_BUILD/plugins" --plugin tags.so --backend infer-openai \
        --set services.infer.endpoint="$LLM" --set services.infer.model=fake-1 --set services.infer.pause=0.01 --seed 7 -o "$to" "$T/in.jsonl" "$@"
}
rules="[$(says roses "$hard" "Sure: {'intent': 'To prune.', 'knowledge': 'Roses.', 'difficulty': 'Easy'} Done.")"
rules="$rules,$(says Fermat "$hard" "{'difficulty': 'impossible'}")"
rules="$rules,$(says asdf "$hard" "{'difficulty': 'very easy'}")"
rules="$rules,$(says roses "$good" "{'explanation': 'Clear.', 'input_quality': 'good'}")"
rules="$rules,$(says Fermat "$good" "{'explanation': 'Short.', 'input_quality': 'average'}")"
rules="$rules,$(says asdf "$good" "It is very poor.")"
rules="$rules,$(says roses "$kind" "{'primary_tag': 'Advice seeking', 'other_tags': ['Information seeking', 'Gardening', 'advice seeking']}")"
rules="$rules,$(says Fermat "$kind" "{'primary_tag': 'Maths'}")"
rules="$rules,$(says asdf "$kind" "{'primary_tag': 'Other', 'other_tags': 'none'}")]"
llm_start --profile openai --rules "$rules"

echo "- labels, the texts beside them, what is no label"
tag 0 "$T/a.jsonl"
lines "$T/a.jsonl" 3
record() { grep "\"id\":[[:space:]]*\"$1\"" "$T/a.jsonl" >"$T/one" || fail "$1 is lost"; }
record q1
has "$T/one" '"difficulty":"easy"' '"intent":"To prune."' '"knowledge":"Roses."' '"input_quality":"good"' \
    '"quality_explanation":"Clear."' '"task_category":"Advice seeking","other_task_category":["Information seeking"]' \
    '"tagged":{"method":"tags","model":"fake-1"' '"unread":[]'
record q2
has "$T/one" '"difficulty":null' '"input_quality":"average"' '"task_category":"Math","other_task_category":[]' '"unread":["difficulty"]'
record q3
has "$T/one" '"difficulty": "hard"' '"input_quality":null' '"task_category":"Others"' '"unread":["quality"]' # it had one
has "$T/err" "difficulty: 1 labels; 0 replies could not be read, 1 had a label that is none" \
    "quality: 2 labels; 1 replies could not be read, 0 had" "category: 3 labels; 0 replies"
before=$(grep -c chat/completions "$LLM_LOG")
cp "$T/a.jsonl" "$T/in2.jsonl"
run 0 --plugin-path "$DRH_BUILD/plugins" --plugin tags.so --backend infer-openai --set services.infer.endpoint="$LLM" \
    --set services.infer.model=fake-1 --set services.infer.pause=0.01 -o "$T/b.jsonl" "$T/in2.jsonl"
after=$(grep -c chat/completions "$LLM_LOG")
[ $((after - before)) -le 4 ] || fail "asked for tags that are there" # two of them, and what kind of server it is

echo "- one tag; records that are not wanted by their tags"
tag 0 "$T/b.jsonl" --set 'tags=["difficulty"]' --set again=true
hasnt "$T/b.jsonl" input_quality task_category
[ "$(grep -c '"difficulty": \?"very easy"' "$T/b.jsonl")" -eq 1 ] || fail "not asked again"
tag 0 "$T/b.jsonl" --set min_quality=average --set 'categories=["Math","Others"]'
lines "$T/b.jsonl" 1
has "$T/b.jsonl" q2
has "$T/err" other_category tag_unread
tag 0 "$T/b.jsonl" --set again=true --set min_difficulty=easy --set unread=drop
lines "$T/b.jsonl" 1
has "$T/b.jsonl" q1
has "$T/err" tag_unread
tag 0 "$T/b.jsonl" --set again=true --set min_difficulty=medium
lines "$T/b.jsonl" 0
has "$T/err" too_easy
tag 0 "$T/b.jsonl" --set min_quality=excellent
has "$T/err" low_quality

echo "- what cannot be"
tag 2 "$T/b.jsonl" --set 'tags=["quality"]' --set min_difficulty=easy
has "$T/err" 'min_difficulty: add "difficulty" to tags'
tag 2 "$T/b.jsonl" --set 'tags=["beauty"]'
has "$T/err" tags
tag 2 "$T/b.jsonl" --set min_quality=splendid
has "$T/err" min_quality
echo '{"conversations": [{"from": "gpt", "value": "No question."}]}' >"$T/in.jsonl"
tag 3 "$T/b.jsonl"
has "$T/err" no_question
llm_stop

echo "- faults of the server: no error is a tag, nothing is lost"
echo '{"conversations": [{"from": "human", "value": "Why?"}]}' >"$T/in.jsonl"
llm_start --profile openai --rules '[{"path":"chat/completions","body":"<message>","action":"status","code":400,"body_is":"{\"error\":{\"message\":\"ERRORTEXT\"}}"}]'
tag 3 "$T/b.jsonl"
lines "$T/b.jsonl" 0
has "$T/b.jsonl.rejected.jsonl" infer_failed
llm_stop
