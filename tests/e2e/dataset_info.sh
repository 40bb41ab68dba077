#!/bin/sh
# SPDX-License-Identifier: MIT
# dataset_info.sh - data sets by their name in LLaMA-Factory's registry: files beside it, columns,
# tags and roles, hubs, and what is wrong in it.
. "$(dirname "$0")/lib.sh"
mkdir -p "$T/work/lf/qa"
cd "$T/work"
cat >lf/dataset_info.json <<'EOF'
{"identity": {"file_name": "identity.json"},
 "qa": {"file_name": "qa", "columns": {"prompt": "Frage", "query": "Text", "response": "Antwort",
   "system": "Rolle", "history": "vorher"}},
 "talks": {"file_name": "talks.jsonl", "formatting": "sharegpt", "num_samples": 10,
   "columns": {"messages": "talk", "system": "sys"},
   "tags": {"role_tag": "who", "content_tag": "says", "user_tag": "Q", "assistant_tag": "A",
            "observation_tag": "R", "function_tag": "F", "system_tag": "S"}},
 "better": {"file_name": "better.json", "ranking": true,
   "columns": {"prompt": "question", "chosen": "good", "rejected": "bad"}},
 "both": {"hf_hub_url": "a/b", "ms_hub_url": "c/d", "subset": "main", "split": "test"},
 "hf only": {"hf_hub_url": "tatsu-lab/alpaca", "columns": {"prompt": "instruction"}},
 "folder": {"ms_hub_url": "x/y", "folder": "zh/", "split": "train"},
 "odd split": {"hf_hub_url": "h/u", "split": "train_sft", "formatting": "sharegpt",
   "columns": {"messages": "messages"}, "tags": {"role_tag": "role", "content_tag": "content"}},
 "slice": {"hf_hub_url": "a/b", "split": "train[:10]"},
 "script": {"script_url": "belle_multiturn"}, "om": {"om_hub_url": "a/b"},
 "cloud": {"cloud_file_name": "s3://x"}, "nowhere": {}, "form": {"file_name": "a", "formatting": "xml"}}
EOF
echo '[{"instruction":"Who are you?","input":"","output":"A test."}]' >lf/identity.json
echo '{"Frage":"Wer?","Text":"Er.","Antwort":"Niemand.","Rolle":"Kurz.","vorher":[["Was?","Das."]]}' \
    >lf/qa/a.jsonl
echo '{"talk":[{"who":"S","says":"s"},{"who":"Q","says":"q"},{"who":"F","says":"{}"},{"who":"R","says":"r"},{"who":"A","says":"a"}]}' \
    >lf/talks.jsonl
echo '[{"question":"Best?","good":"This.","bad":"That."}]' >lf/better.json

# recipe_of FILE NAME [MORE]
recipe_of() {
    printf '{"recipe": 1, "version": "v1", "data": "%s/d", "sources": [{"use": "dataset-info",
        "file": "lf/dataset_info.json", "name": "%s"%s}], "preprocess": [{"use": "chat"}]}\n' "$T" "$2" \
        "${3-}" >"$1"
}

# got DATASET - its only record, conversation and system text.
got() {
    sed 's/,"metadata":.*//; s/"bad":"That.",//' "$T/d/interim/v1/General/$1/part-000.jsonl"
}

# expect DATASET CONVERSATIONS [SYSTEM]
expect() {
    printf '{"conversations":%s%s\n' "$2" "${3:+,\"system\":\"$3\"}" >"$T/want"
    got "$1" >"$T/got"
    same "$T/want" "$T/got"
}
turn() { printf '{"from":"%s","value":"%s"}' "$1" "$2"; }

echo "- files beside the registry"
recipe_of r.json identity
run 0 check r.json
run 0 run r.json
expect identity "[$(turn human 'Who are you?'),$(turn gpt 'A test.')]"
# The source is named as if it stood in the recipe, from wherever that is run.
has "$T/d/interim/v1/General/identity/part-000.jsonl" '"source":"local:lf/identity.json"'
cp "$T/d/interim/v1/General/identity/part-000.jsonl" "$T/here"
rm -rf "$T/d"
cd "$T"
run 0 run work/r.json
same "$T/here" "$T/d/interim/v1/General/identity/part-000.jsonl"
cd "$T/work"

echo "- columns, tags, roles"
recipe_of r.json qa ', "domain": "General"'
run 0 run r.json
expect qa "[$(turn human 'Was?'),$(turn gpt 'Das.'),$(turn human 'Wer?\nEr.'),$(turn gpt 'Niemand.')]" 'Kurz.'
recipe_of r.json talks ', "dataset": "own name"'
run 0 run r.json
has "$T/err" "talks: num_samples is not taken over"
expect "own name" "[$(turn human q),$(turn function_call '{}'),$(turn observation r),$(turn gpt a)]" s
recipe_of r.json better
run 0 run r.json
expect better "[$(turn human 'Best?'),$(turn gpt 'This.')]"

echo "- what it says of a hub"
# stands NAME ENTRY [MORE] - what stands in the recipe instead.
stands() {
    recipe_of r.json "$1" "${3-}"
    run 0 check -v r.json
    has "$T/err" "$1 is $2"
}
stands both '{"use":"hf-mirror","repo":"a/b","subset":"main","split":"test","or":[{"use":"modelscope","repo":"c/d"}],"dataset":"both","then":[{"use":"chat"}]}'
stands both '{"use":"modelscope","repo":"c/d","subset":"main","split":"test","or":[{"use":"hf-mirror","repo":"a/b"}],' \
    ', "hub": "modelscope"'
stands "hf only" '{"use":"hf-mirror","repo":"tatsu-lab/alpaca","split":"train","dataset":"hf only","then":[{"use":"chat","prompt_key":"instruction"}]}'
stands folder '{"use":"modelscope","repo":"x/y","include":["zh/"],"split":"train",'
stands "odd split" '{"use":"hf-mirror","repo":"h/u","split":"train_sft","dataset":"odd split","then":[{"use":"chat","messages_key":"messages","role_key":"role","content_key":"content"}]}'
stands "hf only" '{"use":"hf-mirror","repo":"tatsu-lab/alpaca","split":"dev",' ', "split": "dev"'

echo "- what is wrong"
# wrong NAME TEXT [MORE]
wrong() {
    recipe_of r.json "$1" "${3-}"
    run 2 check r.json
    has "$T/err" "$2"
}
wrong qq '/sources/0: lf/dataset_info.json has no data set "qq"; it has identity, qa, talks'
wrong script "script: is made by a loading script"
wrong om "om: is on the openMind hub only"
wrong cloud "cloud: is in a cloud's storage"
wrong nowhere "nowhere: names no place"
wrong form "form: formatting is none of alpaca, sharegpt, openai"
wrong slice 'split: "train[:10]": a part of a split cannot be taken'
wrong qa "stands for another source, which brings its alternatives" ', "or": [{"use": "local", "path": "x"}]'
wrong qa '/sources/0/hub: must be' ', "hub": "openmind"'
echo '{"qa": {"file_name": "qa"},' >lf/dataset_info.json
wrong qa "lf/dataset_info.json: "
echo '[]' >lf/dataset_info.json
wrong qa "is no object of data sets"
rm lf/dataset_info.json
wrong qa "lf/dataset_info.json"
printf '{"recipe": 1, "sources": [{"use": "local", "path": "lf", "or": [{"use": "dataset-info", "file": "r.json", "name": "a"}]}]}' >b.json
run 2 check b.json
has "$T/err" "/sources/0/or/0: dataset-info stands for another source; put it in its place"
