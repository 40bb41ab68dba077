#!/bin/sh
# SPDX-License-Identifier: MIT
# hubs.sh - what a hub, a mirror or a line can do (F9, F12 to F15, F18, F19, F22, F25, F26, F28 to F30):
# listings, redirects, limits, credentials, signed addresses, connections, lies.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pull.sh"

cat >"$T/spec.json" <<'END'
{ "settings": { "hf.page": 100 },
  "tokens": [ { "token": "hf_canary_1", "hub": "hf", "user": "alice", "can": ["o/gated", "o/private"] },
              { "token": "hf_canary_2", "hub": "hf", "user": "bob" },
              { "token": "ms-canary-1", "hub": "ms", "user": "eve", "can": ["o/private"] } ],
  "repos": [
    { "hub": "both", "id": "o/d", "license": "mit", "files": [
      { "path": "README.md", "text": "# hi\n" },
      { "path": "many/####.json", "count": 250, "size": 200, "seed": 9 },
      { "path": "big.bin", "size": 12000000, "seed": 3, "kind": "lfs" } ] },
    { "hub": "both", "id": "o/moves", "commits": [
      { "name": "v1", "files": [ { "path": "a.json", "text": "{\"v\":1}\n" }, { "path": "b.json", "text": "{}\n" } ] },
      { "name": "v2", "from": "v1", "files": [ { "path": "a.json", "text": "{\"v\":2}\n" } ] } ],
      "branches": { "main": "v1", "master": "v1", "other": "v2" }, "tags": { "one": "v1" } },
    { "hub": "both", "id": "o/gated", "gated": "manual", "files": [ { "path": "a.json", "text": "{}\n" },
      { "path": "a.bin", "size": 9000000, "seed": 5, "kind": "lfs" } ] },
    { "hub": "both", "id": "o/private", "private": true, "files": [ { "path": "a.json", "text": "{}\n" },
      { "path": "a.bin", "size": 9000000, "seed": 5, "kind": "lfs" } ] },
    { "hub": "hf", "id": "o/off", "disabled": true, "files": [ { "path": "a.json", "text": "{}\n" } ] },
    { "hub": "hf", "id": "o/new", "was": "o/old", "files": [ { "path": "a.json", "text": "{}\n" } ] },
    { "hub": "both", "id": "o/lies", "files": [
      { "path": "upper.bin", "size": 1000, "seed": 1, "kind": "lfs", "listed": { "sha256": "upper" } },
      { "path": "prefix.bin", "size": 1000, "seed": 2, "kind": "lfs", "listed": { "sha256": "prefix" } },
      { "path": "none.bin", "size": 1000, "seed": 3, "kind": "lfs", "listed": { "sha256": "none" } },
      { "path": "wrong.bin", "size": 1000, "seed": 4, "kind": "lfs", "listed": { "sha256": "wrong" } },
      { "path": "text.bin", "size": 1000, "seed": 5, "kind": "lfs", "listed": { "sha256": "nonsense" } },
      { "path": "size.bin", "size": 1000, "seed": 6, "kind": "lfs", "listed": { "size": 1001 } },
      { "path": "module", "text": "x", "listed": { "type": "commit" } },
      { "path": "fine.json", "text": "{}\n" } ] } ] }
END
hub_start "$T/spec.json"
unset HF_TOKEN HUGGING_FACE_HUB_TOKEN HF_TOKEN_PATH HF_HOME MODELSCOPE_API_TOKEN

echo "== hf"
from hf
case_of "F9 no X-Linked-*, F14 links that name huggingface.co"
hub_faults '[{"match":{"file":"*"},"action":"no-linked"}]'
hub_set hf.link_origin=huggingface
pull 0 o/d
whole o/d
hub_logged 3 '/tree/'

case_of "F12 429 with Retry-After: seconds, a date, none, garbage" \
    '[{"match":{"path":"/api/*"},"count":1,"action":"status","code":429,"retry_after":1},
      {"match":{"file":"many/0001.json"},"count":1,"action":"status","code":429,"retry_after":"date:1"},
      {"match":{"file":"many/0002.json"},"count":1,"action":"status","code":429},
      {"match":{"file":"many/0003.json"},"count":1,"action":"status","code":429,"retry_after":"garbage"},
      {"match":{"file":"many/0004.json"},"count":3,"action":"status","code":503}]'
started=$(date +%s)
pull 0 o/d
whole o/d
[ $(($(date +%s) - started)) -ge 2 ] || fail "Retry-After was not kept"

case_of "F12 a window of few requests is never overrun"
hub_ctl POST '/ratelimit?bucket=resolvers&q=10&w=1' >/dev/null
pull 0 o/d --include 'many/000*' --include 'many/001*'
[ "$(find "$OUT/many" -type f | wc -l)" = 20 ] || fail "not all files are there"
[ "$(hub_state limited)" = 0 ] || fail "$(hub_state limited) requests met the limit"

case_of "more files at once than there are descriptors for"
OUT=$T/few
(ulimit -n 128 && pull 0 o/d --max-workers 64) || fail "too many files are open"

case_of "F12 500 for ever" '[{"match":{"port":"hub","file":"*"},"action":"status","code":500}]'
pull 75 o/d
has "$T/err" "of 252 files could not be brought" "answers 500"

case_of "F13 a page is a 500, is cut, is no UTF-8: asked again" \
    '[{"match":{"path":"*/tree/*"},"nth":1,"action":"status","code":500},
      {"match":{"path":"*/tree/*"},"nth":3,"action":"truncate"},
      {"match":{"path":"*/tree/*"},"nth":5,"action":"bad-utf8"}]'
pull 0 o/d
whole o/d
case_of "F13 always" '[{"match":{"path":"*/tree/*cursor*"},"action":"bad-utf8"}]'
pull 75 o/d
has "$T/err" "the listing is broken"
absent README.md
case_of "F13 pages in a circle" '[{"match":{"path":"*/tree/*"},"action":"link","cursor":"same"}]'
pull 75 o/d
has "$T/err" "repeats a page"
case_of "F13 the next page is at a stranger's" \
    '[{"match":{"path":"*/tree/*"},"action":"link","origin":"http://evil.example"}]'
pull 75 o/d --token hf_canary_1
has "$T/err" "http://evil.example, which is not the hub"
hub_safe

case_of "F16 a login page instead of a listing" '[{"match":{"path":"*/tree/*"},"action":"html"}]'
pull 75 o/d
has "$T/err" "a page for people"

case_of "F18 redirects that are refused"
for to in "" "file:///etc/passwd" "ftp://127.0.0.1/x" "http://user:pw@127.0.0.1/x" "../../../x" \
    "javascript:alert(1)"; do
    hub_faults "[{\"match\":{\"file\":\"README.md\"},\"action\":\"redirect\",\"to\":\"$to\"}]"
    OUT=$T/redirects
    pull 1 o/d README.md
    has "$T/err" "it redirects"
    absent README.md
done
case_of "F18 in a circle, eleven hops, ten" '[{"match":{"file":"README.md"},"action":"redirect"}]'
pull 1 o/d README.md
has "$T/err" "redirects to itself"
hub_faults '[{"match":{"file":"README.md"},"action":"redirect","hops":11}]'
pull 1 o/d README.md
has "$T/err" "redirects more than 10 times"
hub_faults '[{"match":{"file":"README.md"},"action":"redirect","hops":4}]'
pull 0 o/d README.md
case_of "F18 a repository with a new name"
pull 0 o/old
has "$OUT/a.json" "{}"

for profile in hf-mirror olah plain-nginx; do
    case_of "F19 $profile"
    hub_set "hf.profile=$profile"
    pull 0 o/d
    whole o/d
done
case_of "F19 a mirror that sends everybody away"
hub_set hf.away=yes
run 75 pull hf-mirror:o/d --endpoint "$HUBURL" --local-dir "$T/away" $QUICK --set services.http.connect_timeout=2 \
    --set services.http.tries=1 --set services.http.proxy=http://127.0.0.1:9

case_of "F22 no answer, no connection"
hub_faults '[{"match":{"file":"README.md"},"count":1,"action":"silent"},
    {"match":{"file":"many/0000.json"},"count":1,"action":"accept-silent"}]'
pull 0 o/d
whole o/d
case_of "F22 nobody listens for a while"
hub_ctl POST '/port?name=hub&open=0&seconds=1' >/dev/null
pull 0 o/d --set services.http.tries=30
whole o/d

case_of "proxies of the environment, in any case of letters"
http_proxy=http://127.0.0.1:1 pull 75 o/d --set services.http.tries=1
has "$T/err" "127.0.0.1 port 1" "that is the proxy of http_proxy"
HTTP_PROXY=http://127.0.0.1:1 pull 75 o/d --set services.http.tries=1
has "$T/err" "that is the proxy of HTTP_PROXY"
pull 75 o/d --set services.http.tries=1 --set services.http.proxy=http://127.0.0.1:1
has "$T/err" "that is the proxy of the option proxy of services.http"
HUBURL=http://127.0.0.1:1 HTTP_PROXY=http://127.0.0.1:2 no_proxy='*' pull 75 o/d --set services.http.tries=1
has "$T/err" "127.0.0.1 port 1"
hasnt "$T/err" "that is the proxy"
http_proxy=http://127.0.0.1:1 NO_PROXY=127.0.0.1,localhost pull 0 o/d README.md
OUT=
HTTP_PROXY=http://127.0.0.1:1 no_proxy='*' pull 0 o/d README.md

case_of "F25 credentials: whoever may, to whoever may"
pull 1 o/gated
has "$T/err" "is gated: accept its terms at" "asked with no token"
HF_TOKEN=hf_canary_2 pull 1 o/gated
has "$T/err" "has not been let in" "HF_TOKEN"
HF_TOKEN=hf_canary_1 pull 0 o/gated
has "$OUT/a.json" "{}"
OUT=
echo "hf_canary_1" >"$T/token"
pull 0 o/private --token-file "$T/token"
OUT=
pull 0 o/private --token hf_canary_1
OUT=
HF_TOKEN_PATH=$T/token pull 0 o/private
OUT=
mkdir -p "$HOME/.cache/huggingface" && cp "$T/token" "$HOME/.cache/huggingface/token"
pull 0 o/private
OUT=
HF_HUB_DISABLE_IMPLICIT_TOKEN=1 pull 1 o/private
rm "$HOME/.cache/huggingface/token"
pull 1 o/private
has "$T/err" "or it is private, or the token is wrong (asked with no token)"
pull 1 o/off
pull 1 o/nothere
hub_safe
hub_logged 0 '"port":"cdn".*uthorization'

case_of "F26 signed addresses end: by uses, and while a file is on its way"
hub_set sign.uses=1
pull 0 o/d
whole o/d
[ "$(hub_state expired)" -gt 0 ] || fail "nothing expired"
case_of "F26 a 403 from the hub itself is no expired address" \
    '[{"match":{"port":"hub","file":"big.bin"},"action":"status","code":403}]'
pull 1 o/d
absent big.bin
has "$T/err" "is not allowed"

case_of "a 403 from the CDN for ever: no token would help" \
    '[{"match":{"port":"cdn","file":"big.bin"},"action":"status","code":403}]'
pull 1 o/d
absent big.bin
has "$T/err" "big.bin: " "answers 403: it refuses the address that the hub gave"
hasnt "$T/err" "give a token"

case_of "F16 an error in JSON under 200, longer than the file" \
    '[{"match":{"file":"README.md"},"action":"json-error"}]'
pull 1 o/d README.md
absent README.md
has "$T/err" 'README.md: what came twice is not what the hub lists: it is not of the listed length, and begins {"'

case_of "F29 connections end after each few requests, with and without a word" \
    '[{"match":{"port":"hub"},"action":"close","requests":3},
      {"match":{"port":"cdn"},"action":"close","requests":1,"quiet":true}]'
pull 0 o/d
whole o/d

case_of "F30 lies in the listing"
pull 1 o/lies
has "$T/err" "wrong.bin: what came twice" "text.bin: the digest that the source lists for it is none" \
    "size.bin: "
for good in upper.bin prefix.bin fine.json; do
    [ -e "$OUT/$good" ] || fail "$good did not arrive"
done
absent wrong.bin text.bin size.bin none.bin # the last is listed with its pointer's digest alone
case_of "F30 a listing without an end" '[{"match":{"path":"*/tree/*"},"action":"rows","endless":true}]'
pull 1 o/d
has "$T/err" "longer than"

echo "== commits"
case_of "F11 a branch that moves while we are at it: the commit of the start counts" \
    '[{"match":{"path":"*/tree/*"},"action":"move","hub":"hf","repo":"o/moves","branch":"main","to":"v2"}]'
pull 0 o/moves
has "$OUT/a.json" '{"v":1}'
case_of "revisions: branch, tag, commit, none"
pull 0 o/moves --revision other
has "$OUT/a.json" '{"v":2}'
OUT=
pull 0 o/moves@one
has "$OUT/a.json" '{"v":1}'
commit=$("$NETCTL" "$HUB" GET /api/datasets/o/moves/revision/other sha)
OUT=
pull 0 o/moves --revision "$commit"
has "$OUT/a.json" '{"v":2}'
has "$OUT/.cache/drhost/manifest.jsonl" "$commit"
pull 1 o/moves --revision nope
has "$T/err" 'no revision "nope"'
echo "- a folder follows its branch"
pull 0 o/moves
has "$OUT/a.json" '{"v":1}'

echo "== ms"
from ms
case_of "F12 429 and 503" \
    '[{"match":{"path":"*/repo/tree*"},"count":1,"action":"status","code":429,"retry_after":1},
      {"match":{"file":"many/*"},"every":40,"action":"status","code":503}]'
pull 0 o/d
whole o/d
case_of "F13 a page fails: nothing is left out in silence" \
    '[{"match":{"path":"*PageNumber=2*"},"action":"status","code":500}]'
pull 75 o/d
absent README.md
case_of "F15 a page comes twice, pages shift: listed again" \
    '[{"match":{"path":"*PageNumber=2*"},"count":1,"action":"ms-page","add":-1}]'
pull 0 o/d
whole o/d
case_of "F15 shifted by a row" '[{"match":{"path":"*PageNumber=2*"},"count":1,"action":"ms-page","skip":-1}]'
pull 0 o/d
whole o/d
case_of "F15 always" '[{"match":{"path":"*PageNumber=2*"},"action":"ms-page","add":-1}]'
pull 75 o/d
has "$T/err" "or its pages repeat"
for set in ms.page=37 ms.bare_list=yes ms.inline_206=yes ms.open=lying ms.missing=404; do
    case_of "a server with $set"
    hub_set $set
    pull 0 o/d
    whole o/d
done
case_of "F25 gated: who may not see it"
pull 1 o/gated
has "$T/err" "/datasets/o/gated: a.json: " "asked without a token; is it gated or private: look at its page"
case_of "F25 cookie and bearer, to the hub alone"
pull 1 o/private
has "$T/err" "/datasets/o/private: " "asked without a token; is it gated or private: look at its page"
MODELSCOPE_API_TOKEN=ms-canary-1 pull 0 o/private
has "$OUT/a.json" "{}"
hub_safe
hub_logged 0 '"port":"oss".*[Cc]ookie'
case_of "F26 signed addresses end"
hub_set sign.uses=1
pull 0 o/d
whole o/d
case_of "F30 lies in the listing"
pull 1 o/lies
absent wrong.bin text.bin size.bin
[ -e "$OUT/upper.bin" ] && [ -e "$OUT/none.bin" ] || fail "good files did not arrive"
case_of "revisions: main is master, other branches, none"
pull 0 o/moves --revision main
has "$OUT/a.json" '{"v":1}'
OUT=
pull 0 o/moves --revision other
has "$OUT/a.json" '{"v":2}'
pull 1 o/moves --revision nope
has "$T/err" 'no revision "nope"'

echo "== no token anywhere"
! grep -rlE 'hf_canary|ms-canary' "$T" --include='*' --exclude=hub.log --exclude=spec.json --exclude=token \
    --exclude='hub.in' 2>/dev/null | grep . || fail "a token is in a file"
hub_stop
