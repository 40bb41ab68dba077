#!/bin/sh
# SPDX-License-Identifier: MIT
# personas.sh - personas by a server that says what it is asked for now and then; files of personas; personas
# out of texts and of personas.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"

cat >"$T/p.jsonl" <<'END'
{"persona": "A beekeeper in the Alps who counts on cold winters"}
{"input persona": "A night nurse who plays chess by mail"}

{"id": 3, "persona": "  A retired bridge engineer  "}
{"persona": "一位在大学教古代汉语的老师"}
{"description": "A boy who repairs old radios"}
END

recipe() { # FILE PURPOSE COUNT [MEMBERS]
    cat >"$T/r.json" <<END
{ "recipe": 1, "version": "v1", "data": "$T/data", "seed": 7,
  "services": { "infer": { "use": "infer-openai", "endpoint": "$LLM", "pause": 0.01, "timeout": 1 }, "http": { "pause": 0.01 } },
  "synthesize": [ { "use": "personas", "domain": "D", "dataset": "s", "count": $3, "personas": "$1", "purpose": "$2"${4:-} } ],
  "convert": [ { "use": "pretrain" } ] }
END
    rm -rf "$T/data"
}

# says REQUEST REPLY - a rule: what the server says to requests that hold REQUEST
says() {
    echo "{\"path\":\"chat/completions\",\"from\":8,\"body\":\"$1\",\"action\":\"status\",\"code\":200,\"body_is\":\"{\\\"choices\\\":[{\\\"message\\\":{\\\"role\\\":\\\"assistant\\\",\\\"content\\\":\\\"$2\\\"},\\\"finish_reason\\\":\\\"stop\\\"}],\\\"usage\\\":{\\\"prompt_tokens\\\":1,\\\"completion_tokens\\\":1}}\"$3}"
}
out=$T/data/interim/v1/D/s/part-000.jsonl

echo "- questions, each of another persona, and their answers"
llm_start --profile openai --rules "[$(says 'User prompt:' '**User prompt:** How deep is the snow?' '')]"
recipe "$T/p.jsonl" instruction 10
sed -i 's|"endpoint"|"model": "fake-1", "endpoint"|' "$T/r.json"
recipe_run 0 "$T/r.json"
lines "$out" 10
balanced
[ "$(grep -c '"from":"human","value":"How deep is the snow?"},{"from":"gpt"' "$out")" -eq 10 ] || fail "not what was said"
for who in beekeeper "night nurse" '"A retired bridge engineer"' 古代汉语 "old radios"; do
    [ "$(grep -c "$who" "$out")" -eq 2 ] || fail "$who does not come twice"
    [ "$(head -n 5 "$out" | grep -c "$who")" -eq 1 ] || fail "$who comes again before all have come"
done
llm_stop

echo "- articles, kept with their titles and no question"
llm_start --profile vllm --rules "[$(says 'Title:' 'Title: Snow' '')]"
recipe "$T/p.jsonl" knowledge 5
recipe_run 0 "$T/r.json"
[ "$(grep -c '"conversations":\[{"from":"gpt","value":"Title: Snow"}\]' "$out")" -eq 5 ] || fail "not articles"
[ "$(grep -c '"content":"Title: Snow' "$T/data/processed/v1/D.jsonl")" -eq 5 ] || fail "not converted"
llm_stop

echo "- replies that are none: an error, a refusal, another beginning"
llm_start --profile vllm --rules "[$(says 'Math problem:' 'Sorry, no.' ',"first":1')]"
recipe "$T/p.jsonl" maths 5 ', "attempts": 2'
recipe_run 3 "$T/r.json"
no_error_text
grep -q '"no_opening"' "$T/data/.drhost/v1/report.json" || fail "no reason"
llm_stop
llm_start --profile vllm --rules "[$(says 'Name:' "Name: I'm sorry" ''),$(says 'Name:' "Name: x<|im_end|>" '')]"
recipe "$T/p.jsonl" character 4 ', "attempts": 2'
sed -i "s/I'm sorry/x/" "$T/r.json"
recipe_run 3 "$T/r.json"
grep -q '"refusal"' "$T/data/.drhost/v1/report.json" || fail "a refusal is kept"

echo "- files of personas that are none"
recipe "$T/none.jsonl" character 4
recipe_run 2 "$T/r.json"
has "$T/err" none.jsonl
echo '{"name": "x"}' >"$T/odd.jsonl"
recipe "$T/odd.jsonl" character 4
recipe_run 2 "$T/r.json"
has "$T/err" "odd.jsonl:1" "name its member with field"
echo '{"persona": ' >"$T/odd.jsonl"
recipe_run 2 "$T/r.json"
has "$T/err" "odd.jsonl:1"
: >"$T/odd.jsonl"
recipe_run 2 "$T/r.json"
has "$T/err" "holds none"
llm_stop

echo "- personas out of texts, and out of these others: records that a stage of personas can read"
cat >"$T/texts.jsonl" <<'END'
{"metadata": {"id": "t1"}, "text": "Snow loads on trusses"}
{"text": "Bees in winter"}
{"conversations": [{"from": "human", "value": "How do I prune roses?"}, {"from": "gpt", "value": "In spring."}]}
{"name": "there is no text"}
END
make() { # CODE OUT IN OPTION...
    want=$1 to=$2 in=$3
    shift 3
    run "$want" --plugin-path "$DRH_BUILD/plugins" --plugin personas.so:persona-maker --backend infer-openai \
        --set services.infer.endpoint="$LLM" --set services.infer.pause=0.01 --seed 7 -o "$to" "$in" "$@"
}
llm_start --profile vllm --rules "[$(says trusses 'Persona: - A structural engineer who checks old roofs in the mountains\\\\n\\\\nMore.' ''),$(says Bees '**Persona:** Bees in winter, bees in winter and always' ''),$(says roses 'Persona: A gardener' ''),$(says roofs 'Persona: An insurance clerk who counts collapsed barns after storms' ''),$(says barns 'Persona: An insurance clerk who counts collapsed barns after storms' '')]"
make 0 "$T/people.jsonl" "$T/texts.jsonl" --set k=2
lines "$T/people.jsonl" 1
[ "$(grep -c '"persona":"A structural engineer who checks old roofs in the mountains"' "$T/people.jsonl")" -eq 1 ] || fail "not the persona"
grep -q '"parent":"t1"' "$T/people.jsonl" || fail "no parent"
grep -q '"method":"persona-maker"' "$T/people.jsonl" || fail "no note"
has "$T/err" like_another persona_short no_text
make 0 "$T/all.jsonl" "$T/texts.jsonl" --set keep_original=true --set min_words=2
[ "$(grep -c '"persona"' "$T/all.jsonl")" -eq 3 ] || fail "not each persona"
lines "$T/all.jsonl" 6
make 0 "$T/further.jsonl" "$T/people.jsonl" --set from=persona
grep -q '"persona":"An insurance clerk who counts collapsed barns after storms"' "$T/further.jsonl" || fail "not of a persona"
make 0 "$T/none.jsonl" "$T/further.jsonl" --set from=persona
has "$T/err" like_source
make 2 "$T/none.jsonl" "$T/texts.jsonl" --set from=nobody
has "$T/err" from
make 0 "$T/none.jsonl" "$T/texts.jsonl" --set field=/metadata/id
has "$T/err" no_text
llm_stop
llm_start --profile vllm --rules "[$(says 'Name:' 'Name: x' '')]"
recipe "$T/people.jsonl" character 2
recipe_run 0 "$T/r.json"
[ "$(grep -c '"persona":"A structural engineer' "$out")" -eq 2 ] || fail "the file that was made is not read"
llm_stop
