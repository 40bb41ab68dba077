#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random tables, nested in random ways and written by pyarrow in random ways, read by drhost: the JSON of
the table.  By hand (needs what make.py needs):

    compare.py BUILD [SEED [TABLES]]

A file that differs stays in TMPDIR as compare.arrow.
"""
import os
import random
import subprocess
import sys
import tempfile

import make
import pyarrow as pa


def tables_of():
    """make_table() of ../parquet/compare.py, which imports the make.py beside it."""
    sys.modules["make"] = make.forms
    module = make.load("tables", os.path.join(make.PARQUET, "compare.py"))
    sys.modules["make"] = make
    return module.make_table


def other_type(r, t):
    """The same values in another type of Arrow's, at times."""
    if r.random() < .5 and pa.types.is_string(t):
        return r.choice([pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
    if pa.types.is_list(t):
        return r.choice([pa.list_, pa.large_list])(t.value_type)
    return t


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = sys.argv[1]
    seed, tables = (sys.argv[2:] + ["1", "100"][len(sys.argv) - 2:])[:2]
    r, make_table = random.Random(int(seed)), tables_of()
    path = os.path.join(tempfile.gettempdir(), "compare.arrow")
    for i in range(int(tables)):
        table = make_table(r)
        table = table.cast(pa.schema([(f.name, other_type(r, f.type)) for f in table.schema])).slice(r.choice([0, 0, 1]))
        how, size = r.choice([v for v in make.OPTIONS]), r.choice([7, 100, 10**6])
        make.write(path, how, table, size)
        got = subprocess.run([f"{build}/drhost", "--plugin", f"{build}/plugins/arrow.so", path, "-q"],
                             capture_output=True, text=True)
        if got.returncode or got.stdout != make.text_of(table):
            sys.exit(f"table {i} of seed {seed} is read otherwise: {how}, {size}\n{table.schema}\n{got.stderr}")
    os.remove(path)
    print(f"{tables} tables are read as pyarrow reads them")


if __name__ == "__main__":
    main()
