#!/bin/sh
# SPDX-License-Identifier: MIT
# The plugin ABI as text, so that a change to it cannot land unnoticed.
#
#   abi_text.sh INCLUDE_DIR        prints every struct member, signature, enumerator and constant of
#                                  drh/plugin.h and the service headers: one a line, "SCOPE<TAB>MEMBER"
#   abi_text.sh --check OLD NEW    OLD's lines of each scope must be the first of NEW's: members may
#                                  be appended, not moved, changed or removed
#   abi_text.sh --layout TEXT      prints a C program, made of such a text, that prints size and
#                                  offset of each member
#
# Needs sh, awk and a C preprocessor (CC, default cc).
set -eu

check() {
    awk -F '\t' '
        FNR == NR { old[$1, ++n[$1]] = $2; next }
        {
            k = ++m[$1]
            if (k <= n[$1] && old[$1, k] != $2) {
                printf "ABI break in %s, line %d: was \"%s\", is \"%s\"\n", $1, k, old[$1, k], $2
                bad = 1
            }
        }
        END {
            for (s in n) {
                if (m[s] + 0 < n[s]) {
                    printf "ABI break in %s: %d of %d lines are left\n", s, m[s], n[s]
                    bad = 1
                }
            }
            exit bad
        }' "$1" "$2"
}

# Constants are macros, which the preprocessor eats.  Guards, macros with arguments and the minor,
# which is there to be raised, are left out.
constants() {
    awk '/^#define DRH_[A-Z0-9_]+ +[^ \\]/ && $2 !~ /_H$/ && $2 != "DRH_ABI_MINOR" &&
         $2 != "DRH_EXPORT" {
             name = $2; sub(/^#define +[A-Z0-9_]+ +/, ""); sub(/ *\/\*.*$/, "")
             printf "define %s\t%s\n", name, $0 }' "$1/drh/plugin.h" \
        "$1/drh/infer.h" "$1/drh/http.h" "$1/drh/fetch.h"
}

declarations() {
    printf '#include <drh/%s.h>\n' plugin infer http fetch |
        ${CC:-cc} -std=c11 -E -P -I "$1" -x c - | tr '\n\t' '  ' | awk '
    function trim(s) { gsub(/  +/, " ", s); sub(/^ /, "", s); sub(/ $/, "", s); return s }
    function last_word(s) { sub(/[^A-Za-z0-9_]+$/, "", s); sub(/^.*[^A-Za-z0-9_]/, "", s); return s }
    # Value of an enumerator: a number, or N << M.
    function value(s,    p) {
        gsub(/[u ()]/, "", s)
        p = index(s, "<<")
        if (p) { return value(substr(s, 1, p - 1)) * 2 ^ value(substr(s, p + 2)) }
        if (s !~ /^-?[0-9]+$/) { print "abi_text.sh: cannot read the value " s > "/dev/stderr"; bad = 1 }
        return s + 0
    }
    # Closes a block: prints its members under its name.  Enumerators get their numbers.
    function block(name, d,    j, v, next_value) {
        if (name ~ /^enum/) {
            next_value = 0
            for (j = 1; j <= n[d]; j++) {
                v = member[d, j]
                if (index(v, "=")) { next_value = value(substr(v, index(v, "=") + 1)) }
                sub(/ *=.*/, "", v)
                member[d, j] = v " = " next_value++
            }
            v = member[d, 1]; sub(/ =.*/, "", v)
            name = "enum " v
        }
        if (name ~ /drh_|DRH_/) {
            for (j = 1; j <= n[d]; j++) { print name "\t" member[d, j] }
        }
    }
    function add(d, text) { text = trim(text); if (text != "") { member[d, ++n[d]] = text } }
    { t = t $0 " " }
    END {
        depth = 0
        for (i = 1; i <= length(t); i++) {
            c = substr(t, i, 1)
            if (c == "{") {
                head[depth] = trim(cur); cur = ""; n[++depth] = 0
            } else if (c == "}") {
                add(depth, cur); cur = ""; closed = depth--
            } else if (c == ";" || (c == "," && head[depth - 1] ~ /(^| )enum/ && depth > 0)) {
                cur = trim(cur)
                if (closed == depth + 1 && depth == 0) {
                    name = head[0]; sub(/^typedef /, "", name)
                    block(name ~ /^enum/ ? name : last_word(name), 1)
                } else if (closed == depth + 1) {
                    name = head[0]; sub(/^typedef /, "", name)
                    block(last_word(name) "." cur, closed)
                    add(depth, head[depth] " " cur)
                } else if (depth > 0) {
                    add(depth, cur)
                } else if (cur ~ /drh_|DRH_/) {
                    print "decl " last_word(cur) "\t" cur
                }
                cur = ""; closed = 0
            } else {
                cur = cur c
            }
        }
        exit bad
    }'
}

layout() {
    printf '#include <drh/fetch.h>\n#include <drh/infer.h>\n#include <stddef.h>\n#include <stdio.h>\n'
    printf '#define S(t) printf("sizeof %%s = %%zu\\n", #t, sizeof(t))\n'
    printf '#define M(t, m) printf("offsetof %%s.%%s = %%zu\\n", #t, #m, offsetof(t, m))\n'
    printf 'int main(void)\n{\n'
    awk -F '\t' '
        $1 ~ /^(enum|define|decl) / || $1 ~ /\./ { next }
        $1 != last { printf "    S(%s);\n", $1; last = $1 }
        {
            m = $2
            if (match(m, /\(\*[A-Za-z0-9_]+\)/)) { m = substr(m, RSTART + 2, RLENGTH - 3) }
            else { sub(/\[.*/, "", m); sub(/^.*[^A-Za-z0-9_]/, "", m) }
            printf "    M(%s, %s);\n", $1, m
        }' "$1"
    printf '    return 0;\n}\n'
}

case "${1-}" in
--check) check "$2" "$3" ;;
--layout) layout "$2" ;;
'') echo "usage: abi_text.sh INCLUDE_DIR | --check OLD NEW | --layout TEXT" >&2; exit 2 ;;
*) constants "$1"; declarations "$1" ;;
esac
