# SPDX-License-Identifier: MIT
# lib.sh - the fake hubs for tests; sourced after e2e/lib.sh.  From the environment
#     FAKEHUB   the program that is both hubs      NETCTL  the program that steers it
#     NETCERT   the program that makes certificates
# The specification, the rules of faults and what ctl knows: README.md beside this file.
: "${FAKEHUB:?name the fakehub program}" "${NETCTL:?name the netctl program}"
: "${NETCERT:?name the netcert program}"
HUB_LOG=$T/hub.log
hub_pid=

# hub_start SPEC.json [OPTION...] - sets HUB CDN MS OSS CTL (with --tls also HUBS CDNS MSS OSSS).
# It ends with this script: its standard input is a pipe that only the script holds.
hub_start() {
    [ -z "$hub_pid" ] || hub_stop
    rm -f "$T/hub.ports" "$T/hub.in"
    mkfifo "$T/hub.in"
    "$FAKEHUB" --spec "$@" --ports-file "$T/hub.ports" --log "$HUB_LOG" \
        <"$T/hub.in" >"$T/hub.out" 2>&1 &
    hub_pid=$!
    exec 9>"$T/hub.in"
    tries=0
    while [ ! -e "$T/hub.ports" ]; do
        kill -0 "$hub_pid" 2>/dev/null || fail "fakehub did not start: $(cat "$T/hub.out")"
        tries=$((tries + 1))
        [ $tries -lt 1200 ] || fail "fakehub does not get ready"
        sleep 0.05
    done
    . "$T/hub.ports"
}

# hub_cert CERT.pem KEY.pem [HOST [DAYS]] - for --tls; clients take CERT.pem as their CA.  Another
# host or negative days: a bad one.
hub_cert() {
    "$NETCERT" "$@" || fail "no certificate"
}

# hub_stop - ends it; whatever it complained of is a failure.
hub_stop() {
    exec 9>&-
    code=0
    wait "$hub_pid" || code=$?
    hub_pid=
    [ $code = 0 ] && [ ! -s "$T/hub.out" ] || fail "fakehub: exit code $code: $(cat "$T/hub.out")"
}

# hub_ctl GET|POST TARGET [ARGUMENT of netctl...]
hub_ctl() {
    "$NETCTL" "$CTL" "$@" || fail "ctl: $*"
}

# hub_faults RULES - the rules of faults from now on, JSON; "[]": none.
hub_faults() {
    hub_ctl POST /faults --body "$1" >/dev/null
}

# hub_state KEY... - one value of GET /state, say: hub_state ports cdn bytes
hub_state() {
    "$NETCTL" "$CTL" GET /state "$@" || fail "state has no $*"
}

# hub_set NAME=VALUE... - settings from now on.
hub_set() {
    for one in "$@"; do
        hub_ctl POST "/settings?$one" >/dev/null
    done
}

# hub_reset - no faults, names of commits, settings, counters and log as at the start.
hub_reset() {
    hub_ctl POST /reset >/dev/null
    : >"$HUB_LOG"
}

# hub_logged N PATTERN - exactly N lines of the log match (grep's basic expressions).
hub_logged() {
    n=$(grep -c -e "$2" "$HUB_LOG" || true)
    [ "$n" -eq "$1" ] || fail "$n requests instead of $1 match $2: $(tail -n 20 "$HUB_LOG")"
}

# hub_safe - no token went where it does not belong.
hub_safe() {
    [ "$(hub_state leak)" = false ] || fail "a token leaked: $(hub_state leak_detail)"
}
