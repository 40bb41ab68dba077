#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""measure.py DRHOST [--lingua DIR] [--lines N] [--all] [--set KEY=VALUE]... - how often chat's
guess by script and the stage lang name the language of a labelled text: a line per language and
class of length.  Without --lingua the texts are samples.tsv beside this file; with it they are
DIR/language-models/CODE/testdata of a checkout of https://github.com/pemistahl/lingua-rs, the first
N (300) words, word pairs and sentences of each language.  A paragraph is four sentences in a row.
--all tells all languages of the texts apart that the stage knows, not only the usual ones, and
counts them.  Needs nothing but Python."""
import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
USUAL = """en es pt de fr it nl sv da nb fi pl cs sk hu ro hr sl sq tr az vi id tl sw ca eu et lv lt is
ru uk be bg sr mk kk mn ar fa ur he hi mr zh ja ko el hy bn pa gu ta te th ka""".split()
MORE = "af bs cy eo ga la mi ms nn so xh yo zu".split()
SPACELESS = ["zh", "ja", "th"]
CLASSES = ["word", "pair", "sentence", "paragraph"]
FILES = {"word": "single-words.txt", "pair": "word-pairs.txt", "sentence": "sentences.txt"}


def from_lingua(folder, languages, most):
    for code in languages:
        for kind, name in FILES.items():
            path = os.path.join(folder, "language-models", code, "testdata", name)
            with open(path, encoding="utf-8") as f:
                lines = [line.strip() for line in f.read().split("\n") if line.strip()]
            for line in lines[:most]:
                yield code, kind, line


def from_samples(languages):
    """Sentences, and of each its longest word; of those without spaces its first two characters."""
    with open(os.path.join(HERE, "samples.tsv"), encoding="utf-8") as f:
        for line in f.read().split("\n"):
            if line and not line.startswith("#"):
                code, text = line.split("\t")
                if code in languages:
                    yield code, "sentence", text
                    yield code, "word", text[:2] if code in SPACELESS else max(text.split(), key=len)


def with_paragraphs(rows):
    rows = list(rows)
    sentences = collections.defaultdict(list)
    for code, kind, text in rows:
        if kind == "sentence":
            sentences[code].append(text)
    for code, texts in sentences.items():
        for i in range(0, len(texts) - 3, 4):
            rows.append((code, "paragraph", " ".join(texts[i : i + 4])))
    return rows


def told(drhost, plugin, options, rows):
    """metadata.lang of each text, as an answer behind a question that has no letters."""
    with tempfile.TemporaryDirectory() as folder:
        given, out = os.path.join(folder, "in.jsonl"), os.path.join(folder, "out.jsonl")
        with open(given, "w", encoding="utf-8") as f:
            for _, _, text in rows:
                turns = [{"from": "human", "value": "1?"}, {"from": "gpt", "value": text}]
                f.write(json.dumps({"conversations": turns}, ensure_ascii=False) + "\n")
        subprocess.run([drhost, "--plugin", plugin, "-q", *options, given, "-o", out], check=True)
        with open(out, encoding="utf-8") as f:
            found = [json.loads(line)["metadata"].get("lang", "Und").lower() for line in f]
    if len(found) != len(rows):
        sys.exit("not every text came out")
    return found


def share(n, of):
    return "%5.1f" % (100 * n / of) if of else "    -"


def report(rows, guess, found):
    right, unsure, all_, chat = (collections.Counter() for _ in range(4))
    for (code, kind, _), a, b in zip(rows, guess, found):
        for key in ((code, kind), ("all", kind)):
            all_[key] += 1
            chat[key] += a == code
            right[key] += b == code
            unsure[key] += b == "und"
    codes = sorted({code for code, _, _ in rows}) + ["all"]
    print("%: chat right, then lang right / unsure (und); what is left is wrong\n")
    print("     " + "".join("%-22s" % kind for kind in CLASSES))
    for code in codes:
        print("%-5s" % code + "".join(
            "%s %s /%s    " % (share(chat[code, kind], all_[code, kind]),
                               share(right[code, kind], all_[code, kind]),
                               share(unsure[code, kind], all_[code, kind])) for kind in CLASSES))
    for kind in CLASSES:
        n, sure = all_["all", kind], all_["all", kind] - unsure["all", kind]
        print("%-10s %6d texts, of those that lang names %s %% are right" %
              (kind, n, share(right["all", kind], sure)))


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("drhost")
    ask.add_argument("--lingua")
    ask.add_argument("--lines", type=int, default=300)
    ask.add_argument("--all", action="store_true")
    ask.add_argument("--set", action="append", default=[])
    a = ask.parse_args()
    languages = USUAL + (MORE if a.all else [])
    rows = from_lingua(a.lingua, languages, a.lines) if a.lingua else from_samples(languages)
    rows = with_paragraphs(rows)
    options = [x for one in a.set for x in ("--set", one)]
    if a.all:
        options += ["--set", "languages=" + json.dumps(languages)]
    report(rows, told(a.drhost, "chat", [], rows), told(a.drhost, "lang", options, rows))


main()
