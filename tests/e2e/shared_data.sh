#!/bin/sh
# SPDX-License-Identifier: MIT
# shared_data.sh - real data: every file below $DRH_SHARED_DATA goes through chat; counts balance,
# and each record that is missing has a reason.  Prints a table.  Skipped without that folder.
. "$(dirname "$0")/lib.sh"
[ -d "${DRH_SHARED_DATA:-}" ] || skip "DRH_SHARED_DATA names no folder of data"
cd "$DRH_SHARED_DATA"

printf '%-48s %8s %8s %8s %8s  %s\n' file in out dropped failed reasons
# dataset_info.json is a list of data sets, not one.
find . -type f \( -name '*.json' -o -name '*.jsonl' \) ! -name dataset_info.json | LC_ALL=C sort |
    while read -r file; do
        run 0 --plugin chat.so --max-bad 0.999 "$file" -o "$T/o.jsonl"
        # "read: 5 in, 4 out, 1 failed: bad_json 1", then the same of chat
        awk -v file="$file" '
            function before(word, i) {
                for (i = 2; i <= NF; i++) {
                    if ($i ~ "^" word "[,:]?$") return $(i - 1)
                }
                return 0
            }
            /^drhost: (read|chat): / {
                dropped += before("dropped")
                failed += before("failed")
                if ($2 == "read:") n_in = before("in")
                n_out = before("out")
                at = match($0, /(dropped|failed): /)
                if (at) reasons = reasons " " substr($0, at)
            }
            END {
                printf "%-48s %8d %8d %8d %8d %s\n", file, n_in, n_out, dropped, failed, reasons
                exit n_in == 0 || n_in != n_out + dropped + failed
            }' "$T/err" >"$T/row" || fail "$file does not balance: $(cat "$T/err")"
        cat "$T/row"
        lines "$T/o.jsonl" "$(awk '{ print $3 }' "$T/row")"
        lines "$T/o.jsonl.rejected.jsonl" "$(awk '{ print $4 + $5 }' "$T/row")"
        n=$(grep -c '"reason":"[a-z]' "$T/o.jsonl.rejected.jsonl" || true)
        lines "$T/o.jsonl.rejected.jsonl" "$n"
    done
