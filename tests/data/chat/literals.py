#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes literals.jsonl: lists as Python prints them, and what they mean by ast.literal_eval.

    pip install numpy
    literals.py

A line: the text, and its "value" (what JSON cannot hold is brought to it by want() below), or
"error": true where Python refuses the text, too.  Arrays are printed by numpy itself; there the
value is what went into the array.
"""
import ast
import json
import os
import random

import numpy

HERE = os.path.dirname(os.path.abspath(__file__))

# Read by literal_eval.
TEXTS = [
    "[]", "()", "{}", "[{'from': 'human', 'value': 'hi'}]", "[1, 2,]", "(1,)", "(1)", "((1, 2), 3)",
    "[True, False, None]", "[u'\\u4f60', r'\\d\\'x', '\\d', 'a\\\nb']", "['''it's\na \"q\"''', \"\"\"b''\"\"\"]",
    "['\\x41\\u00e9\\U0001f600\\101\\0411\\a\\b\\f\\n\\r\\t\\v\\\\\\'\\\"']", "[1., .5, -1.5e-3, +7, 1E5, 0, -0, 0.25]",
    "{1: 'a', -2: 'b', 'c': {}}", "  [ 'a' , \"b\" ]\n", "['it\\'s', \"it's\", 'a \"b\"']", "[\"\"]", "['', '']",
    "{'a': (), 'b': (1, [2, {'c': (3,)}]),}", "['\u4f60\u597d', '\U0001f600', '\u00a0', '\u3000']",
    "['\x7f', '\t']", "[('q', 'a'), ('r', 'b')]", "['a\\u000ab']", "['\\400\\377']",
]
# Refused by literal_eval.
REFUSED = [
    "", " ", "[", "[1", "['a", "['a]", "['a'", "{'a'}x", "{'a' 1}", "{'a': 1 'b': 2}", "{'a':}", "{: 1}", "[,]",
    "[1,,2]", "[1, 2]]", "[1) ", "(1, 2]", "['it's']", "[human]", "['\\x4']", "['\\u12']", "['\\U00110000']", "[01]",
    "[1x]", "[1e]", "[-]", "[.]", "[+-1]", "[1.2.3]", "['a\\", "[{'a': 'b'}, ...", "(1 2)", "[1 if 2]",
    "['''a'']", "[\"a\n", "[f'a']", "[1, 2] 3",
]


def want(v):
    """As JSON: dicts have texts for keys, and a tuple is a list."""
    if isinstance(v, dict):
        return {k if isinstance(k, str) else repr(k): want(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [want(x) for x in v]
    return v


def some(r, depth=0):
    kind = r.randrange(9 if depth < 4 else 6)
    if kind < 3:
        return "".join(r.choice("ab '\"\\\n\t{}[](),:\u00e9\u4f60\U0001f600\x01\x85") for _ in range(r.randrange(12)))
    if kind < 6:
        return r.choice([None, True, False, r.randrange(-1000, 1000), r.random() * 10 ** r.randrange(-9, 9)])
    if kind == 6:
        return {"k%d'" % i: some(r, depth + 1) for i in range(r.randrange(4))}
    parts = [some(r, depth + 1) for _ in range(r.randrange(4))]
    return parts if kind == 7 else tuple(parts)


def array(parts):
    a = numpy.empty(len(parts), dtype=object)
    for i, p in enumerate(parts):
        a[i] = p
    return a


def main():
    out = []
    for t in TEXTS:
        out.append({"text": t, "value": want(ast.literal_eval(t.strip()))})
    for t in REFUSED:
        try:
            ast.literal_eval(t)
        except (SyntaxError, ValueError):
            out.append({"text": t, "error": True})
        else:
            raise SystemExit("%r is not refused" % t)
    r = random.Random(5)
    for _ in range(150):
        v = [some(r), some(r)]
        assert ast.literal_eval(repr(v)) == v
        out.append({"text": repr(v), "value": want(v)})
    # Arrays: one within another is array(..., dtype=object).
    turns = [{"content": "it's\nme", "role": "user"}, {"content": 'say "hi"', "role": "assistant"}]
    long = [{"content": "word " * 30, "role": "user"}] * 3
    for v in (turns, long, ["q", "a", "it's"], turns[:1], [["q", "a"], ["r", "b"]]):
        out.append({"text": str(array(v)), "value": v})
        out.append({"text": repr(array(v)), "value": v})
        out.append({"text": str([{"in": array(v), "n": 1}]), "value": [{"in": v, "n": 1}]})
    out.append({"text": str(numpy.array([1, 2, 30])), "value": [1, 2, 30]})
    out.append({"text": str(numpy.array([1.0, float("nan")])), "value": [1.0, None]})
    out.append({"text": repr(numpy.array(["q", "a"])), "value": ["q", "a"]})
    out.append({"text": repr([numpy.str_("q"), numpy.int64(7), numpy.float64(0.5)]), "value": ["q", 7, 0.5]})
    # What numpy leaves out cannot be read.
    out.append({"text": str(array(["x"] * 2000)), "error": True})
    with open(os.path.join(HERE, "literals.jsonl"), "w", encoding="utf-8") as f:
        for o in out:
            f.write(json.dumps(o, ensure_ascii=False) + "\n")


main()
