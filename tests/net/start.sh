#!/bin/sh
# SPDX-License-Identifier: MIT
# start.sh - the fake hubs come up, know their ports, do as lib.sh says, and go when they should.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"

cat >"$T/spec.json" <<'END'
{ "tokens": [ { "token": "hf_canary", "hub": "hf" } ],
  "repos": [ { "hub": "both", "id": "o/d", "license": "mit", "files": [
    { "path": "README.md", "text": "# hi\n" },
    { "path": "local.txt", "file": "local.txt" },
    { "path": "big.bin", "kind": "lfs", "size": 100000, "seed": 3 } ] } ] }
END
echo "from the disk" >"$T/local.txt"

echo "- ports, files, state"
hub_start "$T/spec.json"
[ -n "$HUB" ] && [ -n "$CDN" ] && [ -n "$MS" ] && [ -n "$OSS" ] || fail "not all ports are there"
"$NETCTL" "$HUB" GET /api/datasets/o/d >"$T/out"
has "$T/out" '"license":"mit"' '"sha":"' '{"rfilename":"README.md"}'
commit=$("$NETCTL" "$HUB" GET /api/datasets/o/d sha)
"$NETCTL" "$HUB" GET "/api/resolve-cache/datasets/o/d/$commit/local.txt" >"$T/got"
same "$T/local.txt" "$T/got"
"$NETCTL" "$MS" GET '/api/v1/datasets/o/d/repo?Revision=master&FilePath=local.txt' >"$T/got"
same "$T/local.txt" "$T/got"
[ "$("$NETCTL" "$MS" GET '/api/v1/datasets/o/d/repo?FilePath=local.txt' --header 'Range: bytes=5-7')" = the ] ||
    fail "a part of a local file"
[ "$(hub_state files hf:datasets/o/d/local.txt bytes)" = 14 ] || fail "bytes of a file"
[ "$(hub_state ports hub requests)" = 3 ] || fail "requests of a port"
hub_logged 3 '"file":"local.txt"'

echo "- faults, settings, moves, a token in the wrong place, reset"
hub_faults '[{"match":{"port":"hub"},"action":"status","code":503,"count":1}]'
! "$NETCTL" "$HUB" GET /api/datasets/o/d >"$T/out" 2>&1 || fail "no fault"
"$NETCTL" "$HUB" GET /api/datasets/o/d >"$T/out"
hub_logged 1 '"status":503,.*"fault":"status"'
hub_set hf.profile=olah
! "$NETCTL" "$HUB" GET /api/datasets/o/d/tree/main/ >"$T/out" 2>&1 || fail "not olah"
hub_safe
"$NETCTL" "$MS" GET '/x?t=hf%5Fcanary' >"$T/out" 2>&1 || true
[ "$(hub_state leak)" = true ] || fail "a token for the other hub was not seen"
hub_reset
hub_safe
"$NETCTL" "$HUB" GET /api/datasets/o/d/tree/main sha >"$T/out" || true
[ "$(hub_state ports hub requests)" = 1 ] || fail "counters after a reset"

echo "- a port that is closed, and open again"
hub_ctl POST '/port?name=ms&open=0' >/dev/null
code=0
"$NETCTL" "$MS" GET /x >"$T/out" 2>&1 || code=$?
[ $code = 2 ] || fail "a closed port answers"
hub_ctl POST '/port?name=ms&open=0&seconds=0.3' >/dev/null
tries=0
until "$NETCTL" "$MS" GET /api/v1/datasets/o/d >"$T/out" 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 200 ] || fail "still closed"
    sleep 0.05
done
hub_stop

echo "- TLS"
hub_cert "$T/cert.pem" "$T/key.pem"
hub_start "$T/spec.json" --tls "$T/cert.pem" "$T/key.pem"
[ -n "$HUBS" ] && [ -n "$OSSS" ] || fail "not all TLS ports are there"
hub_stop

echo "- it goes with its standard input, after its time, and says what is wrong with a specification"
"$FAKEHUB" --spec "$T/spec.json" </dev/null || fail "exit code $?"
hub_start "$T/spec.json" --max-seconds 1
code=0
wait "$hub_pid" || code=$?
[ $code = 0 ] || fail "exit code $code after its time"
hub_pid=
for bad in '{"repos":[{"idd":"x"}]}' '{"repos":[{"id":"x","files":[{"path":"p"}]}]}' '{' \
    '{"faults":[{"action":"dorp"}]}' '{"settings":{"hf.page":"many"}}'; do
    echo "$bad" >"$T/bad.json"
    code=0
    "$FAKEHUB" --spec "$T/bad.json" </dev/null 2>"$T/err" || code=$?
    [ $code = 2 ] || fail "exit code $code for $bad"
    has "$T/err" "fakehub: "
done
