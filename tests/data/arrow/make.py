#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the files of this folder with pyarrow: NAME.VARIANT.arrow, and NAME.jsonl.gz, what pyarrow reads
from each variant, in the forms of plugins/parquet/README.md.  With a folder: small files there to begin fuzzing.

    pip install pyarrow (and what ../parquet/make.py needs, whose forms are used)
    make.py [CORPUS]
"""
import datetime
import decimal
import gzip
import importlib.util
import os
import random
import struct
import sys
import uuid

import pyarrow as pa

HERE = os.path.dirname(os.path.abspath(__file__))
PARQUET = os.path.join(HERE, "..", "parquet")


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sys.path.append(PARQUET)  # of its thrift.py
forms = load("forms", os.path.join(PARQUET, "make.py"))

OPTIONS = {"file": (pa.ipc.new_file, None), "stream": (pa.ipc.new_stream, None), "file-lz4": (pa.ipc.new_file, "lz4"),
           "stream-zstd": (pa.ipc.new_stream, "zstd"), "file-zstd": (pa.ipc.new_file, "zstd"),
           "stream-lz4": (pa.ipc.new_stream, "lz4"), "stream-v4": (pa.ipc.new_stream, None),
           "stream-old": (pa.ipc.new_stream, None), "file-old": (pa.ipc.new_file, None)}


def write(path, variant, table, size):
    new, packed = OPTIONS[variant]
    version = pa.ipc.MetadataVersion.V4 if variant.endswith(("old", "v4")) else pa.ipc.MetadataVersion.V5
    options = pa.ipc.IpcWriteOptions(compression=packed, metadata_version=version,
                                     use_legacy_format=variant.endswith("old"))
    with new(path, table.schema, options=options) as w:
        w.write_table(table, max_chunksize=size)


def plain(t):
    """The type that has the forms of ../parquet/make.py: those with views and run ends are not known there."""
    if t == pa.string_view() or t == pa.large_string():
        return pa.string()
    if t == pa.binary_view():
        return pa.binary()
    if pa.types.is_dictionary(t):
        return plain(t.value_type)
    if pa.types.is_map(t):
        return pa.map_(plain(t.key_type), plain(t.item_type))
    if pa.types.is_list(t) or pa.types.is_large_list(t) or pa.types.is_list_view(t):
        return pa.list_(plain(t.value_type))
    if pa.types.is_struct(t):
        return pa.struct([(f.name, plain(f.type)) for f in t])
    return t


def text_of(table):
    return forms.lines(pa.table([pa.chunked_array([plain_array(k) for k in c.chunks], plain(c.type)) for c in table.columns],
                                names=table.column_names))


def plain_array(a):
    t = plain(a.type)
    return a if t == a.type else pa.array(a.to_pylist(maps_as_pydicts=None), t)


def make(name, table, variants, size=10**6):
    text = text_of(table)
    with gzip.GzipFile(os.path.join(HERE, name + ".jsonl.gz"), "wb", 9, mtime=0) as f:
        f.write(text.encode())
    for variant in variants:
        path = os.path.join(HERE, f"{name}.{variant}.arrow")
        write(path, variant, table, size)
        with pa.memory_map(path) as source:
            got = (pa.ipc.open_file if variant.startswith("file") else pa.ipc.open_stream)(source).read_all()
            assert text_of(got) == text, path


def types():
    D, day = decimal.Decimal, 86400
    columns = [
        ("null", pa.null(), [None] * 4), ("bool", pa.bool_(), [True, False, None, True]),
        ("f16", pa.float16(), [1.5, -65504.0, 6e-8, None]),
        ("f32", pa.float32(), [0.1, float("nan"), -3e38, 0.0]), ("f64", pa.float64(), [0.1, float("inf"), -1e-300, 1e21]),
        ("d32", pa.decimal32(5, 2), [D("1.25"), D("-999.99"), None, D("0.00")]),
        ("d64", pa.decimal64(18, 0), [D(10**17), D(-1), None, D(0)]),
        ("d128", pa.decimal128(38, 10), [D("1234567890123456789012345678.0123456789"), D("-0.0000000001"), None, D(0)]),
        ("d256", pa.decimal256(76, 3), [D(10**72) + D("0.125"), -D(10**72), None, D("-7.001")]),
        ("utf8", pa.string(), ["", "\u6cb3 \"\\\n", None, "x" * 300]), ("large", pa.large_string(), ["a", "", None, "\U0001f600"]),
        ("view", pa.string_view(), ["short", "exactly 12!!", None, "much longer than twelve bytes"]),
        ("bytes", pa.binary(), [b"text", b"\0\xff", None, b""]), ("lbytes", pa.large_binary(), [b"\x7f", b"a", b"", None]),
        ("vbytes", pa.binary_view(), [b"\0" * 20, b"abc", None, b"long enough to be elsewhere"]),
        ("fixed", pa.binary(3), [b"abc", b"\0\1\2", None, b"xyz"]), ("none", pa.binary(0), [b"", b"", None, b""]),
        ("date32", pa.date32(), [datetime.date(2024, 2, 29), datetime.date(1, 1, 1), None, datetime.date(9999, 12, 31)]),
        ("date64", pa.date64(), [datetime.date(1969, 12, 31), datetime.date(2024, 2, 29), None, datetime.date(1, 1, 1)]),
        ("t32s", pa.time32("s"), [0, day - 1, None, 3600]), ("t32ms", pa.time32("ms"), [0, day * 1000 - 1, None, 250]),
        ("t64us", pa.time64("us"), [0, 1, None, day * 10**6 - 1]), ("t64ns", pa.time64("ns"), [1, 1000, None, day * 10**9 - 1]),
        ("uuid", pa.uuid(), [uuid.UUID(int=i * 3**70).bytes for i in (1, 2)] + [None, bytes(16)]),
        ("json", pa.json_(), ['{"a":[1,"x"]}', "null", None, "1.50"]),
    ]
    for bits in 8, 16, 32, 64:
        columns.append((f"i{bits}", getattr(pa, f"int{bits}")(), [-2**(bits - 1), 2**(bits - 1) - 1, None, -1]))
        columns.append((f"u{bits}", getattr(pa, f"uint{bits}")(), [0, 2**bits - 1, None, 1]))
    for unit in "s", "ms", "us", "ns":
        columns.append((f"ts_{unit}", pa.timestamp(unit), [0, -1, None, 1709210096 * forms.UNIT[unit] + 7]))
        columns.append((f"tz_{unit}", pa.timestamp(unit, "Europe/Paris"), [0, -1, None, 1709210096 * forms.UNIT[unit]]))
        columns.append((f"dur_{unit}", pa.duration(unit), [0, -1, None, 2**62]))
    arrays = [pa.ExtensionArray.from_storage(t, pa.array(v, t.storage_type)) if isinstance(t, pa.BaseExtensionType)
              else pa.array(v, t) for _, t, v in columns]
    return pa.table(arrays, names=[n for n, _, _ in columns])


def array(values, t):
    if not pa.types.is_dictionary(t):
        return pa.array(values, t)
    encoded = pa.array(values, t.value_type).dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.cast(t.index_type), encoded.dictionary)


def nested(n, seed=5):
    r = random.Random(seed)
    words = ["alpha", "beta", "\u6cb3", "a rather longer word, for views", ""]

    def some(make_one, most=4, nulls=.2):
        return None if r.random() < nulls else [make_one() for _ in range(r.randrange(most))]

    def word():
        return None if r.random() < .1 else r.choice(words)

    def turn():
        return None if r.random() < .1 else {"from": r.choice(["human", "gpt"]), "value": word()}

    def pairs(key):
        return None if r.random() < .2 else [(k, r.choice([None, 1, 2])) for k in r.sample(key, r.randrange(3))]

    pair = pa.struct([("x", pa.int16()), ("y", pa.list_(pa.bool_(), 2))])
    columns = [
        ("id", pa.int64(), lambda: r.randrange(10**6)),
        ("conversations", pa.list_(pa.struct([("from", pa.string()), ("value", pa.string())])), lambda: some(turn)),
        ("large", pa.large_list(pa.large_string()), lambda: some(word)),
        ("fixed", pa.list_(pa.string_view(), 3), lambda: None if r.random() < .2 else [word() for _ in range(3)]),
        ("lists", pa.list_(pa.list_(pa.int8())), lambda: some(lambda: some(lambda: r.randrange(100)))),
        ("view", pa.list_view(pa.string()), lambda: some(word)),
        ("lview", pa.large_list_view(pa.int32()), lambda: some(lambda: r.randrange(100))),
        ("map", pa.map_(pa.string(), pa.int32()), lambda: pairs(["a", "b", "c d"])),
        ("imap", pa.map_(pa.int16(), pa.int32()), lambda: pairs([1, 2, 3])),
        ("pair", pair, lambda: None if r.random() < .2 else {"x": r.choice([None, 7]), "y": r.choice([None, [True, None]])}),
        ("empty", pa.struct([]), lambda: r.choice([None, {}])),
        ("nulls", pa.list_(pa.null()), lambda: some(lambda: None)),
        ("label", pa.dictionary(pa.int8(), pa.string()), word),
        ("ulabel", pa.dictionary(pa.uint32(), pa.large_string()), word),
        ("when", pa.dictionary(pa.int64(), pa.date32()), lambda: r.choice([None, datetime.date(2024, 2, 29)])),
        ("labels", pa.list_(pa.dictionary(pa.int16(), pa.string())), lambda: some(word)),
    ]
    return pa.table([array([f() for _ in range(n)], t) for _, t, f in columns], names=[c[0] for c in columns])


def refused():
    """Columns that are not read, beside one that is."""
    n = pa.array([1, 2, 3])
    dense = pa.UnionArray.from_dense(pa.array([0, 1, 0], pa.int8()), pa.array([0, 0, 1], pa.int32()),
                                     [pa.array([1, 2]), pa.array(["x"])])
    sparse = pa.UnionArray.from_sparse(pa.array([0, 1, 0], pa.int8()), [pa.array([1, 2, 3]), pa.array(["x", "y", "z"])])
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([1, 3], pa.int32()), pa.array(["a", "b"]))
    interval = pa.array([(1, 2, 3), None, (4, 5, 6)], pa.month_day_nano_interval())
    return pa.table([dense, sparse, runs, interval, n], names=["dense", "sparse", "runs", "interval", "n"])


def damaged():
    """Rows that are bad, texts that lie outside of their buffers."""
    texts = pa.Array.from_buffers(pa.string(), 3, [None, pa.py_buffer(struct.pack("<4i", 0, 1, 3, 4)), pa.py_buffer(b"a\xff\xfeb")])
    maps = pa.array([[("k", 1)], [("k", 1)], [("k", 1), ("k", 2)]], pa.map_(pa.string(), pa.int32()))
    table = pa.table([texts, maps], names=["text", "map"])
    write(os.path.join(HERE, "bad.rows.arrow"), "stream", table, 10)
    texts = pa.Array.from_buffers(pa.string(), 3, [None, pa.py_buffer(struct.pack("<4i", 0, 1, 90, 4)), pa.py_buffer(b"abcd")])
    write(os.path.join(HERE, "bad.offsets.arrow"), "file", pa.table([texts], names=["text"]), 10)


def write_changing(path, arrays, delta):
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=delta)
    with pa.ipc.new_stream(path, pa.schema([("d", arrays[0].type)]), options=options) as w:
        for a in arrays:
            w.write_batch(pa.record_batch([a], names=["d"]))


def of_lists(lists, indices, words):
    """A dictionary of lists of words, which have a dictionary of their own."""
    inner = pa.array([words.index(w) if w else None for v in lists for w in v], pa.int8())
    ends = [0]
    for v in lists:
        ends.append(ends[-1] + len(v))
    values = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.DictionaryArray.from_arrays(inner, pa.array(words)))
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32()), values)


def changing(folder, prefix, ending):
    """Dictionaries that change, that grow, and that do so in one another."""
    kind = pa.dictionary(pa.int8(), pa.string())
    first, then = pa.array(["a", "b", "a"]).dictionary_encode().cast(kind), pa.array(["a", "b", "c"]).dictionary_encode().cast(kind)
    lists = [["a", "b"], ["b"], ["c", None], ["a", "d"]]
    nested = [of_lists(lists[:2], [0, 1], ["a", "b"]), of_lists(lists, [2, 3], ["a", "b", "c", "d"])]
    for name, arrays, delta in (("changes", [first, then], False), ("grows", [first, then], True), ("nested", nested, True)):
        write_changing(os.path.join(folder, prefix + name + ending), arrays, delta)


def corpus(folder):
    small = nested(3)
    for variant in OPTIONS:
        write(os.path.join(folder, variant), variant, small.select(["id", "label"]), 2)
    for name in small.column_names[1:]:
        write(os.path.join(folder, name), "stream", small.select([name]), 10)
    t = types()
    for i in range(0, len(t.column_names), 6):
        write(os.path.join(folder, f"types{i}"), "file", t.select(t.column_names[i:i + 6]), 10)
    changing(folder, "dictionary-", "")
    write(os.path.join(folder, "refused"), "stream", refused().select(["dense", "runs", "n"]), 10)


def main():
    if len(sys.argv) > 1:
        return corpus(sys.argv[1])
    make("types", types(), ["file", "stream-zstd", "file-lz4", "stream-v4"])
    make("nested", nested(120), ["file", "stream", "file-zstd", "stream-lz4", "stream-old", "file-old"], 50)
    make("chats", forms.chats(60), ["stream", "file-zstd"])
    n = pa.table([pa.array(range(3000)), pa.array([f"row {i}" for i in range(3000)]),
                  pa.array([f"label {i % 7}" for i in range(3000)]).dictionary_encode()], names=["i", "text", "label"])
    make("many", n, ["stream", "file-lz4"], 250)
    make("empty", n.slice(0, 0), ["stream", "file"])
    write(os.path.join(HERE, "refused.types.arrow"), "stream", refused(), 10)
    damaged()
    changing(HERE, "dictionary.", ".arrow")


if __name__ == "__main__":
    main()
