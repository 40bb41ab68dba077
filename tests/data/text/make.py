#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the CSV files of this folder, and beside each NAME.jsonl: what Python's csv module reads.

    python3 make.py

NAME.csv with the header a,b,c; rows of another length are left out of the expected ones, and their
numbers are the lines of NAME.bad.
"""
import csv
import io
import json
import random

HEADER = ["a", "b", "c"]
WORDS = ["", "x", "two words", "日本", "say \"hi\"", "a,b", "a;b|c\td", "line\nbreak", "cr\rhere", " spaces ",
         "é" * 40, "'", "crlf\r\nin it", "\"", "\"\"", "1.50", "null"]


def written(random, n, **dialect):
    out = io.StringIO(newline="")
    w = csv.writer(out, **dialect)
    w.writerow(HEADER)
    for _ in range(n):
        w.writerow([random.choice(WORDS) for _ in HEADER])
    return out.getvalue()


def odd(random, n):
    """Any text: stray quotes, all line ends, blank lines, rows of any length."""
    while True:
        text = "a,b,c\n" + "".join(random.choice('xy",,,"\n\n\r ') for _ in range(n)) + "\nx,y,z\n"
        rows = list(csv.reader(io.StringIO(text, newline="")))
        if rows[-1] == ["x", "y", "z"] and max(len(f) for r in rows for f in r) < n / 4:
            return text


def save(name, text, delimiter=","):
    with open(name, "w", newline="", encoding="utf-8") as f:
        f.write(text)
    base = name.rsplit(".", 1)[0]
    rows = [r for r in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter) if r]
    assert rows[0] == HEADER
    with open(base + ".jsonl", "w", encoding="utf-8") as good, open(base + ".bad", "w") as bad:
        for i, row in enumerate(rows[1:], 1):
            if len(row) == len(HEADER):
                good.write(json.dumps(dict(zip(HEADER, row)), ensure_ascii=False, separators=(",", ":")) + "\n")
            else:
                bad.write(f"{i}\n")


def main():
    r = random.Random(7)
    save("comma.csv", "\ufeff" + written(r, 200))
    save("lines.csv", written(r, 100, lineterminator="\n", quoting=csv.QUOTE_ALL))
    save("returns.csv", written(r, 100, lineterminator="\r"))
    save("semicolon.csv", written(r, 100, delimiter=";"), ";")
    save("tab.tsv", written(r, 100, delimiter="\t", lineterminator="\n"), "\t")
    for i in range(4):
        save(f"odd{i}.csv", odd(r, 1500))


if __name__ == "__main__":
    main()
