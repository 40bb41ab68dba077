#!/bin/sh
# SPDX-License-Identifier: MIT
# subset.sh - subset and split of a folder on this machine: by its card, by words in paths, and what
# is not there.
. "$(dirname "$0")/lib.sh"
mkdir -p "$T/d/en" "$T/d/zh" "$T/plain/sub"

# record FILE LETTER
record() { printf '{"instruction":"Say %s.","output":"%s."}\n' "$2" "$2" >"$1"; }
record "$T/d/en/one.jsonl" A
record "$T/d/en/two.jsonl" B
record "$T/d/zh/train.jsonl" C
record "$T/d/zh/test.jsonl" D
cat >"$T/d/README.md" <<'EOF'
---
license: mit
configs:
- config_name: en
  default: true
  data_files:
  - {split: train, path: en/one.jsonl}
  - {split: more, path: "en/t*"}
- config_name: zh
  data_dir: zh
---
# A data set
EOF
record "$T/plain/train.jsonl" A
record "$T/plain/my-test.jsonl" B
record "$T/plain/sub/train.jsonl" C

# source FOLDER OPTIONS
source_of() {
    rm -rf "$T/w"
    printf '{"recipe":1,"version":"v1","data":"%s/w","sources":[{"use":"local","path":"%s/%s","dataset":"d"%s}],"preprocess":[{"use":"chat"}]}' \
        "$T" "$T" "$1" "$2" >"$T/r.json"
}

# reads LETTERS - of what was asked for
reads() {
    run 0 run "$T/r.json"
    got=$(cat "$T"/w/interim/v1/General/d/*.jsonl | grep -o '"value":"[A-E]\."' | tr -dc A-E)
    [ "$got" = "$1" ] || fail "not $1 but $got"
}

# misses TEXT
misses() {
    run "$1" run "$T/r.json"
    has "$T/err" "$2"
}

echo "- by the card"
source_of d ',"subset":"en"'
reads AB
source_of d ',"split":"more"'
reads B
source_of d ',"subset":"zh","split":"test"'
reads D
source_of d ',"subset":"de"'
misses 2 'subset: there is no "de"; the data set has en, zh'
source_of d ',"split":"test"'
misses 2 'split: there is no "test"; the data set has train, more'
source_of d ',"split":"train[:5]"'
misses 2 'split: "train[:5]": a part of a split cannot be taken'
rm "$T/d/en/two.jsonl"
source_of d ',"split":"more"'
misses 1 "none of 4 files is of the subset and the split that are asked for"

echo "- by words in paths"
source_of plain ',"split":"train"'
reads CA
source_of plain ',"subset":"sub","split":"train"'
reads C
source_of plain ',"split":"test"'
reads B
source_of plain ',"split":"dev"'
misses 2 'split: there is no "dev"; the data set has train, test'
source_of plain ',"subset":"dub"'
misses 2 'there is no "dub": the data set'"'"'s card names no subsets, and its folders are sub'
source_of "plain/*.jsonl" ',"split":"test"'
reads B

echo "- a card that is broken"
printf -- '---\nconfigs: [\n---\n' >"$T/plain/README.md"
source_of plain ',"split":"test"'
reads B
has "$T/err" "README.md: its front matter cannot be read, line 3: "
