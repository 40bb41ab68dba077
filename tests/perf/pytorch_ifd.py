#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""IFD as the papers' scripts compute it, in PyTorch, beside tests/perf/score, in turns.

    python3 -m venv DIR && DIR/bin/pip install torch transformers
    DIR/bin/python tests/perf/pytorch_ifd.py BUILD/tests/score [--records 24] [--rounds 3] [--threads 1]

GPT-2 124M with random weights, one record at a time, two forward passes each (answer after prompt with
the prompt's labels masked, answer alone), all logits, no padding; f32 and bf16.  The lengths and ids are
those of score.c.  Time is CPU time of the whole process; the best round of each counts.
"""
import argparse
import math
import re
import subprocess
import time

import torch
import transformers

MASK = (1 << 64) - 1
VOCAB = 50257


class Numbers:
    """The generator of score.c."""

    def __init__(self):
        self.state = 7

    def uniform(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & MASK
        return (self.state >> 11) / 9007199254740992.0

    def length(self, mean, sigma, most):
        z = math.sqrt(-2 * math.log(self.uniform() + 1e-12)) * math.cos(6.283185307179586 * self.uniform())
        v = mean * math.exp(sigma * z - sigma * sigma / 2)
        return 4 if v < 4 else most if v > most else int(v)


def make_work(records):
    numbers, work = Numbers(), []
    for _ in range(records):
        p = numbers.length(75, 0.6, 256)
        a = numbers.length(63, 0.9, 512 - p)
        work.append((p, [int(numbers.uniform() * VOCAB) for _ in range(p + a)]))
    return work


def loss(model, ids, masked):
    """The papers' call: labels are the ids, those of the prompt are -100."""
    ids = torch.tensor([ids])
    labels = ids.clone()
    labels[0, :masked] = -100
    with torch.no_grad():
        return model(ids, labels=labels).loss.item()


def seconds(model, work):
    start = time.process_time()
    for p, ids in work:
        loss(model, ids, p)
        loss(model, ids[p:], 0)
    return time.process_time() - start


def score(program, records):
    """CPU seconds of openblas f32, onednn f32 and onednn bf16, by name."""
    text = subprocess.run([program, "--records", str(records), "--rounds", "1"],
                          check=True, capture_output=True, text=True).stdout
    found = {"openblas f32": float(re.search(r"scored\) in ([0-9.]+) s", text)[1])}
    for name, t in re.findall(r"^(onednn \S+): ([0-9.]+) s of CPU", text, re.M):
        found[name] = float(t)
    return found


def main():
    a = argparse.ArgumentParser()
    a.add_argument("score")
    a.add_argument("--records", type=int, default=24)
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--threads", type=int, default=1)
    a.add_argument("--attention", default="sdpa")
    a = a.parse_args()
    torch.set_num_threads(a.threads)
    work = make_work(a.records)
    config = transformers.GPT2Config()
    f32 = transformers.GPT2LMHeadModel._from_config(config, attn_implementation=a.attention).eval()
    models = {"pytorch f32": f32,
              "pytorch bf16": transformers.GPT2LMHeadModel._from_config(
                  config, attn_implementation=a.attention).eval().to(torch.bfloat16)}
    best = {}
    for model in models.values():
        seconds(model, work[:4])
    for _ in range(a.rounds):
        times = {name: seconds(model, work) for name, model in models.items()}
        times.update(score(a.score, a.records))
        for name, t in times.items():
            best[name] = min(t, best.get(name, t))
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, {a.threads} threads, "
          f"{a.attention}, {a.records} records, best of {a.rounds}")
    for name, t in best.items():
        print(f"{name:13} {t:8.3f} s  {best['pytorch f32'] / t:6.2f} x pytorch f32  "
              f"{best['pytorch bf16'] / t:6.2f} x pytorch bf16")


if __name__ == "__main__":
    main()
