# SPDX-License-Identifier: MIT
# lib.sh - sourced by the tests beside it.  They get from the environment
#     DRHOST   the program          DRH_SOURCE  top of the source tree
#     DRH_BUILD  the build tree     DRH_SANITIZE  its sanitizers, or empty
# Each works in a folder of its own, $T, and stops at the first thing that is wrong.
set -eu
: "${DRHOST:?name the drhost program}" "${DRH_SOURCE:?name the source tree}"
: "${DRH_BUILD:=$(dirname "$DRHOST")}" "${DRH_SANITIZE:=}"
MODEL=$DRH_SOURCE/examples/models/tiny-gpt2
T=$(mktemp -d "${TMPDIR:-/tmp}/drhost-e2e-XXXXXX")
pid= # of a run in the background
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true; rm -rf "$T"' EXIT
trap 'exit 130' INT TERM
# Nothing of the user's: no plugins, no options, no colours.
export HOME="$T/home" TMPDIR="$T/tmp" NO_COLOR=1
unset XDG_DATA_HOME DRHOST_PLUGIN_PATH DRHOST_FAULT
mkdir "$HOME" "$TMPDIR" "$T/cwd"
cd "$T/cwd"

fail() {
    echo "FAIL: $*" >&2
    for one in "$T/out" "$T/err"; do
        [ ! -s "$one" ] || { echo "--- $one" && head -c 3000 "$one" | head -n 40; } >&2
    done
    exit 1
}

skip() {
    echo "skipped: $*"
    exit 77
}

# run CODE ARGUMENT... - drhost ARGUMENT... has to end with exit code CODE; see $T/out and $T/err.
run() {
    want=$1
    shift
    code=0
    "$DRHOST" "$@" >"$T/out" 2>"$T/err" || code=$?
    [ "$code" = "$want" ] || fail "exit code $code instead of $want: drhost $*"
}

has() { # FILE TEXT...
    file=$1
    shift
    for text in "$@"; do
        grep -qF -e "$text" "$file" || fail "\"$text\" is not in $file: $(head -c 600 "$file")"
    done
}

hasnt() { # FILE TEXT
    ! grep -qF -e "$2" "$1" || fail "\"$2\" is in $1"
}

lines() { # FILE N
    n=$(wc -l <"$1")
    [ "$n" -eq "$2" ] || fail "$1 has $n lines instead of $2"
}

same() { # A B
    cmp "$1" "$2" >&2 || fail "$1 and $2 differ"
}

# results DATA VERSION - a line per result file, with its digest.
results() {
    (cd "$1" && find "interim/$2" "processed/$2" -type f | LC_ALL=C sort | xargs sha256sum)
}

# stamps DATA VERSION PHASE - a line per file, with the time it was written.
stamps() {
    find "$1/$3/$2" -type f -printf '%P %T@ %i\n' | LC_ALL=C sort
}

# rows N [SEED] - N Alpaca records of a few words, a line each; always the same for one SEED.
rows() {
    LC_ALL=C awk -v n="$1" -v seed="${2:-1}" '
        function pick(m) {
            seed = (seed * 16807) % 2147483647
            return int(seed / 7) % m + 1
        }
        BEGIN {
            k = split("river stone market child winter garden engine letter planet bridge", noun, " ")
            v = split("finds moves paints keeps sells repairs counts follows", verb, " ")
            seed += 12345
            for (i = 1; i <= n; i++) {
                a = noun[pick(k)]; b = noun[pick(k)]; c = noun[pick(k)]; x = pick(90); y = pick(90)
                if (i % 2) {
                    q = "What is " x " plus " y "?"
                    r = x " plus " y " is " (x + y) "."
                } else {
                    q = "Write about the " a " and the " b ", number " i "."
                    r = "The " a " " verb[pick(v)] " the " b " and the " c " " verb[pick(v)] " it."
                }
                printf "{\"instruction\":\"%s\",\"input\":\"\",\"output\":\"%s\"}\n", q, r
            }
        }'
}

# recipe FILE DATA SOURCE [MODEL] - two domains, three data sets, every kind of step but synthesis.
recipe() {
    cat >"$1" <<END
{
    "recipe": 1, "version": "v1", "data": "$2", "seed": 7, // as small as it can be
    "services": { "infer": { "use": "auto", "model": "${4:-$MODEL}" } },
    "sources": [
        { "use": "local", "id": "one", "path": "$3/one.jsonl", "domain": "Math", "dataset": "one" },
        { "use": "local", "id": "two", "path": "$3/two.jsonl", "domain": "General", "dataset": "two" },
        { "use": "local", "id": "bad", "path": "$3/bad.jsonl", "domain": "General", "dataset": "bad" },
    ],
    "preprocess": [ { "use": "chat" } ],
    "select": [ { "use": "ifd", "below": 50, "top": 0.5, "per": "domain" } ],
    "convert": [ { "use": "pretrain" } ],
}
END
}

# sources FOLDER N - what recipe() reads: 3 N good records, 3 bad ones.
sources() {
    mkdir -p "$1"
    rows "$2" 1 >"$1/one.jsonl"
    rows "$2" 2 >"$1/two.jsonl"
    {
        rows "$2" 3 | head -n 2
        echo '{"instruction":"broken'
        echo '{"instruction":"a question without an answer","output":""}'
        echo '{"a":1,"a":2}'
        rows "$2" 3 | tail -n +3
    } >"$1/bad.jsonl"
}
