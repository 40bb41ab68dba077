#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes forest.jsonl, messages of random trees in any order, and what trees.so has to make of them:
best.jsonl, all.jsonl, and gone.txt, the lines that go with the reason.  By recursion over whole
trees, as one would do it with all of them in memory.

    make.py [SEED]
"""
import json
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
NULL_LAST = float("inf")


def dump(v):
    return json.dumps(v, ensure_ascii=False, separators=(",", ":"))


def message(r, tree, number, parent, role):
    m = {"message_id": "%s-%d" % (tree, number), "parent_id": parent, "user_id": "u"}
    m["text"] = "".join(r.choice(["a", "b ", "\n", '"', "\\", "é", "你", "\t", "\x01"]) for _ in range(r.randrange(12)))
    m["role"] = role
    m["lang"] = r.choice(["en", "zh"])
    m["deleted"] = r.random() < 0.1
    m["rank"] = r.choice([None, None, 0, 1, 2, 2, 3])
    m["message_tree_id"] = tree
    if r.random() < 0.2:
        del m["rank"]
    return m


def forest(r):
    rows = []
    for t in range(60):
        tree = "t%d" % t
        nodes = [message(r, tree, 0, r.choice([None, ""]), "prompter")]
        for k in range(1, r.choice([1, 2, 3, 8, 20])):
            up = r.choice(nodes[-4:])
            role = {"prompter": "assistant", "assistant": "prompter"}[up["role"]]
            if r.random() < 0.1:
                role = up["role"]
            nodes.append(message(r, tree, k, up["message_id"], role))
        if t % 10 == 6:  # the best reply is no answer, and nobody answers it
            nodes = [nodes[0]] + [message(r, tree, k, tree + "-0", role) for k, role in ((1, "assistant"), (2, "prompter"))]
            for k, m in enumerate(nodes):
                m.update(deleted=False, rank=2 - k)
        if t % 10 == 3:  # a reply to nobody
            nodes.append(message(r, tree, 90, "elsewhere", "assistant"))
        if t % 10 == 4:  # an id once more
            nodes.append(message(r, tree, 0, nodes[0]["message_id"], "assistant"))
        if t % 10 == 5:  # two that reply to each other
            nodes.append(message(r, tree, 91, tree + "-92", "assistant"))
            nodes.append(message(r, tree, 92, tree + "-91", "prompter"))
        rows += nodes
    r.shuffle(rows)
    rows.insert(17, {"instruction": "q", "output": "a"})
    return rows


def turn(m):
    return {"from": "gpt" if m["role"] == "assistant" else "human", "value": m["text"]}


def cut(path):
    while path and path[-1]["role"] != "assistant":
        path = path[:-1]
    return path


def main():
    rows = forest(random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 8))
    first, order = {}, {}
    for i, m in enumerate(rows):
        if "message_id" in m:
            order[id(m)] = i
            first.setdefault(m["message_id"], m)
    children, gone, best, every = {}, [], [], []
    for m in rows:
        if "message_id" in m and first[m["message_id"]] is m and m["parent_id"]:
            children.setdefault(m["parent_id"], []).append(m)

    def replies(m):
        live = [c for c in children.get(m["message_id"], []) if not c["deleted"]]
        rank = lambda c: NULL_LAST if c.get("rank") is None else c["rank"]
        return sorted(live, key=lambda c: (rank(c), order[id(c)]))

    def walk(m):
        down = replies(m)
        return [m] + (walk(down[0]) if down else [])

    def paths(m, before):
        """Every path that ends with an answer that no answer follows."""
        here = before + [m]
        below = [p for c in replies(m) for p in paths(c, here)]
        return below or ([here] if m["role"] == "assistant" else [])

    for line, m in enumerate(rows, 1):
        if "message_id" not in m:
            best.append(dump(m))
            every.append(dump(m))
        elif first[m["message_id"]] is not m:
            gone.append("%d message_twice" % line)
        elif m["parent_id"] and m["parent_id"] not in first:
            gone.append("%d no_parent" % line)
        elif m["deleted"]:
            gone.append("%d deleted" % line)
        elif m["parent_id"]:
            gone.append("%d part_of_tree" % line)
        elif not paths(m, []):
            gone.append("%d no_answer" % line)
        else:
            rest = {k: v for k, v in m.items() if k not in ("parent_id", "text", "role", "rank", "deleted")}
            one = cut(walk(m))
            alls = paths(m, [])
            if one:
                best.append(dump({**rest, "conversations": [turn(x) for x in one]}))
            else:
                best.append("")
                gone.append("%d no_answer best" % line)
            for k, p in enumerate(alls):
                keep = rest if k == 0 else {x: m[x] for x in ("message_id", "message_tree_id")}
                every.append(dump({**keep, "conversations": [turn(x) for x in p]}))
    for name, lines in (("forest", map(dump, rows)), ("best", filter(None, best)), ("all", every), ("gone", gone)):
        with open(os.path.join(HERE, name + (".txt" if name == "gone" else ".jsonl")), "w", encoding="utf-8") as f:
            f.writelines(l + "\n" for l in lines)


main()
