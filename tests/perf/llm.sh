#!/bin/sh
# SPDX-License-Identifier: MIT
# llm.sh BUILD [STREAMS [LATENCY_MS [RECORDS]]] - how near a run comes to the rate that so many
# requests at once at such a latency allow, with its memory and its threads.  By hand, on a quiet
# machine: the server needs a core of its own.
set -eu
build=$(cd "${1:?name the build tree}" && pwd) streams=${2:-512} latency=${3:-200} records=${4:-20000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkfifo "$dir/in"
"$build/tests/llm/fakellm" --profile vllm --latency "$latency" --port-file "$dir/port" \
    <"$dir/in" >"$dir/out" &
server=$!
exec 9>"$dir/in"
while [ ! -e "$dir/port" ]; do sleep 0.05; done
cat >"$dir/r.json" <<END
{ "recipe": 1, "version": "v1", "data": "$dir/data", "seed": 7,
  "services": { "infer": { "use": "infer-openai", "model": "fake-1", "api": "completions", "score": "none",
                           "endpoint": "http://127.0.0.1:$(cat "$dir/port")/v1", "max_concurrency": $streams } },
  "sources": [ { "use": "local", "path": "$dir/in.jsonl", "domain": "D", "dataset": "d" } ],
  "preprocess": [ { "use": "ask", "all": 1 } ] }
END
# three requests a record
awk -v n=$((records / 3)) 'BEGIN { for (i = 0; i < n; i++) printf "{\"n\":%d}\n", i }' >"$dir/in.jsonl"

"$build/drhost" run --plugin-path "$build/tests/plugins" --plugin-path "$build/plugins" \
    --no-progress "$dir/r.json" 2>"$dir/err" &
run=$!
peak=0 threads=0
start=$(date +%s%N)
while [ -e /proc/$run/status ] && ! grep -q '^State:.Z' /proc/$run/status; do
    n=$(awk '/^VmHWM/ { print $2 }' /proc/$run/status 2>/dev/null || true)
    peak=${n:-$peak}
    n=$(awk '/^Threads/ { print $2 }' /proc/$run/status 2>/dev/null || true)
    [ "${n:-0}" -le "$threads" ] || threads=$n
    sleep 0.2
done
wait $run
end=$(date +%s%N)
exec 9>&-
wait $server
awk -v ns=$((end - start)) -v n=$((records / 3 * 3)) -v s="$streams" -v ms="$latency" -v kb="$peak" -v t="$threads" 'BEGIN {
    ideal = s / ms * 1000
    printf "%d requests, %d at once, %d ms each: %.1f s, %.0f a second, %.1f %% of the ideal %.0f; %.0f MB, %d threads\n",
        n, s, ms, ns / 1e9, n / (ns / 1e9), 100 * n / (ns / 1e9) / ideal, ideal, kb / 1024, t }'
cat "$dir/out"
