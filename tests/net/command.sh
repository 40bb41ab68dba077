#!/bin/sh
# SPDX-License-Identifier: MIT
# command.sh - drhost pull as people use it: addresses, files, globs, dry runs, JSON, the token on the
# command line, offline, the other hub when one fails.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pull.sh"

hi=$(printf '# hi\n' | sha256sum | cut -d ' ' -f 1)
cat >"$T/spec.json" <<END
{ "tokens": [ { "token": "hf_canary", "hub": "hf", "user": "alice", "can": ["o/private"] } ],
  "repos": [
    { "hub": "both", "id": "o/d", "license": "mit", "files": [
      { "path": "README.md", "text": "# hi\n" }, { "path": "data/en/train.jsonl", "text": "{\"a\":1}\n" },
      { "path": "data/en/test.jsonl", "text": "{\"a\":2}\n" }, { "path": "data/zh/train.jsonl", "text": "{\"a\":3}\n" },
      { "path": "data/x[1].jsonl", "text": "{}\n" },
      { "path": "big.bin", "size": 20000000, "seed": 3, "kind": "lfs" } ] },
    { "hub": "hf", "type": "models", "id": "gpt9", "license": "apache-2.0", "files": [ { "path": "config.json", "text": "{}\n" } ] },
    { "hub": "hf", "id": "o/private", "private": true, "files": [ { "path": "a.bin", "size": 20000000, "seed": 5, "kind": "lfs" } ] },
    { "hub": "hf", "id": "o/sums", "files": [ { "path": "sub/hi.md", "text": "# hi\n" }, { "path": "other.txt", "text": "x" },
      { "path": "SHA256SUMS", "text": "$hi  sub/hi.md\n$hi *./other.txt\n" } ] },
    { "hub": "hf", "id": "o/good", "files": [ { "path": "sub/hi.md", "text": "# hi\n" },
      { "path": "SHA256SUMS", "text": "$hi  sub/hi.md\n" } ] },
    { "hub": "hf", "id": "o/empty", "files": [] } ] }
END
hub_start "$T/spec.json"
from hf

files() { # NAME... - exactly these came
    (cd "$OUT" && find . -path ./.cache -prune -o -type f -print | sed 's|^\./||' | LC_ALL=C sort) >"$T/have"
    printf '%s\n' "$@" | LC_ALL=C sort >"$T/want"
    diff "$T/want" "$T/have" >&2 || fail "other files than asked for"
}

case_of "files by name, folders, globs"
pull 0 o/d README.md data/en/
files README.md data/en/train.jsonl data/en/test.jsonl
OUT=
pull 0 o/d 'data/x[1].jsonl'
files 'data/x[1].jsonl'
OUT=
pull 0 o/d --include '*train.jsonl'
files data/en/train.jsonl data/zh/train.jsonl
OUT=
pull 0 o/d --include 'data/*' --exclude '*/zh/*' --exclude '*[[]*'
files data/en/train.jsonl data/en/test.jsonl
OUT=
pull 1 o/d --include '*.nothing'
has "$T/err" "has 6 files, and none is wanted"
pull 1 o/d nothere.json
pull 1 o/d README.md nothere.json data/en
has "$T/err" "has no nothere.json"
absent README.md
pull 2 o/d --include '*.md' README.md
has "$T/err" "--include A --include B"
pull 1 o/empty
has "$T/err" "has no file"

case_of "names as a shell completes them; folders without a slash"
pull 0 o/d ./README.md
files README.md
OUT=
run 0 pull hf://datasets/o/d/data/en --endpoint "$HUBURL" $QUICK --local-dir "$T/slash"
OUT=$T/slash
files data/en/train.jsonl data/en/test.jsonl
run 1 pull hf://datasets/o/d/data/e --endpoint "$HUBURL" $QUICK --local-dir "$T/slash2"
has "$T/err" "none is wanted" "the path in the address"
run 0 pull "https://huggingface.co/datasets/o/d/tree/main/README.md" --endpoint "$HUBURL" $QUICK --local-dir "$T/slash3"
OUT=$T/slash3
files README.md
run 2 pull hf://datasets/o/d/README.md%00zzz --endpoint "$HUBURL" $QUICK --local-dir "$T/slash4"
has "$T/err" "%00"
run 0 pull "modelscope:http://127.0.0.1:$MS/datasets/o/d/tree/master/data/en" $QUICK --local-dir "$T/slash5"
OUT=$T/slash5
files data/en/train.jsonl data/en/test.jsonl
run 2 pull "modelscope:http://127.0.0.1:$MS/datasets/o/d/files?path=data" $QUICK --local-dir "$T/slash6"

case_of "where to: DATA/raw/DOMAIN/DATASET"
run 0 pull hf-mirror:o/d README.md --endpoint "$HUBURL" $QUICK --data dd --domain Math
[ "$(cat "$T/out")" = dd/raw/Math/d ] && [ -e dd/raw/Math/d/README.md ] || fail "not there: $(cat "$T/out")"

run 0 pull --plugin "$DRH_BUILD/tests/sdk/sums_hub.so" "sums:$HUBURL/datasets/o/good/resolve/main/" $QUICK --data dd
[ "$(cat "$T/out")" = dd/raw/General/main ] || fail "not there: $(cat "$T/out")"

case_of "a dry run does nothing"
OUT=$T/dry
pull 0 o/d --dry-run
has "$T/out" "Will download 6 files (out of 6)"
[ ! -e "$OUT" ] || fail "a dry run makes $OUT"
pull 0 o/d README.md
find "$OUT" | sort >"$T/before"
exec 7>>"$OUT/.cache/drhost/lock"
flock 7 # as another download has it
pull 0 o/d --dry-run
has "$T/out" "Will download 5 files (out of 6)"
pull 75 o/d
exec 7>&-
find "$OUT" | sort | diff "$T/before" - >&2 || fail "a dry run changes $OUT"

case_of "nothing is written through links of the state folder"
echo mine >"$T/precious"
for link in .cache/drhost/lock .cache/drhost/manifest.jsonl .cache/drhost/.gitignore .cache/drhost .cache; do
    OUT=$T/linked
    rm -rf "$OUT"
    mkdir -p "$OUT/$(dirname "$link")"
    ln -s "$T/precious" "$OUT/$link"
    pull 1 o/d README.md
    has "$T/err" "$OUT/$link is a link"
    [ "$(cat "$T/precious")" = mine ] || fail "$link leads out of the folder"
done

case_of "how many at once"
for n in 0 65 5000 x; do
    pull 2 o/d --max-workers "$n"
    has "$T/err" "--max-workers: must be a whole number from 1 to 64"
done
(ulimit -n 64 && pull 0 o/d --max-workers 64) || fail "too many files are open"

case_of "what is set for nobody"
pull 2 o/d README.md --set services.htp.connections=1
has "$T/err" '/services/htp: there is no such service; did you mean "http"?'
pull 2 o/d README.md --set services.nonsense.x=1
has "$T/err" '/services/nonsense: there is no such service; known are: infer, http, fetch'
pull 0 o/d README.md --set services.infer.model=x
has "$T/err" '/services/infer: no step needs this service'

case_of "addresses as they are pasted"
for address in hf://datasets/o/d/README.md "hf://datasets/o/d@main/README.md" "http://127.0.0.1:$HUB/datasets/o/d/blob/main/README.md" \
    https://huggingface.co/datasets/o/d/resolve/main/README.md?download=true; do
    case $address in
    http:*) run 0 pull "hf-mirror:$address" $QUICK --local-dir "$T/a" ;; # its own host is asked
    *) run 0 pull "$address" --endpoint "$HUBURL" $QUICK --local-dir "$T/a" ;;
    esac
    OUT=$T/a
    files README.md
    rm -r "$T/a"
done
run 0 pull https://huggingface.co/datasets/o/d/tree/main/data/en --endpoint "$HUBURL" $QUICK --local-dir "$T/a"
files data/en/train.jsonl data/en/test.jsonl
run 0 pull https://huggingface.co/gpt9 --endpoint "$HUBURL" $QUICK --local-dir "$T/m"
[ -e "$T/m/config.json" ] || fail "a model's page"
HF_ENDPOINT=$HUBURL run 0 pull hf-mirror:gpt9 --repo-type model $QUICK --local-dir "$T/m2"
run 0 pull "https://modelscope.cn/datasets/o/d/resolve/master/README.md" --endpoint "http://127.0.0.1:$MS" $QUICK --local-dir "$T/ms"
[ -e "$T/ms/README.md" ] || fail "a ModelScope page"
run 2 pull o/d
has "$T/err" "from which source" "hf-mirror, modelscope"
run 2 pull hf-mirrow:o/d
run 2 pull hf-mirror:o/d --nosuch
run 2 pull hf-mirror:a//b
run 2 pull hf-mirror:o/d --endpoint not-a-url
run 2 pull hf-mirror:o/d --endpoint http://hub.example --token x
has "$T/err" "not encrypted"

case_of "dry run, JSON"
pull 0 o/d --dry-run
has "$T/out" "[dry-run] Will download 6 files (out of 6) totalling 20.0M." "data/en/train.jsonl"
[ ! -e "$OUT/README.md" ] || fail "a dry run downloaded"
pull 0 o/d --json
has "$T/out" '{"ok":true,"path":"' '"source":"hf-mirror:o/d@' '"license":"mit"' '"brought":6' '{"path":"README.md","state":"brought","size":5}'
pull 1 o/nothere --json
has "$T/out" '{"ok":false,"error":"auth"' '"message":"'
hub_faults '[{"match":{"file":"big.bin"},"action":"flip","offset":5}]'
rm "$OUT/big.bin"
pull 1 o/d --json
has "$T/out" '{"ok":false,"error":"integrity"' '{"path":"big.bin","state":"failed","size":20000000,"error":"integrity"'
hub_faults '[]'
pull 1 o/d --revision nope --json
has "$T/out" '"error":"not_found"'

case_of "--token is gone from the command line before the first request" \
    '[{"match":{"file":"a.bin"},"action":"bandwidth","each":3000000}]'
"$DRHOST" pull hf-mirror:o/private --endpoint "$HUBURL" --local-dir "$T/p" $QUICK --token hf_canary >"$T/out" 2>"$T/err" &
pid=$!
tries=0
while [ ! -s "$HUB_LOG" ] && [ $tries -lt 100 ]; do
    tries=$((tries + 1))
    sleep 0.02
done
tr '\0' ' ' <"/proc/$pid/cmdline" >"$T/cmdline"
tr '\0' ' ' <"/proc/$pid/environ" >"$T/environ"
wait "$pid" || fail "the download failed: $(cat "$T/err")"
pid=
has "$T/cmdline" "--token xxxxxxxxx"
has "$T/err" "--token-file"
hub_safe

case_of "a token from a file, a pipe, with white space around it; one that is none"
printf '  hf_canary \r\n\n' >"$T/token.txt"
pull 0 o/private --token-file "$T/token.txt"
mkfifo "$T/token.fifo"
cat "$T/token.txt" >"$T/token.fifo" &
pull 0 o/private --token-file "$T/token.fifo" --force-download
HF_TOKEN=' hf_canary ' pull 0 o/private --force-download
printf 'hf_canary\nmore\n' >"$T/token.txt"
pull 2 o/private --token-file "$T/token.txt"
has "$T/err" "must hold one line of text"
rm "$T/token.txt"
from ms
pull 2 o/d --token 'a; b=c'
has "$T/err" "no token of ModelScope has"
from hf

case_of "a password in an address"
for address in "hf-mirror:http://me:hf_canary@127.0.0.1:$HUB/datasets/o/d" "modelscope:http://me:hf_canary@127.0.0.1:$MS/datasets/o/d"; do
    run 2 pull "$address" $QUICK --local-dir "$T/pass"
    has "$T/err" "a name and a password"
    ! grep -q hf_canary "$T/err" || fail "a password is printed"
done
run 2 pull hf-mirror:o/d --endpoint "http://me:hf_canary@127.0.0.1:$HUB" $QUICK --local-dir "$T/pass"
! grep -q hf_canary "$T/err" || fail "a password is printed"

case_of "offline: what is here, when that is known to be whole"
pull 0 o/d
HF_HUB_OFFLINE=1 pull 0 o/d
has "$T/err" "HF_HUB_OFFLINE is set" "has verified in"
rm "$OUT/README.md"
HF_HUB_OFFLINE=1 pull 75 o/d
has "$T/err" "README.md: changed or missing here, and the source cannot be reached"
OUT=
HF_HUB_OFFLINE=1 pull 75 o/d

case_of "some files of it do not make the rest unknown"
pull 0 o/d
pull 0 o/d README.md
pull 0 o/d --include '*/en/*'
pull 0 o/d --dry-run
has "$T/out" "Will download 0 files (out of 6)"
HF_HUB_OFFLINE=1 pull 0 o/d
has "$T/err" "6 files verified"
HF_HUB_OFFLINE=1 pull 0 o/d README.md
has "$T/err" "1 file verified"
printf x >>"$OUT/README.md" # one request of three is not complete any more
pull 0 o/d data/zh/
HF_HUB_OFFLINE=1 pull 75 o/d
HF_HUB_OFFLINE=1 pull 75 o/d README.md
HF_HUB_OFFLINE=1 pull 0 o/d --include '*/en/*'
pull 0 o/d
whole o/d
for i in $(seq 20); do
    pull 0 o/d --include README.md --include "$i"
done
[ "$(grep -c '"drhost":1' "$OUT/.cache/drhost/manifest.jsonl")" = 16 ] || fail "the manifest grows without end"

case_of "a folder that became a link is not what was verified"
pull 0 o/d
mv "$OUT/data" "$T/moved"
ln -s "$T/moved" "$OUT/data"
pull 1 o/d
has "$T/err" '"data" on its way is a symbolic link'

case_of "tokens with characters that none has; a file that is no text"
pull 2 o/d --token 'hf_x y'
has "$T/err" "token: the option token holds a character"
printf 'hf_canary\0more\n' >"$T/token.bin"
pull 2 o/private --token-file "$T/token.bin"
has "$T/err" "must hold one line of text"
rm "$T/token.bin"

case_of "a dry run where sizes are not known"
run 0 pull --plugin "$DRH_BUILD/tests/sdk/sums_hub.so" "sums:$HUBURL/datasets/o/good/resolve/main" $QUICK --local-dir "$T/unsized" --dry-run
has "$T/out" "and more, since some sizes are not known"

case_of "a hub of one's own: SHA256SUMS on any web server, sizes not known"
run 1 pull --plugin "$DRH_BUILD/tests/sdk/sums_hub.so" "sums:$HUBURL/datasets/o/sums/resolve/main" $QUICK --local-dir "$T/sums"
[ "$(cat "$T/sums/sub/hi.md")" = "# hi" ] && [ ! -e "$T/sums/other.txt" ] || fail "not what SHA256SUMS says"
has "$T/err" "other.txt: what came twice is not what the hub lists"

echo "== no token anywhere"
! grep -rl hf_canary "$T" --exclude=hub.log --exclude=spec.json --exclude=hub.in 2>/dev/null | grep . || fail "a token is in a file"
hub_stop
