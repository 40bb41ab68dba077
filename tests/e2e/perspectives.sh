#!/bin/sh
# SPDX-License-Identifier: MIT
# perspectives.sh - answers of personas to the questions of a file, by the bundled chat model.
. "$(dirname "$0")/lib.sh"

QWEN=$DRH_SOURCE/examples/models/tiny-qwen2
printf '%s\n' "A beekeeper" "A chess player" "A nurse" "A sailor" "A baker" >people.txt
head -n 5 "$DRH_SOURCE/examples/data/messages.jsonl" >in.jsonl
n=$(wc -l <in.jsonl)

views() { # CODE OUT OPTION...
    want=$1 out=$2
    shift 2
    run "$want" --plugin personas.so:perspectives --model "$QWEN" --seed 7 -o "$out" in.jsonl \
        --set personas=people.txt --set max_tokens=60 "$@"
}

echo "- the record itself, and its answers behind it"
views 0 a.jsonl --set k=3
[ "$(grep -c '"method":"perspectives"' a.jsonl)" -gt 0 ] || fail "no answers"
[ "$(grep -vc '"method":"perspectives"' a.jsonl)" -eq "$n" ] || fail "not each record once"
sed -n 's/.*"id":"\([0-9a-f]*\)".*"parent":"\([0-9a-f]*\)".*/\2/p' a.jsonl | sort -u >parents
grep -v '"method"' a.jsonl | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/' | sort >ids
[ -z "$(comm -23 parents ids)" ] || fail "a parent that is none"
# a question's personas differ
sed -n 's/.*"parent":"\([0-9a-f]*\)".*"persona":"\([^"]*\)".*/\1 \2/p' a.jsonl | sort | uniq -d >twice
[ ! -s twice ] || fail "a persona comes twice for a question"
! grep -q '<|' a.jsonl || fail "a template token"
for j in 1 4; do
    views 0 b.jsonl --set k=3 -j $j
    same a.jsonl b.jsonl
done
views 0 b.jsonl --set k=2 --set keep_original=false
[ "$(grep -vc '"method":"perspectives"' b.jsonl || true)" -eq 0 ] || fail "the record itself"
views 0 b.jsonl --set k=5 --set similar=0 # most share some word
has "$T/err" like_another
views 0 b.jsonl --set k=5 --set similar=1
hasnt "$T/err" like_another

echo "- by category, and over all categories"
cat >kinds.jsonl <<'END'
{"persona": "A beekeeper", "kind": "farm"}
{"persona": "A shepherd of the hills", "kind": "farm"}
{"persona": "A surgeon", "kind": "clinic"}
{"persona": "A surgeon!", "kind": "clinic"}
{"persona": "A night nurse in town", "kind": "clinic"}
{"persona": "A juggler", "kind": "circus"}
END
sed 's/^{/{"job": "farm", /' in.jsonl >jobs.jsonl
kinds() { # OUT OPTION...
    to=$1
    shift
    run 0 --plugin personas.so:perspectives --model "$QWEN" --seed 7 -o "$to" jobs.jsonl --set personas=kinds.jsonl \
        --set category=kind --set max_tokens=150 --set similar=1 --set keep_original=false "$@"
}
kinds c.jsonl --set match=job --set k=16
! grep -q 'surgeon\|nurse\|juggler' c.jsonl || fail "a persona of another category"
grep -q 'beekeeper\|shepherd' c.jsonl || fail "none of the category"
kinds c.jsonl --set match=job --set category=persona # no persona is of a category "farm"
kinds c.jsonl --set spread=true --set k=3 --set keep_refusals=true
for who in 'beekeeper\|shepherd' 'surgeon\|nurse' juggler; do
    [ "$(grep -c "\"persona\":\"A \(night \)\?\($who\)" c.jsonl)" -le "$n" ] || fail "$who comes twice for a question"
done
kinds c.jsonl --set k=16 --set alike=0
kinds c.jsonl --set k=16 --set alike=0.9
! grep -q 'surgeon!' c.jsonl || fail "nearly the same persona is read"
run 2 --plugin personas.so:perspectives --model "$QWEN" -o c.jsonl in.jsonl --set personas=kinds.jsonl --set match=job
has "$T/err" "match: name the member"
run 2 --plugin personas.so:perspectives --model "$QWEN" -o c.jsonl in.jsonl --set personas=kinds.jsonl --set spread=true
has "$T/err" "spread: name the member"

echo "- what cannot be"
views 2 c.jsonl --set k=17
run 2 --plugin personas.so:personas --model "$QWEN" --set personas=people.txt -o c.jsonl in.jsonl
has "$T/err" "takes no files"
views 2 c.jsonl --set personas=nobody.txt
has "$T/err" "nobody.txt"

echo "- in a recipe: another file of personas is another run"
cat >r.json <<END
{ "recipe": 1, "version": "v1", "data": "$T/d", "services": { "infer": { "use": "infer-openblas", "model": "$QWEN" } },
  "sources": [ { "use": "local", "path": "$PWD/in.jsonl" } ],
  "preprocess": [ { "use": "chat" }, { "use": "perspectives", "personas": "$PWD/people.txt", "k": 2, "max_tokens": 40 } ] }
END
run 0 run r.json
run 0 run r.json
has "$T/err" "nothing had to be done again"
printf '%s\n' "A pilot" "A clown" "A king" >people.txt
run 0 run r.json
hasnt "$T/err" "nothing had to be done again"
! grep -rq '"persona":"A baker"\|"persona":"A nurse"' "$T/d/interim" || fail "an answer of those before"
