#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Parquet reader on one core beside pyarrow's iter_batches to Python objects, in one run.

    python3 -m venv v && v/bin/pip install pyarrow
    v/bin/python tests/perf/parquet.py BUILD [--mb 300] [--big GB]

BUILD has perf_parquet (`ninja -C BUILD perf_parquet`) and the plugins.  Files are written by pyarrow
into a folder below TMPDIR, of the words and with the lengths of the bundled examples, about --mb million
bytes of text each.  CPU time, the best of several rounds.  "Arrow" is pyarrow reading to its own columns,
without Python objects: most of it is decompression, which nobody can leave out.  --big: a file of that
many GB, read by drhost, with its peak memory.  By hand, not in ctest.
"""
import argparse
import json
import os
import random
import subprocess
import tempfile
import time

import pyarrow as pa
import pyarrow.parquet as pq

ROUNDS = 3
FLAT = ["alpaca_en.json", "roleplay.json"]
EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/data")


def read_texts(files):
    texts = []

    def add(v):
        if isinstance(v, str):
            texts.append(v)
        for x in v.values() if isinstance(v, dict) else v if isinstance(v, list) else []:
            add(x)

    for name in files:
        with open(name) as f:
            add(json.load(f))
    return [t for t in texts if len(t) > 40]


def make_text(r, words, n):
    """As long as the texts of instruction data, not the same twice."""
    return " ".join(r.choices(words, k=n))


def records(r, words, files, size):
    """Records as long as those of the files, field by field, in other words; about `size` bytes."""
    there = [x for name in files for x in json.load(open(name))]
    while size > 0:
        x = r.choice(there)
        made = {k: make_text(r, words, len(v.split(" "))) if isinstance(v, str) and v else v for k, v in x.items()}
        if "conversations" in x:
            made["conversations"] = [{**t, "value": make_text(r, words, len(t["value"].split(" ")))} for t in x["conversations"]]
        size -= sum(len(str(v)) for v in made.values())
        yield made


def chats(r, words, size):
    """Conversations of two to eight turns; questions of 5 to 60 words, answers of 20 to 300."""
    n = 0
    while size > 0:
        turns = [{"from": w, "value": make_text(r, words, r.randrange(*k))}
                 for _ in range(r.randrange(1, 5)) for w, k in (("human", (5, 60)), ("gpt", (20, 300)))]
        n += 1
        size -= sum(len(t["value"]) for t in turns)
        yield {"id": f"chat-{n}", "conversations": turns}


def tables(r, words, mb):
    """NAME, table, options."""
    flat = pa.Table.from_pylist(list(records(r, words, [os.path.join(EXAMPLES, n) for n in FLAT], mb * 10**6)),
                                pa.schema([(n, pa.string()) for n in ("instruction", "input", "output")]))
    yield "alpaca, zstd", flat, {"compression": "zstd", "use_dictionary": False}
    yield "alpaca, zstd, dictionaries", flat, {"compression": "zstd"}
    yield "alpaca, snappy", flat, {"compression": "snappy"}
    yield "chats, zstd", pa.Table.from_pylist(list(chats(r, words, mb * 10**6))), {"compression": "zstd"}
    short = pa.Table.from_pylist(list(records(r, words, [os.path.join(EXAMPLES, "sharegpt.json")], mb * 10**6)))
    yield "chats of short turns, zstd", short, {"compression": "zstd"}
    long = pa.table({"text": [make_text(r, words, r.randrange(200, 2000)) for _ in range(mb * 10**6 // 6000)]})
    yield "long texts, zstd", long, {"compression": "zstd", "use_dictionary": False}
    n = mb * 10**4
    numbers = pa.table({"i": pa.array(range(n), pa.int64()), "x": pa.array([r.randrange(10**6) / 128 for _ in range(n)]),
                        "kind": [r.choice(["a", "b", None]) for _ in range(n)]})
    yield "numbers, zstd", numbers, {"compression": "zstd"}


def best_of(work):
    took = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        took.append(time.process_time() - start)
    return min(took)


def to_objects(path):
    return sum(len(batch.to_pylist()) for batch in pq.ParquetFile(path).iter_batches(use_threads=False))


def to_columns(path):
    return sum(len(batch) for batch in pq.ParquetFile(path).iter_batches(use_threads=False))


def compare(build, path, table):
    out = subprocess.run([f"{build}/tests/perf_parquet", f"{build}/plugins/parquet.so", path], check=True,
                         capture_output=True, text=True).stdout.split()
    rows, json_bytes, ours = int(out[0]), int(out[1]), float(out[2])
    assert rows == to_objects(path) == table.num_rows, rows
    return json_bytes, ours, best_of(lambda: to_objects(path)), best_of(lambda: to_columns(path))


def big(build, folder, r, words, gb):
    path = os.path.join(folder, "big.parquet")
    names = ["instruction", "input", "output"]
    schema = pa.schema([(n, pa.string()) for n in names])
    pool = [make_text(r, words, r.randrange(20, 400)) for _ in range(20000)]
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=False) as w:
        while os.path.getsize(path) < gb * 10**9:
            w.write_table(pa.table({n: [f"{r.random()} {r.choice(pool)}" for _ in range(200000)] for n in names}, schema))
    out = os.path.join(folder, "out.jsonl")
    start = time.monotonic()
    with subprocess.Popen([f"{build}/drhost", "--plugin", f"{build}/plugins/parquet.so", path, "-q", "-o", out]) as p:
        peak = watch(p)
    assert p.returncode == 0, p.returncode
    print(f"{os.path.getsize(path) / 1e9:.1f} GB, {os.path.getsize(out) / 1e9:.1f} GB of JSON by drhost: "
          f"{time.monotonic() - start:.0f} s, peak {peak / 1024:.0f} MiB")


def watch(process):
    """The highest resident set in KiB; getrusage() would count this program's own before exec."""
    peak = 0
    while process.poll() is None:
        with open(f"/proc/{process.pid}/status") as f:
            found = [line.split()[1] for line in f if line.startswith("VmHWM")]
        peak = max([peak, *map(int, found)])
        time.sleep(0.02)
    return peak


def main():
    a = argparse.ArgumentParser()
    a.add_argument("build")
    a.add_argument("--mb", type=int, default=300)
    a.add_argument("--big", type=float)
    args = a.parse_args()
    pa.set_cpu_count(1)
    r = random.Random(1)
    words = " ".join(read_texts([os.path.join(EXAMPLES, n) for n in FLAT + ["gsm8k.json"]])).split(" ")
    with tempfile.TemporaryDirectory() as folder:
        if args.big:
            return big(args.build, folder, r, words, args.big)
        print(f"pyarrow {pa.__version__}; MB/s: decoded bytes as Arrow holds them, by CPU time of one core")
        for name, table, options in tables(r, words, args.mb):
            path = os.path.join(folder, "t.parquet")
            pq.write_table(table, path, **options)
            json_bytes, ours, objects, columns = compare(args.build, path, table)
            mb = table.nbytes / 1e6
            print(f"{name:26} {mb:4.0f} MB in {os.path.getsize(path) / 1e6:4.0f} MB"
                  f"  reader {mb / ours:5.0f} MB/s ({json_bytes / 1e6 / ours:5.0f} of JSON)  pyarrow {mb / objects:5.0f} MB/s"
                  f" (Arrow {mb / columns:5.0f})  ratio {objects / ours:4.1f}", flush=True)


if __name__ == "__main__":
    main()
