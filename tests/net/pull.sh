# SPDX-License-Identifier: MIT
# pull.sh - drhost pull against the fake hubs; sourced after lib.sh.
#
# Short pauses and few tries, so that what has to fail fails soon.
QUICK="--no-progress --set services.http.pause=0.02 --set services.http.longest_pause=0.2
    --set services.http.stall=${STALL:=3} --set services.http.patience=5"
HUBURL= # of the hub that is asked
n_out=0

# from hf|ms - which hub the following cases ask.
from() {
    case $1 in
    hf) SOURCE=hf-mirror HUBURL=http://127.0.0.1:$HUB ;;
    ms) SOURCE=modelscope HUBURL=http://127.0.0.1:$MS ;;
    esac
}

# pull CODE REPO [OPTION...] - into a new folder $OUT, which the case may name itself before.
pull() {
    want=$1
    repo=$2
    shift 2
    if [ -z "${OUT-}" ]; then
        n_out=$((n_out + 1))
        OUT=$T/out-$n_out
    fi
    run "$want" pull "$SOURCE:$repo" --endpoint "$HUBURL" --local-dir "$OUT" $QUICK "$@"
}

# case_of NAME [RULES] - the next case: hub as at the start, then these faults.
case_of() {
    echo "- $1"
    OUT=
    hub_reset
    [ -z "${2-}" ] || hub_faults "$2"
}

# listing REPO - "SHA256  PATH" lines, as ModelScope's side of the fake lists them.
listing() {
    page=1
    while :; do
        "$NETCTL" "$MS" GET \
            "/api/v1/datasets/$1/repo/tree?Revision=master&Recursive=True&PageNumber=$page&PageSize=200" |
            sed 's/},{/}\n{/g' | grep '"Type":"blob"' >"$T/page" || true
        [ -s "$T/page" ] || break
        sed -n 's/.*"Path":"\([^"]*\)".*"Sha256":"\([^"]*\)".*/\2  \1/p' "$T/page"
        page=$((page + 1))
    done | LC_ALL=C sort -k 2
}

# whole REPO [FOLDER] - every file of the listing is there with its digest, and nothing else.
whole() {
    dir=${2:-$OUT}
    (cd "$dir" && find . -path ./.cache -prune -o -type f -print | sed 's|^\./||' |
        LC_ALL=C sort | xargs -d '\n' sha256sum) | LC_ALL=C sort -k 2 >"$T/have"
    listing "$1" >"$T/want"
    [ -s "$T/want" ] || fail "the listing of $1 is empty"
    diff "$T/want" "$T/have" >&2 || fail "$dir is not $1"
}

# clean [FOLDER] - no part and no temporary is left.
clean() {
    left=$(find "${1:-$OUT}" -name '*.part' -o -name '*.journal' -o -name '.tmp*' | head -n 3)
    [ -z "$left" ] || fail "left over: $left"
}

# absent PATH... - no such file below $OUT.
absent() {
    for one in "$@"; do
        [ ! -e "$OUT/$one" ] || fail "$one is there"
    done
}
