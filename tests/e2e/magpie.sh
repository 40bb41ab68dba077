#!/bin/sh
# SPDX-License-Identifier: MIT
# magpie.sh - questions and answers out of the bundled chat model: so many as asked for, the same bytes
# whatever the machine does, nothing of the template in them, and what is refused.
. "$(dirname "$0")/lib.sh"

QWEN=$DRH_SOURCE/examples/models/tiny-qwen2 N=12

# magpie CODE OUT OPTION... - a step
magpie() {
    want=$1 out=$2
    shift 2
    run "$want" --plugin magpie.so --model "$QWEN" --seed "${SEED:-7}" -o "$out" \
        --set answer_max_tokens=40 --set keep_cut_answers=true "$@"
}

questions() { # FILE
    sed 's/.*"from":"human","value":"\(\([^"\\]\|\\.\)*\)".*/\1/' "$1"
}

without_backend() {
    sed 's/"backend":"[^"]*",//' "$1"
}

echo "- so many as asked for, and the same again, whoever computes how many at once"
magpie 0 a.jsonl --set count=$N
lines a.jsonl $N
[ "$(sort -u a.jsonl | wc -l)" -eq $N ] || fail "records are there twice"
! grep -q '<|\||>\|im_start\|im_end' a.jsonl || fail "template tokens in a text"
[ "$(grep -c '"from":"human".*"from":"gpt"' a.jsonl)" -eq $N ] || fail "not all are pairs"
has a.jsonl '"source":"magpie:tiny-qwen2"' '"method":"magpie"' '"temperature":1' 'qwen2 sha256:'
for j in 1 8; do
    magpie 0 b.jsonl --set count=$N -j $j
    same a.jsonl b.jsonl
done
magpie 0 b.jsonl --set count=$N --set services.infer.streams=3
same a.jsonl b.jsonl
magpie 0 b.jsonl --set count=$N --set services.infer.pack_tokens=300
without_backend a.jsonl >a.txt
without_backend b.jsonl >b.txt
same a.txt b.txt
magpie 0 b.jsonl --set count=$((N / 2))
head -n $((N / 2)) a.jsonl >a.txt
same a.txt b.jsonl
SEED=8 magpie 0 b.jsonl --set count=$N
! cmp -s a.jsonl b.jsonl || fail "another seed says the same"

echo "- the same by its text, as a server gets it"
magpie 0 b.jsonl --set count=$N --set 'pre_query=<|im_start|>user
'
sed 's/"prompt":"[^"]*",//' a.jsonl >a.txt
sed 's/"prompt":"[^"]*",//' b.jsonl >b.txt
same a.txt b.txt

echo "- system messages by weight, more rounds, in character, filters"
magpie 0 b.jsonl --set count=$N --set 'systems=[{"use":"maths","weight":3},{"text":"You write poems.","name":"poems"}]' \
    --set rounds=2 --set 'answer_system=You are a pirate.'
lines b.jsonl $N
[ "$(grep -c '"system":"You are a pirate\."' b.jsonl)" -eq $N ] || fail "no system text"
[ "$(grep -o '"from":"human"' b.jsonl | wc -l)" -eq $((2 * N)) ] || fail "not two rounds each"
maths=$(grep -c '"system":"maths"' b.jsonl) poems=$(grep -c '"system":"poems"' b.jsonl)
[ $((maths + poems)) -eq $N ] && [ "$maths" -gt "$poems" ] && [ "$poems" -gt 0 ] || fail "$maths and $poems"
magpie 3 b.jsonl --set count=4 --set lang=Zh --set attempts=2
has "$T/err" other_language
magpie 0 b.jsonl --set count=$N --set min_chars=60 --set sanitise=llama-3
questions b.jsonl | awk 'length < 60 { bad++ } END { exit bad > 0 }' || fail "a short question"
has b.jsonl '"sanitised":"99.'

echo "- what cannot be"
run 1 --plugin magpie.so --model "$MODEL" --set count=2 -o c.jsonl
has "$T/err" "chat"
magpie 2 c.jsonl --set count=2 --set 'systems=[{"use":"math"}]'
has "$T/err" 'there is no "math"' maths
magpie 2 c.jsonl --set count=2 --set 'systems=[{"weight":2}]'
has "$T/err" "give use or text"
magpie 2 c.jsonl --set count=2 --set pre_query=x --set rounds=2
has "$T/err" "one round only"
[ ! -e c.jsonl ] || fail "an output"

echo "- in a recipe, killed and started again"
cat >r.json <<END
{ "recipe": 1, "version": "v1", "data": "$T/d", "seed": 7, "services": { "infer": { "use": "infer-openblas", "model": "$QWEN" } },
  "synthesize": [ { "use": "magpie", "domain": "Math", "dataset": "mag", "count": 20, "answer_max_tokens": 40, "keep_cut_answers": true } ],
  "select": [ { "use": "ifd", "below": 1.0, "top": 0.5 } ], "convert": [ { "use": "pretrain" } ] }
END
run 0 run r.json
made() {
    (cd "$T/d" && find interim processed -type f | LC_ALL=C sort | xargs sha256sum)
}
made >first
lines "$T/d/interim/v1/Math/mag/part-000.jsonl" 20
rm -rf "$T/d"
for pause in 0.2 0.4 0.6 0.8; do
    "$DRHOST" run -q r.json >"$T/out" 2>"$T/err" &
    pid=$!
    sleep $pause
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
    pid=
done
run 0 run r.json
made >again
same first again
