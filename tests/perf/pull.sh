#!/bin/sh
# SPDX-License-Identifier: MIT
# How fast a download is on the loopback interface, files on a RAM disk: one large object beside aria2c
# and curl, connections that the server slows down, many small files behind a slow line, memory, and what
# kills cost.
#     tests/perf/pull.sh BUILD [PART...]       parts: one slow small memory kills (default: all)
# Needs nginx, aria2, curl and openssl (Debian packages), 12 GB in /dev/shm (RAMDISK=DIR for another
# place; SIZE=bytes of the object, 4 GiB).  By hand, on a quiet machine, not in ctest.
set -eu

build=$(cd "${1:?usage: pull.sh BUILD [PART...]}" && pwd)
shift
parts=${*:-one slow small memory kills}
work=$(mktemp -d "${RAMDISK:-/dev/shm}/drh-pull.XXXXXX")
size=${SIZE:-4294967296}
pids=
trap 'for p in $pids; do kill "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$work" # nginx's worker is another user
cd "$work"

drhost() { "$build/drhost" "$@"; }
now() { date +%s.%N; }
since() { echo "$(now) - $1" | bc -l; }
div() { echo "scale=3; $1 / $2" | bc -l | sed 's/^\./0./'; }

start_nginx() {
    mkdir -p www
    [ -e www/big.bin ] || openssl enc -aes-128-ctr -nosalt -pass pass:drhost -in /dev/zero 2>/dev/null | head -c "$size" >www/big.bin
    [ -e www/SHA256SUMS ] || (cd www && sha256sum big.bin >SHA256SUMS)
    cat >nginx.conf <<END
worker_processes 1; daemon off; pid $work/nginx.pid; error_log $work/nginx.err;
events { worker_connections 512; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  server { listen 127.0.0.1:8091; root $work/www; } }
END
    nginx -c "$work/nginx.conf" &
    pids="$pids $!"
    sleep 1
}

start_fakehub() { # SPEC
    mkfifo in
    "$build/tests/net/fakehub" --spec "$1" --ports-file ports --log /dev/null --max-seconds 1200 <in >fakehub.log 2>&1 &
    pids="$pids $!"
    exec 9>in
    while [ ! -e ports ]; do sleep 0.1; done
    . ./ports
}

stop_fakehub() {
    exec 9>&-
    rm -f in ports
}

sums() { # one download of the object by drhost, seconds
    rm -rf out
    t=$(now)
    /usr/bin/time -o mem -f %M "$build/drhost" pull --plugin "$build/tests/sdk/sums_hub.so" "sums:http://127.0.0.1:8091/" \
        --local-dir out -q --no-progress >/dev/null
    since "$t"
}

best() { # COMMAND... - the least of three
    for i in 1 2 3; do "$@"; done | sort -g | head -n 1
}

aria() {
    rm -rf out && mkdir out
    t=$(now)
    aria2c -q -x16 -s16 --file-allocation=none -d out http://127.0.0.1:8091/big.bin
    since "$t"
}

curl_null() {
    t=$(now)
    curl -s -o /dev/null http://127.0.0.1:8091/big.bin
    since "$t"
}

one() {
    echo "one object of $(div "$size" 1000000000) GB, nginx with sendfile, best of three:"
    d=$(best sums)
    a=$(best aria)
    c=$(best curl_null)
    s=$(openssl speed -evp sha256 -bytes 262144 -seconds 2 2>/dev/null | awk '/^sha256/ { sub(/k$/, "", $2); print $2 / 1e6 }')
    gd=$(div "$size" "($d * 1000000000)")
    echo "  drhost pull, verified          $d s  $gd GB/s  peak $(div "$(cat mem)" 1024) MiB"
    echo "  aria2c -x16 -s16, not verified $a s  $(div "$size" "($a * 1000000000)") GB/s  drhost / aria2c = $(div "$a" "$d")"
    echo "  curl to /dev/null              $c s  $(div "$size" "($c * 1000000000)") GB/s"
    echo "  openssl sha256                 $s GB/s"
}

slow() { # by fakehub: nginx's limit_rate lets each request begin with a burst
    cat >slow.json <<END
{ "repos": [ { "hub": "hf", "id": "o/b", "files": [ { "path": "big.bin", "size": $size, "seed": 3, "kind": "lfs" } ] } ],
  "faults": [ { "match": { "port": "cdn" }, "action": "bandwidth", "each": 20000000 } ] }
END
    start_fakehub slow.json
    rm -rf out
    t=$(now)
    drhost pull hf-mirror:o/b --endpoint "http://127.0.0.1:$HUB" --local-dir out -q --no-progress >/dev/null
    d=$(since "$t")
    stop_fakehub
    echo "16 connections of 20 MB/s each: $(div "$size" "($d * 1000000)") MB/s, of 320: $(div "$size" "($d * 320000000)")"
}

small() {
    cat >small.json <<'END'
{ "settings": { "hf.direct": "always", "hf.page": 1000 },
  "repos": [ { "hub": "hf", "id": "o/s", "files": [ { "path": "f/####.bin", "count": 2000, "size": 10240, "seed": 5 } ] } ],
  "faults": [ { "match": { "port": "hub", "path": "*/resolve/*" }, "action": "latency", "ms": 50 } ] }
END
    start_fakehub small.json
    rm -rf out
    t=$(now)
    drhost pull hf-mirror:o/s --endpoint "http://127.0.0.1:$HUB" --local-dir out -q --no-progress >/dev/null
    d=$(since "$t")
    echo "2,000 files of 10 KiB, 50 ms an answer, 16 connections: $d s, ideal 6.25 s, $(div "$d" 6.25) of it"
    stop_fakehub
}

memory() {
    cat >many.json <<'END'
{ "repos": [ { "hub": "both", "id": "o/m", "files": [ { "path": "some/folder/of/it/####.jsonl", "count": 100000, "size": 100, "seed": 5 } ] } ] }
END
    start_fakehub many.json
    for one in "hf-mirror:o/m http://127.0.0.1:$HUB" "modelscope:o/m http://127.0.0.1:$MS"; do
        set -- $one
        rm -rf out
        t=$(now)
        /usr/bin/time -o mem -f %M "$build/drhost" pull "$1" --endpoint "$2" --local-dir out -q --no-progress >/dev/null
        echo "100,000 files from $1: $(since "$t") s, peak $(div "$(cat mem)" 1024) MiB"
    done
    stop_fakehub
}

kills() {
    cat >kills.json <<'END'
{ "repos": [ { "hub": "hf", "id": "o/k", "files": [ { "path": "big.bin", "size": 2147483648, "seed": 3, "kind": "lfs" } ] } ] }
END
    start_fakehub kills.json
    rm -rf out
    n=0
    while [ $n -lt 30 ]; do
        "$build/drhost" pull hf-mirror:o/k --endpoint "http://127.0.0.1:$HUB" --local-dir out -q --no-progress >/dev/null 2>&1 &
        p=$!
        sleep "0.$(awk -v seed="$n" 'BEGIN { srand(seed); printf "%03d", 20 + rand() * 60 }')"
        kill -9 "$p" 2>/dev/null && n=$((n + 1))
        wait "$p" 2>/dev/null || true
        [ ! -e out/big.bin ] || break
    done
    drhost pull hf-mirror:o/k --endpoint "http://127.0.0.1:$HUB" --local-dir out -q --no-progress >/dev/null
    bytes=$("$build/tests/net/netctl" "$CTL" GET /state ports cdn bytes)
    echo "2 GiB, killed $n times: verified; sent twice $(div "($bytes - 2147483648)" 1048576) MiB, allowed $((n * 16)) MiB (kills x connections x 1 MiB)"
    stop_fakehub
}

case " $parts " in *" one "*) start_nginx ;; esac
for part in $parts; do
    $part
done
