# SPDX-License-Identifier: MIT
# lib.sh - fake servers of language models for tests; sourced after e2e/lib.sh.  From the environment
#     FAKELLM   the program      FAKES   folder of the plugins that only tests use
# Options and rules of faults: README.md beside this file.
: "${FAKELLM:?name the fakellm program}" "${FAKES:?name the folder of test plugins}"
LLM_LOG=$T/llm.log
llm_pid=
llm_count=0

# llm_start OPTION... - a server; sets $LLM, its address.  It ends with this script: its standard
# input is a pipe that only the script holds.
llm_start() {
    [ -z "$llm_pid" ] || llm_stop
    rm -f "$T/llm.port" "$T/llm.in" "$LLM_LOG"
    mkfifo "$T/llm.in"
    "$FAKELLM" --port-file "$T/llm.port" --log "$LLM_LOG" "$@" <"$T/llm.in" >"$T/llm.out" 2>&1 &
    llm_pid=$!
    exec 8>"$T/llm.in"
    llm_wait "$T/llm.port"
    LLM_PORT=$(cat "$T/llm.port")
    LLM=http://127.0.0.1:$LLM_PORT/v1
}

llm_wait() { # FILE
    tries=0
    while [ ! -e "$1" ]; do
        tries=$((tries + 1))
        [ $tries -lt 1200 ] || fail "fakellm does not get ready: $(cat "$T/llm.out")"
        sleep 0.05
    done
}

# llm_stop - ends it; what it complained of is a failure.
llm_stop() {
    exec 8>&-
    code=0
    wait "$llm_pid" || code=$?
    llm_pid=
    [ $code = 0 ] || fail "fakellm: exit code $code: $(cat "$T/llm.out")"
}

# logged N PATTERN - exactly N lines of the server's log match (grep's basic expressions).
logged() {
    n=$(grep -c -e "$2" "$LLM_LOG" || true)
    [ "$n" -eq "$1" ] || fail "$n requests instead of $1 match $2: $(tail -n 5 "$LLM_LOG")"
}

# paid - each request that got an answer to be used, by what it was; in the order of the log.
paid() {
    sed -n 's/.*"path":"[^"]*completions[^"]*","hash":"\([0-9a-f]*\)".*"status":200,"fault":"","end":"sent".*/\1/p' "$LLM_LOG"
}

# twice - how many of them were paid more than once.
twice() {
    paid | sort | uniq -d | wc -l
}

# slots FILE COUNT [MEMBERS] - a recipe with the two-call synthesizer; MEMBERS of services.infer.
slots() {
    cat >"$1" <<END
{ "recipe": 1, "version": "v1", "data": "$T/data", "seed": 7,
  "services": { "infer": { "use": "infer-openai", "endpoint": "$LLM", "pause": 0.01${3:-} },
                "http": { "pause": 0.01 } },
  "synthesize": [ { "use": "two-call", "domain": "D", "dataset": "s", "count": $2 } ],
  "convert": [ { "use": "pretrain" } ] }
END
}

# recipe_run CODE ARGUMENT... - drhost run with the plugins of the tests.
recipe_run() {
    want=$1
    shift
    run "$want" run --plugin-path "$FAKES" --plugin-path "$DRH_BUILD/plugins" --no-progress "$@"
    ! grep -q 'BROKEN\|Sanitizer\|runtime error' "$T/err" || fail "a promise was broken"
}

# made - what a run made, without what may differ.
made() {
    find "$T/data/interim" "$T/data/processed" -type f | LC_ALL=C sort |
        while read -r f; do echo "${f#"$T"}" && cat "$f"; done
}

# no_error_text - nothing that a server said of an error is in any record.
no_error_text() {
    ! grep -rqE 'ERRORTEXT|WITHHELD|<html>|"error"' "$T/data/interim" "$T/data/processed" ||
        fail "an error became data"
}

balanced() {
    grep -q '"balanced":[[:space:]]*true' "$T/data/.drhost/v1/report.json" || fail "not balanced"
}
