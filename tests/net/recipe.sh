#!/bin/sh
# SPDX-License-Identifier: MIT
# recipe.sh - hubs as the sources of a recipe: the quickstart's data from both hubs gives the quickstart's
# results; provenance; what is here is not fetched again; another hub takes over.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pull.sh"

D=$DRH_SOURCE/examples/data
rows 130000 | head -c 11000000 | sed '$d' >"$T/big.jsonl"
cat >"$T/spec.json" <<END
{ "repos": [
    { "hub": "hf", "id": "openai/gsm8k", "license": "mit", "files": [ { "path": "README.md", "text": "# GSM8K\n" },
      { "path": ".gitattributes", "text": "*.json text\n" }, { "path": "gsm8k.json", "file": "$D/gsm8k.json", "kind": "lfs" } ] },
    { "hub": "ms", "id": "org/roleplay", "license": "mit", "files": [ { "path": "README.md", "text": "# R\n" }, { "path": "roleplay.json", "file": "$D/roleplay.json" } ] },
    { "hub": "ms", "id": "org/alpaca", "license": "apache-2.0", "files": [ { "path": "alpaca_en.json", "file": "$D/alpaca_en.json", "kind": "lfs" },
      { "path": "alpaca_zh.json", "file": "$D/alpaca_zh.json" } ] },
    { "hub": "hf", "id": "org/chats", "license": "apache-2.0", "files": [ { "path": "sharegpt.json", "file": "$D/sharegpt.json" },
      { "path": "messages.jsonl", "file": "$D/messages.jsonl" } ] },
    { "hub": "both", "id": "org/big", "files": [ { "path": "big.jsonl", "file": "big.jsonl", "kind": "lfs" },
      { "path": "small.jsonl", "text": "{\"instruction\":\"Say hi.\",\"output\":\"Hi.\"}\n" } ] },
    { "hub": "both", "id": "org/parts", "files": [
      { "path": "README.md", "text": "---\nconfigs:\n- config_name: en\n  data_files:\n  - split: train\n    path: en/*.jsonl\n  - split: held_out\n    path: rest/**\n- config_name: zh\n  data_dir: zh\n- config_name: gone\n  data_files: gone.jsonl\n---\n# Parts\n" },
      { "path": "en/a.jsonl", "text": "{\"instruction\":\"Say en a.\",\"output\":\"A.\"}\n" },
      { "path": "en/old/b.jsonl", "text": "{\"instruction\":\"Say en b.\",\"output\":\"B.\"}\n" },
      { "path": "rest/x/c.jsonl", "text": "{\"instruction\":\"Say en c.\",\"output\":\"C.\"}\n" },
      { "path": "zh/train.jsonl", "text": "{\"instruction\":\"Say zh d.\",\"output\":\"D.\"}\n" },
      { "path": "zh/dev.jsonl", "text": "{\"instruction\":\"Say zh e.\",\"output\":\"E.\"}\n" } ] },
    { "hub": "ms", "id": "org/other", "files": [ { "path": "renamed/big.jsonl", "file": "big.jsonl", "kind": "lfs" },
      { "path": "small.jsonl", "text": "{\"instruction\":\"Say hi.\",\"output\":\"Hi.\"}\n" } ] } ] }
END
hub_start "$T/spec.json"
HF=http://127.0.0.1:$HUB MSURL=http://127.0.0.1:$MS

echo "- the quickstart's data from both hubs: the quickstart's results"
sed -e "s|\"data\": \"examples/out\"|\"data\": \"$T/local\"|" -e "s|\.\./|$DRH_SOURCE/examples/|g" \
    "$DRH_SOURCE/examples/recipes/quickstart.json" >"$T/local.json"
sed -e "s|$T/local|$T/hubs|" \
    -e "s|\"use\": \"local\", \"id\": \"gsm8k\", *\"path\": \"[^\"]*\"|\"use\": \"hf-mirror\", \"id\": \"gsm8k\", \"repo\": \"openai/gsm8k\", \"endpoint\": \"$HF\"|" \
    -e "s|\"use\": \"local\", \"id\": \"roleplay\", *\"path\": \"[^\"]*\"|\"use\": \"modelscope\", \"id\": \"roleplay\", \"repo\": \"org/roleplay\", \"endpoint\": \"$MSURL\"|" \
    -e "s|\"use\": \"local\", \"id\": \"alpaca-en\", *\"path\": \"[^\"]*\"|\"use\": \"modelscope\", \"id\": \"alpaca-en\", \"repo\": \"org/alpaca\", \"include\": [\"*_en.json\"], \"endpoint\": \"$MSURL\"|" \
    -e "s|\"use\": \"local\", \"id\": \"alpaca-zh\", *\"path\": \"[^\"]*\"|\"use\": \"modelscope\", \"id\": \"alpaca-zh\", \"repo\": \"org/alpaca\", \"files\": [\"alpaca_zh.json\"], \"endpoint\": \"$MSURL\"|" \
    -e "s|\"use\": \"local\", \"id\": \"sharegpt\", *\"path\": \"[^\"]*\"|\"use\": \"hf-mirror\", \"id\": \"sharegpt\", \"repo\": \"org/chats\", \"include\": [\"share*\"], \"endpoint\": \"$HF\"|" \
    -e "s|\"use\": \"local\", \"id\": \"messages\", *\"path\": \"[^\"]*\"|\"use\": \"hf-mirror\", \"id\": \"messages\", \"repo\": \"org/chats\", \"include\": [\"*.jsonl\"], \"endpoint\": \"$HF\"|" \
    "$T/local.json" >"$T/hubs.json"
[ "$(grep -c endpoint "$T/hubs.json")" = 6 ] || fail "the recipe was not rewritten"
run 0 check "$T/hubs.json"
run 0 run "$T/local.json"
run 0 run "$T/hubs.json"
for domain in Math General; do
    for side in local hubs; do # the same but for where it is from
        sed 's/"source":"[^"]*",//' "$T/$side/processed/v1/$domain.jsonl" >"$T/$side.$domain"
        [ -s "$T/$side.$domain" ] || fail "$side has no $domain"
    done
    same "$T/local.$domain" "$T/hubs.$domain"
done

echo "- provenance"
commit=$("$NETCTL" "$HUB" GET /api/datasets/openai/gsm8k sha)
has "$T/hubs/.drhost/v1/sources.json" "$commit" "\"endpoint\":\"$HF\"" '"repo":"openai/gsm8k"' '"license":"mit"' \
    "\"sha256\":\"$(sha256sum <"$D/gsm8k.json" | cut -d ' ' -f 1)\"" '{"path":"README.md","size":8,"git_sha1":"' '"aside":true}'
has "$T/hubs/.drhost/v1/report.json" '"commit":' '"license":'
short=$(echo "$commit" | cut -c 1-7)
has "$T/hubs.Math" '"src":"gsm8k.json:'
has "$T/hubs/processed/v1/Math.jsonl" "\"source\":\"hf-mirror:openai/gsm8k@$short\""
[ -e "$T/hubs/raw/Math/gsm8k/README.md" ] && [ -e "$T/hubs/raw/Math/gsm8k/.gitattributes" ] || fail "not the hub's whole tree"
same "$D/gsm8k.json" "$T/hubs/raw/Math/gsm8k/gsm8k.json"

echo "- once more: nothing is fetched, nothing is done again; offline, too"
: >"$HUB_LOG"
run 0 run "$T/hubs.json"
has "$T/err" "nothing had to be done again"
hub_logged 0 '/resolve'
HF_HUB_OFFLINE=1 run 0 run "$T/hubs.json"
has "$T/err" "nothing had to be done again" "HF_HUB_OFFLINE is set"

recipe_or() { # OTHER-REPO
    cat >"$T/or.json" <<END
{ "recipe": 1, "version": "v1", "data": "$T/or",
  "services": { "http": { "pause": 0.02, "longest_pause": 0.1, "stall": 3, "patience": 5, "tries": 2 } },
  "sources": [ { "use": "hf-mirror", "id": "hf", "repo": "org/big", "endpoint": "$HF", "dataset": "big",
     "or": [ { "use": "modelscope", "repo": "$1", "endpoint": "$MSURL" } ] } ],
  "preprocess": [ { "use": "chat" } ] }
END
}

echo "- a file that breaks off for good is finished from the other hub, where it left off"
recipe_or org/other
hub_reset
hub_faults '[{"match":{"port":"cdn","file":"big.jsonl","range":[5000000,11000000]},"action":"drop","after":0},
    {"match":{"port":"hub","file":"small.jsonl"},"action":"status","code":404}]'
run 0 run "$T/or.json"
has "$T/err" "2 files of hf: on from modelscope"
same "$T/big.jsonl" "$T/or/raw/General/big/big.jsonl"
[ "$(hub_state ports oss bytes)" -lt 9000000 ] || fail "it began from the start: $(hub_state ports oss bytes)"
has "$T/or/raw/General/big/small.jsonl" "Say hi."
has "$T/or/.drhost/v1/sources.json" '"source":"hf-mirror:org/big@'

echo "- nobody answers at the first hub: the second one is the source"
recipe_or org/big
hub_reset
rm -r "$T/or"
hub_ctl POST '/port?name=hub&open=0' >/dev/null
run 0 run "$T/or.json"
has "$T/err" "trying modelscope"
has "$T/or/.drhost/v1/sources.json" '"source":"modelscope:org/big@'
hub_ctl POST '/port?name=hub&open=1' >/dev/null

echo "- subsets and splits by the card, of either hub and of the alternative"
# parts USE URL OPTIONS [OR] - what was read, a letter each.
parts() {
    printf '{"recipe":1,"version":"v1","data":"%s/parts","services":{"http":{"tries":1,"patience":1}},"sources":[{"use":"%s","repo":"org/parts","endpoint":"%s","dataset":"d"%s%s}],"preprocess":[{"use":"chat"}]}' \
        "$T" "$1" "$2" "$3" "${4-}" >"$T/parts.json"
    rm -rf "$T/parts"
}
# reads LETTERS
reads() {
    run 0 run "$T/parts.json"
    [ "$(cat "$T"/parts/interim/v1/General/d/*.jsonl | grep -o '"value":"[A-E]\."' | tr -dc A-E)" = "$1" ] ||
        fail "not $1: $(cat "$T"/parts/interim/v1/General/d/*.jsonl)"
}
hub_reset
for hub in "hf-mirror $HF" "modelscope $MSURL"; do
    use=${hub% *} url=${hub#* }
    parts "$use" "$url" ""
    reads ABCED
    parts "$use" "$url" ',"subset":"en"'
    reads AC
    [ ! -e "$T/parts/raw/General/d/zh" ] || fail "another subset was fetched"
    [ -e "$T/parts/raw/General/d/README.md" ] || fail "the card did not come along"
    parts "$use" "$url" ',"subset":"en","split":"held_out"'
    reads C
    parts "$use" "$url" ',"subset":"zh","split":"validation"'
    reads E
    parts "$use" "$url" ',"split":"train"'
    run 2 run "$T/parts.json"
    has "$T/err" 'split: of which subset? The data set has en, zh, gone; give one as "subset"'
    parts "$use" "$url" ',"subset":"gone"'
    run 1 run "$T/parts.json"
    has "$T/err" "org/parts has 6 files, and none is of the subset and the split that are asked for"
    parts "$use" "$url" ',"subset":"fr"'
    run 2 run "$T/parts.json"
    has "$T/err" 'subset: there is no "fr"; the data set has en, zh, gone'
done
parts hf-mirror "http://127.0.0.1:9" ',"subset":"en","split":"train"' ",\"or\":[{\"use\":\"modelscope\",\"repo\":\"org/parts\",\"endpoint\":\"$MSURL\"}]"
reads A
run 0 pull hf-mirror:org/parts --endpoint "$HF" --subset zh --split dev --local-dir "$T/pulled"
[ "$(cd "$T/pulled" && find . -name '*.jsonl' ! -path './.cache/*')" = ./zh/dev.jsonl ] || fail "pull brought $(cd "$T/pulled" && find . -type f)"

echo "- mistakes"
printf '{"recipe":1,"sources":[{"use":"hf-mirror","repo":"o/d","includ":["x"],"or":[{"use":"modelscope","rep":"o/d"}]}]}' >"$T/bad.json"
run 2 check "$T/bad.json"
has "$T/err" "/sources/0/includ" 'did you mean "include"' "/sources/0/or/0/rep" 'did you mean "repo"'
alternative() { # KEY:VALUE
    printf '{"recipe":1,"sources":[{"use":"hf-mirror","repo":"o/d","or":[{"use":"modelscope","repo":"o/d",%s}]}]}' "$1" >"$T/bad.json"
    run 2 check "$T/bad.json"
}
for key in domain dataset reader; do
    alternative "\"$key\":\"x\""
    has "$T/err" "/sources/0/or/0/$key: an alternative has the $key of its source"
done
alternative '"or":[{"use":"modelscope","repo":"o/e"}]'
has "$T/err" "/sources/0/or/0/or: alternatives have none of their own"
printf '{"recipe":1,"sources":[{"use":"hf-mirror","repo":"a/b/c"}]}' >"$T/bad.json"
run 2 check "$T/bad.json"
has "$T/err" "is no repository"
hub_stop
