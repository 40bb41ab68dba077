#!/bin/sh
# SPDX-License-Identifier: MIT
# folder.sh - the folder that is filled (F23, F24): hostile names, what is in the way, a full disk, two at
# a time, what is there already, killed and gone on with.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pull.sh"

MB=1048576
long=$(printf '%0255d' 0)
longer=$long/$long/$long/$long/$long
cat >"$T/spec.json" <<END
{ "repos": [
    { "hub": "both", "id": "o/d", "license": "mit", "files": [
      { "path": "README.md", "text": "# hi\n" },
      { "path": "a/b.json", "text": "{}\n" },
      { "path": "big.bin", "size": $((40 * MB + 5)), "seed": 3, "kind": "lfs" } ] },
    { "hub": "both", "id": "o/alike", "files": [ { "path": "ok.json", "text": "[]" }, { "path": "a\\nb.json", "text": "1" },
      { "path": "a\\tb.json", "text": "2" }, { "path": "$longer/1", "text": "3" }, { "path": "$longer/2", "text": "4" } ] },
    { "hub": "both", "id": "o/evil", "files": [
      { "path": "../x", "text": "x" }, { "path": "/etc/x", "text": "x" }, { "path": "a/../../x", "text": "x" },
      { "path": "a\\\\..\\\\x", "text": "x" }, { "path": "C:x", "text": "x" }, { "path_json": "nul\\\\u0000x", "path": "n", "text": "x" },
      { "path": "new\nline", "text": "x" }, { "path": "$long", "text": "255 bytes" }, { "path": "1$long", "text": "256 bytes" },
      { "path": "A.txt", "text": "1" }, { "path": "a.txt", "text": "2" }, { "path": "d", "text": "file" }, { "path": "d/e", "text": "in it" },
      { "path": ".git/config", "text": "x" }, { "path": "x/.GIT/hooks/run", "text": "x" }, { "path": "-rf", "text": "dash" },
      { "path": "\u2603 \ud83d\ude00.txt", "text": "snow" }, { "path": "%2e%2e/x", "text": "pct" },
      { "path": ".cache/drhost/manifest.jsonl", "text": "{}" }, { "path": ".cache/huggingface/download/x.metadata", "text": "x" },
      { "path": "a//b", "text": "x" }, { "path": "./c", "text": "x" }, { "path": "#?&=+;,:@'()*.txt", "text": "marks" },
      { "path": "ok.txt", "text": "fine" } ] } ] }
END
hub_start "$T/spec.json"

# arrived KB - waits until so much of a part is on disk.
arrived() {
    tries=0
    while [ "$(du -sk "$OUT/.cache/drhost" 2>/dev/null | cut -f 1)" -lt "$1" ] 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail "not even $1 KB arrive"
        sleep 0.05
    done
}

for hub in hf ms; do
    from $hub
    case_of "F24 hostile names, $hub"
    mkdir -p "$T/deep/er"
    OUT=$T/deep/er/out-$hub
    pull 1 o/evil
    for name in '../x' '/etc/x' 'a/../../x' '.git/config' 'x/.GIT/hooks/run' '.cache/drhost/manifest.jsonl' \
        '.cache/huggingface/download/x.metadata' 'a//b' './c' 'C:x'; do
        has "$T/err" "$name: its name is refused"
    done
    has "$T/err" "1$long: cannot" "File name too long"
    [ "$(cat "$OUT/A.txt" "$OUT/a.txt" "$OUT/-rf" "$OUT/ok.txt" "$OUT/%2e%2e/x")" = "12dashfinepct" ] || fail "good files did not arrive"
    [ "$(cat "$OUT/$long")" = "255 bytes" ] || fail "the longest name did not arrive"
    [ "$(cat "$OUT/☃ 😀.txt")" = snow ] || fail "the snowman did not arrive"
    [ "$(cat "$OUT/#?&=+;,:@'()*.txt")" = marks ] || fail "the marks did not arrive"
    has "$T/err" "d: " "on its way is a f"
    stray=$(find "$T/deep" "$T/cwd" -type f ! -path "$T/deep/er/out-*" | head -n 3)
    [ -z "$stray" ] || fail "outside of the folder: $stray"
    [ ! -e /etc/x ] || fail "/etc/x was written"
done
from hf

case_of "symbolic links in the way"
mkdir -p "$T/links" "$T/elsewhere"
OUT=$T/links
ln -s "$T/elsewhere" "$OUT/a"
ln -s "$T/elsewhere/target" "$OUT/README.md"
pull 1 o/d
has "$T/err" 'a/b.json: "a" on its way is a symbolic link' 'README.md: "README.md" on its way is a symbolic link'
[ -z "$(ls -A "$T/elsewhere")" ] || fail "written through a link: $(ls -A "$T/elsewhere")"
[ -e "$OUT/big.bin" ] || fail "the other file did not arrive"
rm "$OUT/a" "$OUT/README.md"
pull 0 o/d
whole o/d

case_of "something else by the name of the folder"
echo x >"$T/plain"
OUT=$T/plain
pull 1 o/d
has "$T/err" "$T/plain is no folder"
[ "$(cat "$T/plain")" = x ] || fail "a file was written over"
ln -s "$T/nowhere" "$T/dangling"
OUT=$T/dangling
pull 1 o/d
has "$T/err" "$T/dangling is a link that leads nowhere"
pull 1 o/d --dry-run
[ ! -e "$T/nowhere" ] || fail "made through a link"

case_of "several names that are refused, alike in what is shown of them"
for hub in ms hf; do
    from $hub
    OUT=$T/alike-$hub
    pull 1 o/alike
    [ "$(cat "$OUT/ok.json")" = "[]" ] || fail "the good file did not arrive"
    has "$T/err" "a b.json: its name is refused: it has a control character" "its name is refused: it is longer than 1024 bytes" \
        "4 of 5 files"
    [ "$(awk 'length > 500' "$T/err" | wc -l)" = 0 ] || fail "a message has no end"
done

case_of "a folder, a pipe in the way"
OUT=$T/way
mkdir -p "$OUT/README.md" "$OUT/a"
mkfifo "$OUT/a/b.json"
pull 1 o/d
has "$T/err" "README.md: " "is a folder; move it" "a/b.json: " "is no ordinary file"

case_of "F23 a limit on the size of files"
(
    ulimit -f 20000 # units of 512 bytes or 1 KiB: 10 or 20 MB
    pull 1 o/d
    has "$T/err" "big.bin: cannot" "File too large"
    [ -e "$OUT/README.md" ] || fail "the other files did not arrive"
    absent big.bin
) || exit 1

case_of "F23 a full disk"
mkdir "$T/disk"
if mount -t tmpfs -o size=24m none "$T/disk" 2>/dev/null; then
    trap 'umount "$T/disk"; [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true; rm -rf "$T"' EXIT
    OUT=$T/disk/out
    pull 1 o/d
    has "$T/err" "needs 41 MiB and has 2"
    mount -o remount,size=64m "$T/disk"
    hub_faults '[{"match":{"file":"big.bin"},"action":"bandwidth","each":2000000}]'
    "$DRHOST" pull "$SOURCE:o/d" --endpoint "$HUBURL" --local-dir "$OUT" $QUICK >"$T/out" 2>"$T/err" &
    pid=$!
    arrived 24000
    dd if=/dev/zero of="$T/disk/fill" bs=1M count=64 2>/dev/null || true
    code=0
    wait "$pid" || code=$?
    pid=
    [ $code = 1 ] || fail "exit code $code with a disk that has become full"
    has "$T/err" "big.bin: cannot" "No space left"
    rm "$T/disk/fill"
    hub_ctl POST /reset >/dev/null
    pull 0 o/d
    [ "$(hub_state ports cdn bytes)" -lt $((40 * MB)) ] || fail "what had arrived was not used"
    whole o/d
    umount "$T/disk"
    trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true; rm -rf "$T"' EXIT
else
    echo "  (skipped: may not mount)"
fi

case_of "a folder that cannot be written to"
OUT=/proc/drhost-none
pull 1 o/d
has "$T/err" "/proc/drhost-none"

case_of "what is there already is not fetched: by the manifest, or by its digest"
pull 0 o/d
: >"$HUB_LOG"
rm -r "$OUT/.cache"
pull 0 o/d
hub_logged 0 '"file":"big.bin"'
has "$T/err" "3 files verified, all there already"
case $DRH_SANITIZE in
*thread*) ;;
*)
    echo "- the disk is told to keep what came, and left alone when nothing came"
    preload() {
        (
            export ASAN_OPTIONS="verify_asan_link_order=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
            export FAULTIO=syncfs:1:EIO FAULTIO_UNDER="$OUT" LD_PRELOAD="$DRH_BUILD/tests/fault/faultio.so"
            pull "$@"
        )
    }
    rm -r "$OUT/.cache"
    preload 0 o/d
    has "$T/err" "3 files verified, all there already"
    rm "$OUT/README.md"
    preload 1 o/d
    has "$T/err" "cannot write to the disk of $OUT"
    pull 0 o/d
    ;;
esac
: >"$HUB_LOG"
touch "$OUT/big.bin"
pull 0 o/d
hub_logged 0 '"file":"big.bin"'
: >"$HUB_LOG"
printf 'X' | dd of="$OUT/big.bin" bs=1 seek=77 conv=notrunc 2>/dev/null
pull 0 o/d
whole o/d
: >"$HUB_LOG"
pull 0 o/d --force-download
whole o/d
[ "$(grep -c '"file":"big.bin"' "$HUB_LOG")" -gt 0 ] || fail "--force-download fetched nothing"
has "$OUT/.cache/huggingface/download/big.bin.metadata" "$("$NETCTL" "$HUB" GET /api/datasets/o/d sha)"

case_of "two at a time: the second is told who is at work" \
    '[{"match":{"file":"big.bin"},"action":"bandwidth","each":1000000}]'
OUT=$T/two
"$DRHOST" pull "$SOURCE:o/d" --endpoint "$HUBURL" --local-dir "$OUT" $QUICK >"$T/first" 2>&1 &
pid=$!
tries=0
while [ ! -s "$OUT/.cache/drhost/lock" ] && [ $tries -lt 100 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
pull 75 o/d
has "$T/err" "is being filled by process $pid"
echo "- a signal: what has come is kept"
sleep 1.7
kill -TERM "$pid"
code=0
wait "$pid" || code=$?
pid=
[ $code = 4 ] || fail "exit code $code after SIGTERM: $(cat "$T/first")"
has "$T/first" "goes on from here"
before=$(hub_state ports cdn bytes)
hub_faults '[]'
pull 0 o/d
whole o/d
clean
[ $(($(hub_state ports cdn bytes))) -lt $((40 * MB + 5 + 20 * MB)) ] || fail "it began from the start"

echo "- kill -9, again and again, with bytes that take their time"
hub_reset
hub_faults '[{"match":{"file":"big.bin"},"action":"bandwidth","each":1500000}]'
OUT=$T/killed
kills=0
while [ $kills -lt 6 ]; do
    "$DRHOST" pull "$SOURCE:o/d" --endpoint "$HUBURL" --local-dir "$OUT" $QUICK >/dev/null 2>&1 &
    pid=$!
    sleep "0.$((4 + kills))"
    kill -9 "$pid" 2>/dev/null || break
    wait "$pid" 2>/dev/null || true
    pid=
    kills=$((kills + 1))
done
pid=
hub_faults '[]'
pull 0 o/d
whole o/d
clean
# What was on its way at a kill: at most a block of each connection, and what the system held for it.
sum=$(hub_state ports cdn bytes)
[ "$sum" -lt $((40 * MB + 6 * 16 * MB)) ] || fail "$sum bytes for a file of $((40 * MB))"

case_of "a part of another machine: what its disk had been told to keep counts"
OUT=$T/moved
hub_faults '[{"match":{"file":"big.bin"},"action":"bandwidth","each":1000000}]'
"$DRHOST" pull "$SOURCE:o/d" --endpoint "$HUBURL" --local-dir "$OUT" $QUICK >/dev/null 2>&1 &
pid=$!
sleep 1.7
kill -INT "$pid"
wait "$pid" || true
pid=
hub_faults '[]'
for one in "$OUT"/.cache/drhost/*.journal; do # another boot
    printf 'ffffffff' | dd of="$one" bs=1 seek=4032 conv=notrunc 2>/dev/null
done
hub_ctl POST /reset >/dev/null
pull 0 o/d
whole o/d
[ "$(hub_state ports cdn bytes)" -lt $((40 * MB)) ] || fail "nothing of it was used: $(hub_state ports cdn bytes)"

hub_stop
