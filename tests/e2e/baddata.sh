#!/bin/sh
# SPDX-License-Identifier: MIT
# baddata.sh - bad records among 100,000 good ones: each good one comes out, each bad one is named.
. "$(dirname "$0")/lib.sh"
cd "$T"

good() { # FROM TO
    LC_ALL=C awk -v a="$1" -v b="$2" 'BEGIN {
        for (i = a; i <= b; i++)
            printf "{\"instruction\":\"question %d\",\"input\":\"\",\"output\":\"answer %d\"}\n", i, i
    }'
}

# 5.4 bytes: what is no text, among what is.
open='{"instruction":"q","output":"'
{
    good 1 1000
    printf '%sa\377b"}\n' "$open"            # 1001
    good 1001 2000
    printf '%struncated\n' "$open"           # 2002
    good 2001 50000
    printf '%s' "$open"                      # 50003
    head -c 300000000 /dev/zero | tr '\0' x
    printf '"}\n'
    good 50001 60000
    printf '{"instruction":"q","output":"a","x":' # 60004
    head -c 10000 /dev/zero | tr '\0' '['
    head -c 10000 /dev/zero | tr '\0' ']'
    printf '}\n'
    good 60001 70000
    printf '%sa\000b"}\n' "$open"            # 70005
    good 70001 80000
    printf '%sa\\ud800b"}\n' "$open"         # 80006
    good 80001 90000
    printf '{"instruction":"q","output":"a","output":"b"}\n' # 90007
    good 90001 100000
} >main.jsonl
good 100001 100010 | sed 's/$/\r/' >crlf.jsonl
{
    printf '\357\273\277'
    good 100011 100019
    good 100020 100020 | tr -d '\n'
} >bom.jsonl
: >empty.jsonl

# The data are streamed: no more memory than for a small file.  A sanitizer wants more for itself.
limit=true
[ -n "$DRH_SANITIZE" ] || limit='ulimit -v 1000000'
code=0
(
    $limit
    exec "$DRHOST" --plugin chat.so --jobs 2 main.jsonl crlf.jsonl bom.jsonl empty.jsonl -o out.jsonl
) >"$T/out" 2>"$T/err" || code=$?
[ $code = 0 ] || fail "exit code $code"

lines out.jsonl 100020
good 1 100020 | sed 's/.*"question \([0-9]*\)".*/\1/' >want
sed 's/.*question \([0-9]*\)".*answer \([0-9]*\)".*/\1 \2/' out.jsonl | awk '$1 == $2 { print $1 }' >got
same want got

lines out.jsonl.rejected.jsonl 7
while read -r line reason; do
    grep -q "^main.jsonl:$line: $reason" "$T/err" ||
        fail "main.jsonl:$line: $reason... is not on standard error"
    grep -q "\"file\":\"main.jsonl\".*\"reason\":\"$reason\".*\"line\":$line}" \
        out.jsonl.rejected.jsonl || fail "line $line is not in out.jsonl.rejected.jsonl"
done <<'END'
1001 bad_utf8
2002 bad_json
50003 line_too_long
60004 too_deep
70005 raw_control
80006 lone_surrogate
90007 duplicate_key
END
has "$T/err" "read: 100027 in, 100020 out, 7 failed"

# 5.4 files: an array. A broken element does not hide those after it, as far as its end can be seen.
{
    echo '['
    good 1 3 | sed 's/$/,/'
    printf '%sa\\ud800b"},\n' "$open"
    printf '%sa\377b"},\n' "$open"
    good 4 6 | sed '$!s/$/,/'
    echo ']'
} >array.json
run 0 --plugin chat.so array.json -o array.jsonl
lines array.jsonl 6
lines array.jsonl.rejected.jsonl 2
has "$T/err" "array.json:5: lone_surrogate" "array.json:6: bad_utf8"

# 5.4 files: what is no JSON is named by its line, and hides nothing.  What Python writes for floats
# and commas at an end are read all the same, and counted.
{
    good 1 2
    printf '%sa",}\n' "$open"                # 3: a trailing comma
    printf '%sa"}%sb"}\n' "$open" "$open"    # 4: two objects
    printf '%sa","x":NaN}\n' "$open"         # 5
    printf '%sa","x":nan}\n' "$open"         # 6
    good 3 4
} >loose.jsonl
{
    echo '['
    good 1 2 | sed 's/$/,/'
    echo ']'
} >comma.json
run 0 --plugin chat.so loose.jsonl comma.json -o loose.out.jsonl
lines loose.out.jsonl 8
has "$T/err" "loose.jsonl:4: bad_json" "loose.jsonl:6: bad_json" "10 in, 8 out (2 mended), 2 failed"

# In a run: 0 with the bad ones named in the rejects, over --max-bad 3.
head -c 10000 main.jsonl >part.jsonl
printf '\n%struncated\n' "$open" >>part.jsonl
run 0 --plugin chat.so part.jsonl --max-bad 2
run 3 --plugin chat.so part.jsonl --max-bad 1
