#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make.py FOLDER - similar.jsonl, 400 conversations of which many are edited copies of earlier
ones, and beside it which of them go by comparing everything with everything: a record goes when
an earlier one that stays is as similar as the threshold.  No hashing, no bands; words and
normalisation by Python's own Unicode tables.  The names: expected-METHOD-NGRAM-THRESHOLD.txt.  For decontaminate: questions.txt, and
which records hold as many words of one in a row."""
import json
import random
import re
import sys
import unicodedata

random.seed(20)
WORDS = """river stone market child winter garden engine letter planet bridge finds moves paints
keeps sells repairs counts follows old cold bright narrow quiet heavy after before under beside
because while never always seven ninety Größe façade naïve Straße ΣΊΣΥΦΟΣ молоко река""".split()
HAN = "我想知道怎样才能在冬天的花园里种出好看的花请你给一些具体的建议谢谢"


def sentence(n):
    return " ".join(random.choice(WORDS) for _ in range(n)).capitalize() + "."


def han(n):
    return "".join(random.choice(HAN) for _ in range(n)) + "。"


def edited(text):
    if not re.search("[a-z]", text):
        at = random.randrange(len(text))
        return text[:at] + random.choice(HAN) + text[at + 1:]
    words = text.split(" ")
    for _ in range(random.choice([0, 1, 1, 2, 3, 5, 8])):
        at = random.randrange(len(words))
        words[at] = random.choice(WORDS)
    kind = random.randrange(6)
    text = " ".join(words)
    if kind == 0:
        text = text.upper()
    elif kind == 1:
        text = "  " + text.replace(" ", " \n ", 3) + "\u3000"
    elif kind == 2:
        text = unicodedata.normalize("NFD", text)
    elif kind == 3:
        text = text.replace(" ", ", ", 2)
    return text


def records():
    all_of_them = []
    for i in range(400):
        if i > 20 and random.random() < 0.6:
            q, a = all_of_them[random.randrange(i)]
            if random.random() < 0.8:
                a = edited(a)
            if random.random() < 0.3:
                q = edited(q)
        elif random.random() < 0.2:
            q, a = han(12), han(random.randrange(30, 90))
        else:
            q, a = sentence(random.randrange(5, 12)), sentence(random.randrange(20, 80))
        all_of_them.append((q, a))
    return all_of_them


def normal(text):
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return re.sub(r"\s+", " ", text).strip()


def words(text):
    found = []
    last = False
    for c in normal(text):
        alone = "\u3041" <= c <= "\u30ff" or "\u3400" <= c <= "\u9fff"
        if alone:
            found.append(c)
            last = False
        elif unicodedata.category(c)[0] in "LMN":
            if last:
                found[-1] += c
            else:
                found.append(c)
            last = True
        else:
            last = False
    return found


def grams(record, n):
    w = words(record[0]) + words(record[1])
    if len(w) < n:
        return {tuple(w)} if w else set()
    return {tuple(w[i:i + n]) for i in range(len(w) - n + 1)}


def exact(all_of_them):
    first = {}
    gone = {}
    for i, (q, a) in enumerate(all_of_them):
        key = (normal(q), normal(a))
        if key in first:
            gone[i] = (first[key], None)
        else:
            first[key] = i
    return gone


def similar(all_of_them, n, threshold):
    sets = [grams(r, n) for r in all_of_them]
    equal = exact(all_of_them)
    gone = {}
    for i in range(len(sets)):
        if i in equal:
            continue
        for k in range(i):
            if k in gone or k in equal:
                continue
            both = len(sets[i] & sets[k])
            share = both * 10000 // (len(sets[i]) + len(sets[k]) - both)
            if share >= round(threshold * 10000):
                gone[i] = (k, share)
                break
    for i, (k, _) in equal.items():
        gone[i] = gone[k] if k in gone else (k, None)
    return gone


def write(path, gone):
    with open(path, "w", encoding="utf-8") as f:
        for i in sorted(gone):
            k, share = gone[i]
            if share is None:
                f.write(f"{i + 1} duplicate of similar.jsonl:{k + 1}\n")
            else:
                f.write(f"{i + 1} near duplicate of similar.jsonl:{k + 1}, similarity "
                        f"{share // 10000}.{share % 10000:04d}\n")


folder = sys.argv[1]
data = records()
with open(f"{folder}/similar.jsonl", "w", encoding="utf-8") as f:
    for q, a in data:
        f.write(json.dumps({"instruction": q, "output": a}, ensure_ascii=False) + "\n")
write(f"{folder}/expected-exact.txt", exact(data))
for n, threshold in ((5, 0.8), (5, 0.5), (1, 0.9)):
    write(f"{folder}/expected-minhash-{n}-{threshold}.txt", similar(data, n, threshold))


# ---- decontaminate ----

def questions(all_of_them):
    """Parts of answers, in other letters and with other punctuation, and sentences of their own."""
    for i in range(60):
        text = random.choice(all_of_them)[1]
        parts = text.split()
        if i % 3 == 0 or len(parts) < 21:
            yield sentence(random.randrange(4, 30))
            continue
        n = random.choice([5, 7, 8, 9, 11, 12, 13, 20])
        at = random.randrange(len(parts) - n)
        part = "; ".join([" ".join(parts[at:at + n // 2]), " ".join(parts[at + n // 2:at + n])])
        if n > 12 and i % 2:
            part = sentence(3) + " " + part + " " + sentence(2)
        yield part.upper() if i % 4 == 0 else part


def contaminated(all_of_them, asked, n, least):
    known = []
    for line, q in enumerate(asked, 1):
        w = words(q)
        if len(w) >= least:
            size = min(n, len(w))
            known.append((line, size, {tuple(w[i:i + size]) for i in range(len(w) - size + 1)}))
    for number, (q, a) in enumerate(all_of_them, 1):
        w = words(q) + words(a)
        hits = []
        for line, size, sets in known:
            if any(tuple(w[i:i + size]) in sets for i in range(len(w) - size + 1)):
                hits.append((line, size))
        if hits:
            yield f"{number} {hits[0][1]} words in a row as in questions.txt:{hits[0][0]}"


asked = list(questions(data))
with open(f"{folder}/questions.txt", "w", encoding="utf-8") as f:
    for i, q in enumerate(asked):
        f.write((json.dumps({"id": i, "problem": q}) if i % 2 else q) + "\n")
with open(f"{folder}/expected-contaminated.txt", "w", encoding="utf-8") as f:
    for line in contaminated(data, asked, 12, 8):
        f.write(line + "\n")
