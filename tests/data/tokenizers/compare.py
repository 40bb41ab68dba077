#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares our tokenizer with Hugging Face tokenizers, text by text: ids and decoded texts.

    compare.py TOKENS TOKENIZER.json [--random N | --old N] [FILE...]

TOKENS is the program of tests/perf/tokens.c.  Each string of a JSON file is a text, and so is each
line of any other.  --random: N texts of random characters that Unicode 14 knows, and of
bits that are easy to get wrong; --old: those that Unicode 3.2 knows, since the original has older
tables for some of its steps.  Ends with status 1 when something differs.
"""
import json
import random
import subprocess
import sys
import threading
import unicodedata

from tokenizers import Tokenizer

BITS = ["'s", "'S", "'ſ", "'ll", "'Re", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\u180e", "\u2028", "\u0085",
        "a", "B", "é", "e\u0301", "Ǆ", "ǅ", "中", "の", "한", "1", "12", "٣", "½", "\u0301", "\u0903", "_", "/", ".", "!", "$", "€",
        "👍", "\u200d", "\ufe0f", "▁", "<s>", "</s>", "<|im_start|>", "<|end|>", "the", " The", "ing", "ﬁ", "Å", "\u0323", "\u0307",
        "<mask>", "<r>", "TOKEN", "Word", "\n\n", "<unk>", "<0x41>", "[INST]", "\u1100", "\u1161", "\u11a8", "각", "-", "—"]


def strings(x):
    if isinstance(x, str):
        yield x
    elif isinstance(x, (list, dict)):
        for y in x.values() if isinstance(x, dict) else x:
            yield from strings(y)


def file_texts(path):
    with open(path, encoding="utf-8", newline="") as f:
        text = f.read()
    try:
        return list(strings(json.loads(text)))
    except ValueError:
        pass
    try:
        return [s for line in text.splitlines() for s in strings(json.loads(line))]
    except ValueError:
        return text.splitlines(keepends=True)


def random_texts(n, unicode, seed=1):
    r = random.Random(seed)
    known = [chr(c) for c in range(0x110000)
             if not 0xD800 <= c < 0xE000 and unicode.category(chr(c)) not in ("Cn", "Co")]
    out = []
    for i in range(n):
        kind = i % 4
        if kind == 0:
            s = "".join(r.choice(known) for _ in range(r.randrange(1, 40)))
        elif kind == 1:
            s = "".join(r.choice(BITS) for _ in range(r.randrange(1, 30)))
        elif kind == 2:
            s = "".join(chr(r.randrange(1, 0x300)) for _ in range(r.randrange(1, 60)))
        else:
            s = "".join(r.choice(BITS) if r.random() < 0.6 else r.choice(known)
                        for _ in range(r.randrange(1, 40)))
        out.append(s)
    return out


def main():
    program, path, *rest = sys.argv[1:]
    texts = []
    if rest and rest[0] in ("--random", "--old"):
        texts += random_texts(int(rest[1]),
                              unicodedata if rest[0] == "--random" else unicodedata.ucd_3_2_0)
        rest = rest[2:]
    for f in rest:
        texts += file_texts(f)
    t = Tokenizer.from_file(path)
    child = subprocess.Popen([program, path, "--ids"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
    raw = [s.encode() for s in texts]

    def feed():
        for b in raw:
            for special in 0, len(b):
                child.stdin.write(b"%d %d\n" % (special, len(b)) + b)
        child.stdin.close()

    threading.Thread(target=feed, daemon=True).start()
    bad = tokens = 0
    for s in texts:
        for special in False, True:
            t.encode_special_tokens = not special
            want = t.encode(s, add_special_tokens=False).ids
            want_text = t.decode(want, skip_special_tokens=False)
            got = [int(x) for x in child.stdout.readline().split()]
            got_text = child.stdout.read(int(child.stdout.readline())).decode()
            tokens += len(want)
            if got != want or got_text != want_text:
                bad += 1
                if bad <= 8:
                    print("%s special=%s %r\n  want %s\n  got  %s\n  want %r\n  got  %r" %
                          (path, special, s[:300], [t.id_to_token(i) for i in want][:60],
                           [t.id_to_token(i) for i in got][:60], want_text[:200], got_text[:200]))
    print("%s: %d texts, %d bytes, %d tokens (each twice), %d differ" %
          (path, len(texts), sum(map(len, raw)), tokens, bad))
    return 1 if bad else 0


sys.exit(main())
