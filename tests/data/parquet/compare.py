#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random tables, nested in random ways and written by pyarrow with random options, read by drhost:
the JSON of the table.  By hand (needs what make.py needs):

    compare.py BUILD [SEED [TABLES]]

A file that differs stays in TMPDIR as compare.parquet.
"""
import os
import random
import subprocess
import sys
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq

import make

FLAT = [pa.string(), pa.string(), pa.int32(), pa.int64(), pa.bool_(), pa.float64()]


def make_type(r, depth):
    kind = r.randrange(9 if depth < 4 else 6)
    if kind < 6:
        return FLAT[kind]
    if kind == 6:
        return pa.list_(make_type(r, depth + 1))
    if kind == 7:
        return pa.struct([(f"m{i}", make_type(r, depth + 1)) for i in range(r.randrange(1, 4))])
    return pa.map_(pa.string(), make_type(r, depth + 1))


def make_value(r, t, nulls):
    if r.random() < nulls:
        return None
    if pa.types.is_string(t):
        return "".join(r.choice("ab\u00e9\"\\\n河🙂") for _ in range(r.randrange(12)))
    if pa.types.is_boolean(t):
        return r.random() < .5
    if pa.types.is_floating(t):
        return r.choice([0.0, 1.5, r.random(), -r.random() * 1e9])
    if pa.types.is_integer(t):
        return r.randrange(-2**31, 2**31)
    if pa.types.is_map(t):
        return [(f"k{i}", make_value(r, t.item_type, nulls)) for i in range(r.choice([0, 1, 3]))]
    if pa.types.is_list(t):
        return [make_value(r, t.value_type, nulls) for _ in range(r.choice([0, 0, 1, 2, 5]))]
    return {f.name: make_value(r, f.type, nulls) for f in t}


def make_table(r):
    schema = pa.schema([(f"c{i}", make_type(r, 0)) for i in range(r.randrange(1, 6))])
    nulls, n = r.choice([0, .1, .5]), r.choice([1, 30, 700])
    return pa.Table.from_pylist([{f.name: make_value(r, f.type, nulls) for f in schema} for _ in range(n)], schema)


def options(r):
    return {"compression": r.choice(["none", "snappy", "zstd", "gzip", "lz4", "brotli"]), "use_dictionary": r.random() < .5,
            "data_page_version": r.choice(["1.0", "2.0"]), "data_page_size": r.choice([20, 500, 10**6]),
            "write_batch_size": r.choice([3, 50, 1024]), "row_group_size": r.choice([7, 100, 10**6]),
            "write_page_checksum": r.random() < .5, "use_compliant_nested_type": r.random() < .7}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = sys.argv[1]
    seed, tables = (sys.argv[2:] + ["1", "100"][len(sys.argv) - 2:])[:2]
    r = random.Random(int(seed))
    path = os.path.join(tempfile.gettempdir(), "compare.parquet")
    for i in range(int(tables)):
        table, how = make_table(r), options(r)
        pq.write_table(table, path, **how)
        got = subprocess.run([f"{build}/drhost", "--plugin", f"{build}/plugins/parquet.so", path, "-q"],
                             capture_output=True, text=True)
        if got.returncode or got.stdout != make.lines(table):
            sys.exit(f"table {i} of seed {seed} is read otherwise: {how}\n{table.schema}\n{got.stderr}")
    os.remove(path)
    print(f"{tables} tables of seed {seed}: the same")


if __name__ == "__main__":
    main()
