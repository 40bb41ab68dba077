#!/bin/sh
# SPDX-License-Identifier: MIT
# bytes.sh - converters that write files of their own format: names, order, counts, faults, resume.
[ ! -w /dev/shm ] || export TMPDIR="${TMPDIR:-/dev/shm}"
. "$(dirname "$0")/lib.sh"
FAKES=$DRH_BUILD/tests/plugins
PAIR=$FAKES/pair.so
sources "$T/src" 700

go() { # CODE ARGUMENT...
    run "$@"
    ! grep -q 'BROKEN\|Sanitizer\|runtime error' "$T/err" || fail "the host broke a promise"
}
step() { # CODE STAGE ARGUMENT... - the third source: 701 records, 2 bad ones
    want=$1
    stage=$2
    shift 2
    go "$want" --plugin pretrain.so --plugin "$stage" "$T/src/bad.jsonl" "$@"
}
whole() { # BIN IDX N - the index has N texts, which make up the .bin
    awk -v n="$3" '
        $1 == "total" { total = $2; next }
        $1 != at { print "a hole at " at; exit 1 }
        { at += $2; seen++ }
        END { if (seen != n || total != n) { print seen " and " total " texts"; exit 1 } print at }' \
        "$2" >"$T/size" || fail "$2: $(cat "$T/size")"
    [ "$(cat "$T/size")" = "$(wc -c <"$1")" ] || fail "$1 is not as long as $2 says"
}
tidy() { # no temporary is left in a folder
    [ -z "$(find "$1" -name '*.tmp-*')" ] || fail "temporary files are left"
}

echo "- single steps: two files, one file, none"
go 0 --plugin pretrain.so "$T/src/bad.jsonl" --set metadata=false
sed 's/^{"content":"\(.*\)"}$/\1/; s/\\n/\n/g' "$T/out" | tr -d '\n' >"$T/text"
step 0 "$PAIR:pair" -o "$T/out.d/o" -j 1
has "$T/err" "pair: 701 in, 701 out"
whole "$T/out.d/o.bin" "$T/out.d/o.idx" 701
tr -d '\n' <"$T/out.d/o.bin" >"$T/got" # in order, all of them
same "$T/text" "$T/got"
lines "$T/out.d/o.rejected.jsonl" 2
[ "$(ls "$T/out.d" | wc -l)" = 3 ] || fail "more files than asked for"
for who in pair pair-pinned pair-workers; do
    for jobs in 2 8; do
        step 0 "$PAIR:$who" -o "$T/again" -j $jobs
        same "$T/out.d/o.bin" "$T/again.bin"
        same "$T/out.d/o.idx" "$T/again.idx"
    done
done
step 2 "$PAIR:pair"
has "$T/err" "-o NAME" "NAME.bin" "NAME.idx"
step 0 "$PAIR:single" -o "$T/one.file"
has "$T/one.file" "head ......" "total 701"
[ ! -e "$T/one.file.out" ] || fail "one file is not called as it was named"
step 0 "$PAIR:single" # to standard output
same "$T/one.file" "$T/out"
step 0 "$PAIR:single" --set single.patch=true -o "$T/one.file"
has "$T/one.file" "head 000701"
step 1 "$PAIR:single" --set single.patch=true >"$T/out"
has "$T/err" "step single: cannot go back"
go 2 --plugin "$PAIR:pair" --plugin pretrain.so "$T/src/bad.jsonl" -o "$T/o"
has "$T/err" "writes files of a format of its own" "put it last"
step 0 "$PAIR:pair" -o "$T/few" --set pair.every=10
has "$T/err" "pair: 701 in, 631 out, " "70 failed: even 70"
grep -c 'reason":"even"' "$T/few.rejected.jsonl" >"$T/n"
[ "$(cat "$T/n")" = 70 ] || fail "not all failed records are named"
step 3 "$PAIR:pair" -o "$T/none" --set pair.field=nothing
has "$T/err" "no_content" "every record is bad"
cp "$T/src/one.jsonl" "$T/zip.jsonl"
go 0 --plugin pretrain.so --plugin "$PAIR:single" "$T/zip.jsonl" -o "$T/one.zst"
[ "$(head -c 4 "$T/one.zst" | od -An -tx1 | tr -d ' ')" = 28b52ffd ] || fail "not compressed"

echo "- single steps: what goes wrong leaves no file"
for fault in begin write write_status end end_silent bad_part; do
    rm -rf "$T/f"
    mkdir "$T/f"
    step 1 "$PAIR:pair" -o "$T/f/o" --set pair.fault=$fault -j 2
    has "$T/err" "step pair: "
    [ ! -e "$T/f/o.bin" ] && [ ! -e "$T/f/o.idx" ] || fail "$fault: a file"
    tidy "$T/f"
done
has "$T/err" "bytes for part 7 of 2"
step 1 "$PAIR:pair" -o "$T/f/o" --set pair.fault=end
has "$T/err" "step pair: no end in sight"
step 1 "$PAIR:pair" -o "$T/f/o" --set pair.fault=write_status
has "$T/err" "unknown status 4711"
step 1 "$PAIR:single" -o "$T/f/o" --set single.fault=patch_beyond --set single.patch=true
has "$T/err" "step single: bytes " "not written before"
step 3 "$PAIR:pair" -o "$T/f/o" --set pair.fault=unsettled
has "$T/err" unsettled
step 1 "$PAIR:single" -o /dev/full
has "$T/err" "/dev/full"

job() { # FILE CONVERT [MORE] - CONVERT are the steps of convert, MORE are members
    cat >"$1" <<END
{ "recipe": 1, "version": "v1", "data": "$T/d", "seed": 7, "part_records": 150,
  "sources": [
    { "use": "local", "id": "one", "path": "$T/src/one.jsonl", "domain": "Math", "dataset": "one" },
    { "use": "local", "id": "two", "path": "$T/src/two.jsonl", "domain": "General", "dataset": "two" },
    { "use": "local", "id": "bad", "path": "$T/src/bad.jsonl", "domain": "General", "dataset": "bad" } ],
  "preprocess": [ { "use": "chat" } ], ${3:-}
  "convert": [ $2 ] }
END
}
job "$T/r.json" '{ "use": "pretrain" }, { "use": "pair" }'
work() { # CODE [ARGUMENT...]
    want=$1
    shift
    go "$want" run "$T/r.json" --plugin-path "$FAKES" "$@"
}

echo "- a recipe: a set of files a domain"
work 0 -j 1
P=$T/d/processed/v1
whole "$P/Math.bin" "$P/Math.idx" 700
whole "$P/General.bin" "$P/General.idx" 1400
[ "$(ls "$P" | wc -l)" = 4 ] || fail "not four files"
tidy "$T/d"
cp -r "$P" "$T/want"
for file in Math.bin Math.idx General.bin General.idx; do
    has "$T/d/.drhost/v1/report.json" "$P/$file" "$(sha256sum "$P/$file" | cut -c 1-64)"
done
has "$T/d/.drhost/v1/report.json" '"balanced":	true' '"step":	"pair"'
run 0 report "$T/r.json"
has "$T/out" "General.idx" "1400 records"
stamps "$T/d" v1 processed >"$T/stamps"
work 0 --resume=strict
has "$T/err" "nothing had to be done again"
hasnt "$T/err" "is not of this recipe"
stamps "$T/d" v1 processed >"$T/got"
same "$T/stamps" "$T/got"
run 0 report "$T/r.json"
has "$T/out" "General.idx" "Math.bin" "pair"
echo x >>"$P/Math.idx" # one of a set is damaged: the set is made again
work 0 -j 8
has "$T/err" "output/Math/all part 0 is redone" "Math.idx is gone or was changed"
for file in Math.bin Math.idx General.bin General.idx; do
    same "$T/want/$file" "$P/$file"
done
work 2 --set pair.every=2 --resume=strict
has "$T/err" "pair.every"
work 0 --set pair.every=3 --max-bad 0.5
whole_n=$(grep -vc total "$P/Math.idx")
[ "$whole_n" = 467 ] || fail "$whole_n of 700 are left"
has "$T/d/.drhost/v1/report.json" '"even":	349' '"odd":	350'
work 1 --set pair.fault=end --set compress=true
has "$T/err" "step pair: no end in sight"
tidy "$T/d"
rm -rf "$T/d"
work 1 --set pair.fault=end
[ -z "$(ls "$P" 2>/dev/null)" ] || fail "a file in spite of end()"
work 0 --set compress=true -j 2 # parts are, files of another format are not
same "$T/want/General.bin" "$P/General.bin"
job "$T/r.json" '{ "use": "pair" }, { "use": "pretrain" }'
work 2
has "$T/err" "/convert/0" "put it last"

echo "- after a selection, and in the middle of a model's work"
rm -rf "$T/d"
job "$T/r.json" '{ "use": "pretrain" }, { "use": "pair" }' \
    "\"select\": [ { \"use\": \"$DRH_BUILD/tests/sdk/score_length.so\", \"top\": 0.5 } ],"
work 0 -j 2
n=$(cat "$P"/*.idx | grep -vc total)
[ "$n" = 1050 ] || fail "$n records instead of half of 2100"
has "$T/d/.drhost/v1/report.json" '"not_selected":	'
rm -rf "$T/d"
job "$T/r.json" '{ "use": "pretrain" }, { "use": "ask-text" }, { "use": "pair", "field": "answer" }' \
    '"services": { "infer": { "use": "infer-fake" } },'
work 0 -j 2 --limit 200
whole "$P/General.bin" "$P/General.idx" 397
cp -r "$P" "$T/asked"
stamps "$T/d" v1 processed >"$T/stamps"
work 0 --limit 200 --resume=strict
stamps "$T/d" v1 processed >"$T/got"
same "$T/stamps" "$T/got"
run 0 report "$T/r.json"
has "$T/out" "Every record is accounted for" "ask-text"
work 1 --limit 200 --set pair.fault=end # no answer is asked for twice
work 0 --limit 200 --set ask-text.extra=1
[ -z "$(find "$T/d/.drhost/v1/journal" -type f)" ] || fail "answers are kept in journals, not in parts"
rm -rf "$T/d"
work 0 -j 8 --limit 200
same "$T/asked/General.bin" "$P/General.bin"
same "$T/asked/General.idx" "$P/General.idx"

echo "- two domains, one name"
rm -rf "$T/d"
job "$T/r.json" '{ "use": "pretrain" }, { "use": "twins" }'
sed -i 's/"Math"/"General_b"/' "$T/r.json"
work 2 --limit 5
has "$T/err" "the domains General_b and General both write" "General_b.bin"

echo "- killed at any moment"
job "$T/r.json" '{ "use": "pretrain" }, { "use": "pair" }'
killed=0
tries=0
rm -rf "$T/d"
while [ $killed -lt 8 ] && [ $tries -lt 60 ]; do
    "$DRHOST" run "$T/r.json" --plugin-path "$FAKES" -j 2 >"$T/out" 2>"$T/err" &
    pid=$!
    sleep "0.$((tries % 3))$((tries * 7 % 10))"
    code=0
    kill -9 $pid 2>/dev/null || true
    wait $pid || code=$?
    pid=
    [ $code = 137 ] || [ $code = 0 ] || fail "exit code $code"
    for file in Math General; do # never half a set of two
        [ ! -e "$P/$file.bin" ] || same "$T/want/$file.bin" "$P/$file.bin"
        [ ! -e "$P/$file.idx" ] || same "$T/want/$file.idx" "$P/$file.idx"
    done
    [ $code = 0 ] || killed=$((killed + 1))
    [ $code != 0 ] || rm -rf "$T/d"
    tries=$((tries + 1))
done
[ $killed -gt 0 ] || fail "nothing was killed"
work 0
for file in Math.bin Math.idx General.bin General.idx; do
    same "$T/want/$file" "$P/$file"
done
tidy "$T/d"
