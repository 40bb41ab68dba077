#!/bin/sh
# SPDX-License-Identifier: MIT
# body.sh - what can happen to the bytes of a file on their way (F1 to F8, F10, F11, F16, F21), at both
# hubs: the file ends whole and verified, or there is none under its name.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pull.sh"

MB=1048576
cat >"$T/spec.json" <<END
{ "repos": [ { "hub": "both", "id": "o/d", "license": "mit", "files": [
    { "path": "README.md", "text": "# hi\n" },
    { "path": "data/train set+1.jsonl", "text": "{\"a\":1}\n{\"a\":2}\n" },
    { "path": "empty.txt", "text": "" },
    { "path": "small.bin", "size": 300000, "seed": 1 },
    { "path": "middle.bin", "size": 3000001, "seed": 2, "kind": "lfs" },
    { "path": "big.bin", "size": $((24 * MB + 777)), "seed": 3, "kind": "lfs" } ] } ] }
END
hub_start "$T/spec.json"

# both_ports: the rule once for the hub's own port and once for its CDN
for hub in hf ms; do
    from $hub
    [ $hub = hf ] && cdn=cdn own=hub || cdn=oss own=ms
    echo "== $hub"

    case_of "nothing happens"
    pull 0 o/d
    whole o/d
    clean
    has "$T/out" "$OUT"
    echo "- the same once more asks for nothing but the listing"
    hub_ctl POST /reset >/dev/null
    : >"$HUB_LOG"
    pull 0 o/d
    hub_logged 0 '"file":"big.bin"'

    case_of "F1 a large file drops once, by RST" \
        "[{\"match\":{\"port\":\"$cdn\",\"file\":\"big.bin\"},\"nth\":2,\"action\":\"drop\",\"after\":2500000}]"
    pull 0 o/d
    whole o/d
    clean
    [ "$(hub_state ports $cdn bytes)" -lt $((24 * MB + 3000001 + 3 * MB)) ] || fail "too much was asked for again"

    case_of "F1 everything drops again and again" \
        '[{"match":{"file":"*.bin"},"every":2,"action":"drop","after":1500000,"how":"fin"}]'
    pull 0 o/d
    whole o/d
    clean

    case_of "F2 one bit is wrong once" \
        '[{"match":{"file":"big.bin","range":[5000000,5000001]},"count":1,"action":"flip","offset":5000000}]'
    pull 0 o/d
    whole o/d
    has "$T/err" "big.bin: its digest is wrong"

    case_of "F2 one bit is always wrong" \
        '[{"match":{"file":"big.bin"},"action":"flip","offset":5000000},
          {"match":{"file":"small.bin"},"action":"flip","offset":7}]'
    pull 1 o/d
    absent big.bin small.bin
    has "$T/err" "big.bin: what came twice is not what the hub lists" "the listing says" "small.bin: "
    [ -e "$OUT/middle.bin" ] && [ -e "$OUT/README.md" ] || fail "the other files did not arrive"
    clean

    case_of "F3 nothing comes, under a length and under none" \
        '[{"match":{"file":"big.bin"},"count":1,"action":"empty"},
          {"match":{"file":"middle.bin"},"count":2,"action":"empty","length":"zero"},
          {"match":{"file":"small.bin"},"count":1,"action":"empty"},
          {"match":{"file":"README.md"},"count":1,"action":"empty","length":"zero"}]'
    pull 0 o/d
    whole o/d

    case_of "F4 it stalls for ever, in the body and before the head" \
        '[{"match":{"file":"big.bin"},"count":1,"action":"stall","after":1200000},
          {"match":{"file":"small.bin"},"count":1,"action":"stall","headers":true}]'
    pull 0 o/d
    whole o/d
    has "$T/err" "nothing came for 3 s"

    case_of "F5 a trickle" '[{"match":{"file":"big.bin"},"count":1,"action":"trickle","after":100000}]'
    pull 0 o/d
    whole o/d

    case_of "F6 416 for a good range; the file has another size" \
        '[{"match":{"file":"big.bin"},"count":2,"action":"416"}]'
    pull 0 o/d
    whole o/d
    case_of "F6 always" '[{"match":{"file":"big.bin"},"action":"416","total":99}]'
    pull 75 o/d
    absent big.bin
    has "$T/err" "big.bin: " "416"

    case_of "F7 the whole file for each range" '[{"match":{"file":"big.bin"},"action":"full200"}]'
    pull 0 o/d
    whole o/d

    case_of "F8 Content-Length is wrong" \
        '[{"match":{"file":"middle.bin"},"action":"length","by":-9},
          {"match":{"file":"small.bin"},"action":"length","by":9},
          {"match":{"file":"big.bin"},"count":2,"action":"length","by":-4}]'
    pull 0 o/d
    whole o/d
    case_of "F8 chunked, cut, without a length" \
        '[{"match":{"file":"big.bin"},"action":"chunked"},
          {"match":{"file":"middle.bin"},"count":1,"action":"chunked-cut","after":1000},
          {"match":{"file":"small.bin"},"action":"close-delimited"},
          {"match":{"file":"README.md"},"count":1,"action":"close-delimited"},
          {"match":{"file":"README.md"},"count":1,"action":"drop","after":2,"how":"fin"}]'
    pull 0 o/d
    whole o/d

    case_of "F10 Content-Range is wrong" \
        '[{"match":{"file":"big.bin"},"nth":1,"action":"content-range","start":5},
          {"match":{"file":"big.bin"},"nth":2,"action":"content-range","end":-1},
          {"match":{"file":"big.bin"},"nth":3,"action":"content-range","total":1},
          {"match":{"file":"big.bin"},"nth":4,"action":"content-range","none":true},
          {"match":{"file":"big.bin"},"nth":5,"action":"content-range","value":"bytes nonsense"},
          {"match":{"file":"big.bin"},"nth":6,"action":"multipart"}]'
    pull 0 o/d
    whole o/d
    case_of "F10 always" '[{"match":{"file":"big.bin"},"action":"content-range","start":1}]'
    pull 75 o/d
    absent big.bin

    case_of "F11 another object of the same size comes in between" \
        "[{\"match\":{\"port\":\"$cdn\",\"file\":\"big.bin\"},\"nth\":2,\"count\":1,\"action\":\"swap\"}]"
    pull 0 o/d
    whole o/d
    case_of "F11 from then on" \
        "[{\"match\":{\"port\":\"$cdn\",\"file\":\"big.bin\"},\"after_hits\":1,\"action\":\"swap\"}]"
    pull 1 o/d
    absent big.bin

    case_of "F16 an error or a page where the file should be" \
        "[{\"match\":{\"port\":\"$own\",\"file\":\"small.bin\"},\"count\":1,\"action\":\"json-error\"},
          {\"match\":{\"port\":\"$own\",\"file\":\"README.md\"},\"count\":1,\"action\":\"html\"},
          {\"match\":{\"port\":\"$cdn\",\"file\":\"big.bin\"},\"count\":1,\"action\":\"html\"}]"
    pull 0 o/d
    whole o/d
    case_of "F16 always" "[{\"match\":{\"file\":\"small.bin\"},\"action\":\"html\"}]"
    pull 75 o/d
    absent small.bin
    has "$T/err" "small.bin: " "a page for people"

    case_of "F21 compressed though asked not to" \
        '[{"match":{"file":"big.bin"},"action":"gzip"},{"match":{"file":"small.bin"},"action":"gzip"},
          {"match":{"file":"data/*"},"action":"gzip"}]'
    pull 0 o/d
    whole o/d
    case_of "F21 a bomb" '[{"match":{"file":"small.bin"},"action":"gzip","bomb":3000000000}]'
    pull 1 o/d
    absent small.bin
    [ "$(du -sk "$OUT" | cut -f 1)" -lt 60000 ] || fail "the bomb went off"
done

hub_stop
