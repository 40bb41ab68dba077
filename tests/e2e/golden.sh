#!/bin/sh
# SPDX-License-Identifier: MIT
# golden.sh - IFD of the golden rows (float64, an implementation of its own) with two presets; and
# true pairs score lower than the same answers with another row's question.
. "$(dirname "$0")/lib.sh"
GOLDEN=$DRH_SOURCE/tests/data/tiny-gpt2/golden.jsonl
cd "$T"

# Texts stay as JSON has them: "(...)" with escapes.
text='(([^"\\]|\\.)*)'
sed -E "s/^\{\"set\":\"([a-z]*)\",\"row\":[0-9]*,\"prompt\":\"$text\\\\n\",\"output\":\"$text\",.*/\1	\2	\4/" \
    "$GOLDEN" >golden.tsv
awk -F '\t' 'NF != 3 { exit 1 }' golden.tsv || fail "golden.jsonl is not as expected"
rows=$(wc -l <golden.tsv)
[ "$rows" = 120 ] || fail "$rows golden rows"
json='{ printf "{\"instruction\":\"%s\",\"input\":\"\",\"output\":\"%s\"}\n", q, $3 }'
awk -F '\t' '{ q = $2 }'"$json" golden.tsv >true.jsonl
# The next row's question of the same set; the last row gets the first one's.
awk -F '\t' '
    NR == FNR { set[FNR] = $1; text[FNR] = $2; if (!($1 in first)) first[$1] = $2; next }
    { q = set[FNR + 1] == $1 ? text[FNR + 1] : first[$1] }'"$json" golden.tsv golden.tsv >other.jsonl

# numbers FILE: alone and conditional loss, ifd, number of scored tokens, of each record.
numbers() {
    n=$(sed -nE 's/.*"loss":\[([0-9.e+-]*),([0-9.e+-]*)\],"ifd":([0-9.e+-]*),"ifd_n":([0-9]*).*/\1 \2 \3 \4/p' "$1" |
        tee "$1.numbers" | wc -l)
    [ "$n" = "$rows" ] || fail "$n of $rows records of $1 have scores"
}

close='function off(a, b) { d = a - b; return (d < 0 ? -d : d) }
    off($1, $5) > 1e-4 * $5 || off($2, $6) > 1e-4 * $6 || off($3, $7) > 1e-4 || $4 != $8 {
        print "row " NR ": " $0 > "/dev/stderr"
        bad++
    }
    END { exit bad > 0 }'

echo "- superfiltering"
run 0 --plugin ifd.so --model "$MODEL" --set preset=superfiltering true.jsonl -o joint.jsonl
numbers joint.jsonl
sed -E 's/.*"superfiltering":\{"loss_cond":([0-9.]*),"loss_direct":([0-9.]*),"n_cond":([0-9]*),"n_direct":[0-9]*,"ifd_ppl":([0-9.]*),.*/\2 \1 \4 \3/' \
    "$GOLDEN" >joint.golden
paste -d ' ' joint.jsonl.numbers joint.golden | awk "$close" ||
    fail "superfiltering: too far from the golden numbers"

echo "- same_tokens"
run 0 --plugin ifd.so --model "$MODEL" --set preset=same_tokens true.jsonl -o apart.jsonl
numbers apart.jsonl
sed -E 's/.*"same_tokens":\{"loss_cond":([0-9.]*),"loss_direct":([0-9.]*),"n":([0-9]*),"ifd_ppl":([0-9.]*),.*/\2 \1 \4 \3/' \
    "$GOLDEN" >apart.golden
paste -d ' ' apart.jsonl.numbers apart.golden | awk "$close" ||
    fail "same_tokens: too far from the golden numbers"

echo "- the chat form of a chat model"
QWEN=$DRH_SOURCE/examples/models/tiny-qwen2
CHATS=$DRH_SOURCE/tests/data/tiny-qwen2/golden.jsonl
sed -E "s/^\{\"set\": \"[a-z]*\", \"row\": [0-9]*, (\"instruction\": \"$text\", \"input\": \"$text\", \"output\": \"$text\"), \"prompt\".*/{\1}/" \
    "$CHATS" >chats.jsonl
run 0 --plugin ifd.so --model "$QWEN" --set preset=same_tokens --set template=chat chats.jsonl -o chats.out.jsonl
numbers chats.out.jsonl
sed -E 's/.*"same_tokens": \{"loss_cond": ([0-9.]*), "loss_direct": ([0-9.]*), "n": ([0-9]*), "ifd_ppl": ([0-9.]*),.*/\2 \1 \4 \3/' \
    "$CHATS" >chats.golden
paste -d ' ' chats.out.jsonl.numbers chats.golden | awk "$close" ||
    fail "chat: too far from the golden numbers"

echo "- a model without a chat form"
run 2 --plugin ifd.so --model "$MODEL" --set template=chat chats.jsonl -o none.jsonl
has err 'the model has no chat template, as base models do'

echo "- true pairs and others"
run 0 --plugin ifd.so --model "$MODEL" --set preset=same_tokens other.jsonl -o other_scored.jsonl
numbers other_scored.jsonl
lower=$(paste -d ' ' apart.jsonl.numbers other_scored.jsonl.numbers | awk '$3 < $7' | wc -l)
echo "  $lower of $rows true pairs score lower"
[ "$lower" -ge 108 ] || fail "only $lower of $rows true pairs score lower"
