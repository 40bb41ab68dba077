#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the files of this folder: NAME.VARIANT.parquet by several writers, and NAME.jsonl.gz, what
pyarrow reads from each variant of NAME, in the forms of plugins/parquet/README.md.

    pip install pyarrow==26.0.1 duckdb==2.0.1 datafusion==55.0.0 polars==2.1.0
    make.py

pyarrow writes with Arrow's C++ library, DuckDB and polars with their own, datafusion with
parquet-rs.  Files whose schemas nobody writes any more are made by changing a footer (thrift.py).
"""
import base64
import datetime
import decimal
import gzip
import io
import json
import math
import os
import random
import uuid

import datafusion
import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

import thrift

HERE = os.path.dirname(os.path.abspath(__file__))
UNIT = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
EPOCH = datetime.datetime(1970, 1, 1)


# ---- what pyarrow reads, as JSON ----

class Raw(str):
    """A JSON text as it is."""


def show_float(v):
    if not math.isfinite(v):
        return None
    if v == int(v) and abs(v) < 2**53:
        return Raw(("-" if math.copysign(1, v) < 0 else "") + str(abs(int(v))))
    text = repr(v)
    digits = decimal.Decimal(text)
    if 1e-6 <= abs(v) < 1e21:
        return Raw(format(digits, "f"))
    mantissa, exponent = f"{digits:e}".split("e")
    return Raw(f"{mantissa}e{int(exponent):+d}")


def fraction(value, per_second):
    nano = value % per_second * (10**9 // per_second)
    return "" if nano == 0 else f".{nano:09d}" if nano % 1000 else f".{nano // 1000:06d}"


def show_timestamp(value, unit, utc):
    at = EPOCH + datetime.timedelta(seconds=value // UNIT[unit])
    return at.isoformat() + fraction(value, UNIT[unit]) + ("+00:00" if utc else "")


def show_time(value, unit):
    at = EPOCH + datetime.timedelta(seconds=value // UNIT[unit])
    return at.time().isoformat() + fraction(value, UNIT[unit])


def show_binary(v):
    try:
        text = v.decode()
        if all(c in "\t\n\r" or (c >= " " and c != "\x7f") for c in text):
            return text
    except UnicodeDecodeError:
        pass
    return {"base64": base64.b64encode(v).decode()}


def show(s):
    t = s.type
    if not s.is_valid:
        return None
    if isinstance(t, pa.BaseExtensionType):
        if t.extension_name == "arrow.json":
            return Raw(s.value.as_py())
        return str(s.as_py()) if t.extension_name == "arrow.uuid" else show(s.value)
    if pa.types.is_struct(t):
        return {f.name: show(s[f.name]) for f in t}
    if pa.types.is_map(t):
        pairs = [(show(e["key"]), show(e["value"])) for e in s.values]
        return dict(pairs) if pa.types.is_string(t.key_type) else [list(p) for p in pairs]
    if pa.types.is_nested(t):
        return [show(x) for x in s.values]
    if pa.types.is_dictionary(t):
        return show(s.value)
    if pa.types.is_floating(t):
        return show_float(float(s.as_py()))
    if pa.types.is_decimal(t):
        return Raw(format(s.as_py(), "f"))
    if pa.types.is_timestamp(t):
        return show_timestamp(s.value, t.unit, t.tz is not None)
    if pa.types.is_time(t):
        return show_time(s.value, t.unit)
    if pa.types.is_date(t):
        return s.as_py().isoformat()
    if pa.types.is_duration(t):
        return s.value
    if pa.types.is_binary(t) or pa.types.is_fixed_size_binary(t) or pa.types.is_large_binary(t):
        return show_binary(s.as_py())
    return s.as_py()


def dumps(v):
    if isinstance(v, Raw):
        return str(v)
    if isinstance(v, dict):
        return "{" + ",".join(dumps(k) + ":" + dumps(x) for k, x in v.items()) + "}"
    if isinstance(v, list):
        return "[" + ",".join(map(dumps, v)) + "]"
    return json.dumps(v, ensure_ascii=False)


def lines(table):
    columns = [[dumps(show(x)) for x in c] for c in table.columns]
    names = [dumps(n) for n in table.column_names]
    return "".join("{" + ",".join(n + ":" + v for n, v in zip(names, row)) + "}\n" for row in zip(*columns))


# ---- the files ----

MADE = {}


def expected(name, text):
    if name in MADE:
        assert MADE[name] == text, f"{name}: another variant reads otherwise"
        return
    MADE[name] = text
    with gzip.GzipFile(os.path.join(HERE, name + ".jsonl.gz"), "wb", 9, mtime=0) as f:
        f.write(text.encode())


def path_of(name, variant):
    return os.path.join(HERE, f"{name}.{variant}.parquet")


def done(name, variant, text=None):
    """The file is written; pyarrow reads it, unless it cannot and the text is known."""
    path = path_of(name, variant)
    expected(name, text if text is not None else lines(pq.ParquetFile(path).read()))


def arrow(name, variant, table, **options):
    pq.write_table(table, path_of(name, variant), **options)
    done(name, variant)


def duck(name, variant, table, options, setup=()):
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'; SET threads = 1")
    for line in setup:
        con.execute(line)
    con.register("t", table) if table is not None else None
    con.execute(f"COPY (SELECT * FROM t) TO '{path_of(name, variant)}' (FORMAT parquet{options})")
    done(name, variant)


def rust(name, variant, table, columns=None, **options):
    ctx = datafusion.SessionContext(datafusion.SessionConfig({"datafusion.execution.target_partitions": "1"}))
    frame = ctx.from_arrow(table)
    path = path_of(name, variant)
    frame.write_parquet_with_options(path, datafusion.ParquetWriterOptions(
        created_by="parquet-rs", column_specific_options=columns, **options))
    if os.path.isdir(path):
        part, = os.listdir(path)
        os.rename(os.path.join(path, part), path + ".part")
        os.rmdir(path)
        os.rename(path + ".part", path)
    done(name, variant)


def changed(name, variant, table, edit, **options):
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    with open(path_of(name, variant), "wb") as f:
        f.write(thrift.change(out.getvalue(), edit))
    done(name, variant)


# ---- chats: what instruction data looks like ----

WORDS = "river stone market child winter garden engine letter 河 石头 市场 Straße naïve 🙂 \"quoted\" back\\slash".split(" ")


def words(r, n):
    return " ".join(r.choice(WORDS) for _ in range(n))


def chats(n):
    r = random.Random(1)
    rows = []
    for i in range(n):
        turns = [{"from": "human" if k % 2 == 0 else "gpt", "value": None if r.random() < .05 else words(r, r.randrange(9))}
                 for k in range(r.randrange(6))]
        rows.append({
            "id": f"chat-{i}",
            "conversations": None if r.random() < .05 else [None if r.random() < .03 else t for t in turns],
            "system": None if r.random() < .4 else "You are\na helpful\tassistant." if r.random() < .8 else words(r, 3),
            "score": r.randrange(1000) / 8,
            "tags": None if r.random() < .1 else [[words(r, 1) for _ in range(r.randrange(3))] for _ in range(r.randrange(4))],
            "meta": None if r.random() < .1 else {"source": r.choice(["web", "books", None]), "n": r.randrange(100),
                                                  "deep": None if r.random() < .3 else {"ok": r.random() < .5, "list": [r.randrange(9)] * r.randrange(3)}},
            "counts": [(w, None if r.random() < .2 else r.randrange(5)) for w in r.sample(["a", "b", "ü", ""], r.randrange(4))]
                      if r.random() < .9 else None,
        })
    turn = pa.struct([("from", pa.string()), ("value", pa.string())])
    return pa.Table.from_pylist(rows, pa.schema([
        ("id", pa.string()), ("conversations", pa.list_(turn)), ("system", pa.string()), ("score", pa.float64()),
        ("tags", pa.list_(pa.list_(pa.string()))),
        ("meta", pa.struct([("source", pa.string()), ("n", pa.int32()),
                            ("deep", pa.struct([("ok", pa.bool_()), ("list", pa.list_(pa.int64()))]))])),
        ("counts", pa.map_(pa.string(), pa.int32()))]))


def make_chats():
    t = chats(60)
    for codec in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
        arrow("chats", "arrow-" + codec, t, compression=codec)
    arrow("chats", "arrow-v2", t, compression="zstd", data_page_version="2.0", write_page_checksum=True,
          row_group_size=30, data_page_size=64, write_batch_size=9)
    arrow("chats", "arrow-plain", t, compression="none", use_dictionary=False, write_page_checksum=True,
          data_page_size=64, write_batch_size=9, use_compliant_nested_type=False)
    for codec in ["snappy", "gzip", "zstd", "lz4_raw", "brotli", "uncompressed"]:
        duck("chats", "duckdb-" + codec, t, f", COMPRESSION {codec}")
    duck("chats", "duckdb-v2", t, ", COMPRESSION zstd, PARQUET_VERSION v2, ROW_GROUP_SIZE 20")
    for codec in ["snappy", "gzip(6)", "zstd(3)", "lz4", "lz4_raw", "brotli(4)", "uncompressed"]:
        rust("chats", "rs-" + codec.split("(")[0], t, compression=codec)
    rust("chats", "rs-v2", t, compression="zstd(3)", writer_version="2.0", data_page_row_count_limit=7, write_batch_size=7,
         max_row_group_size=25)
    flat = t.drop_columns(["counts"])
    polars.from_arrow(flat).write_parquet(path_of("nomap", "polars"), compression="zstd", row_group_size=30)
    done("nomap", "polars")


# ---- many: pages, row groups and batches that end anywhere ----

def many(n):
    r = random.Random(2)
    runs = [r.choice([None, "aa", "bb", "cc"]) for _ in range(n // 40 + 1)]
    return pa.table({
        "i": pa.array(range(n), pa.int32()),
        "jump": pa.array([r.choice([r.randrange(-2**63, 2**63), r.randrange(100)]) for _ in range(n)], pa.int64()),
        "text": pa.array([None if r.random() < .3 else f"text {r.randrange(1500)}" for _ in range(n)]),
        "run": pa.array([runs[i // 40] for i in range(n)]),
        "flag": pa.array([None if i % 900 > 800 else r.random() < .9 for i in range(n)]),
        "list": pa.array([None if r.random() < .2 else [None if r.random() < .2 else r.randrange(300) for _ in range(r.choice([0, 1, 2, 9]))]
                          for _ in range(n)], pa.list_(pa.int16())),
    })


def make_many():
    t = many(1800)
    arrow("many", "arrow", t, compression="zstd", data_page_size=300, write_batch_size=50, row_group_size=1100,
          dictionary_pagesize_limit=2000)
    arrow("many", "arrow-v2", t, compression="zstd", data_page_version="2.0", data_page_size=900, write_batch_size=50, row_group_size=777)
    arrow("many", "arrow-one", t, compression="brotli")
    rust("many", "rs", t, compression="zstd(9)", data_page_row_count_limit=100, write_batch_size=100, writer_version="2.0")
    duck("many", "duckdb", t, ", COMPRESSION zstd, PARQUET_VERSION v2")


# ---- encodings ----

def encoded(n):
    r = random.Random(3)
    walk = [0]
    for _ in range(n):
        walk.append(walk[-1] + r.randrange(-3, 9))
    return pa.table({
        "i32": pa.array([None if r.random() < .1 else x for x in walk[:n]], pa.int32()),
        "i64": pa.array([2**62 if i == 200 else -2**62 if i == 201 else walk[i] * 10**9 for i in range(n)], pa.int64()),
        "wrap": pa.array([(-2**31, 2**31 - 1)[i % 2] for i in range(n)], pa.int32()),
        "f32": pa.array([r.randrange(-64, 64) / 4 for _ in range(n)], pa.float32()),
        "f64": pa.array([None if r.random() < .1 else r.uniform(-1, 1) for _ in range(n)], pa.float64()),
        "f16": pa.array([r.randrange(-64, 64) / 4 for _ in range(n)], pa.float16()),
        "text": pa.array([None if r.random() < .1 else f"prefix/{walk[i] // 9:04d}/{'x' * r.randrange(5)}" for i in range(n)]),
        "fixed": pa.array([b"AB%02d" % (walk[i] % 40) for i in range(n)], pa.binary(4)),
        "flag": pa.array([i % 97 < 60 for i in range(n)]),
    })


def make_encoded():
    t = encoded(400)
    plain = dict.fromkeys(t.column_names, "PLAIN")

    def with_encoding(variant, **encodings):
        arrow("encoded", variant, t, compression="zstd", use_dictionary=False,
              column_encoding={**plain, **encodings}, data_page_size=1500, write_batch_size=64)

    with_encoding("arrow-plain")
    with_encoding("arrow-delta", i32="DELTA_BINARY_PACKED", i64="DELTA_BINARY_PACKED", wrap="DELTA_BINARY_PACKED",
                  text="DELTA_LENGTH_BYTE_ARRAY", flag="RLE")
    with_encoding("arrow-prefix", text="DELTA_BYTE_ARRAY", fixed="DELTA_BYTE_ARRAY")
    with_encoding("arrow-split", i32="BYTE_STREAM_SPLIT", i64="BYTE_STREAM_SPLIT", wrap="BYTE_STREAM_SPLIT", f32="BYTE_STREAM_SPLIT",
                  f64="BYTE_STREAM_SPLIT", f16="BYTE_STREAM_SPLIT", fixed="BYTE_STREAM_SPLIT")
    arrow("encoded", "arrow-dictionary", t, compression="zstd")
    one = datafusion.ParquetColumnOptions
    packed, split = one("DELTA_BINARY_PACKED", False), one("BYTE_STREAM_SPLIT", False)
    rust("encoded", "rs-delta", t, {"i32": packed, "i64": packed, "wrap": packed, "text": one("DELTA_BYTE_ARRAY", False),
                                    "f32": split, "f64": split, "f16": split, "fixed": one("DELTA_BYTE_ARRAY", False),
                                    "flag": one("RLE", False)},
         compression="zstd(3)", writer_version="2.0")
    rust("encoded", "rs-split", t, {"i32": split, "i64": split, "text": one("DELTA_LENGTH_BYTE_ARRAY", False), "fixed": split},
         compression="zstd(3)")
    duck("encduck", "v2", t.drop_columns(["f16"]), ", COMPRESSION zstd, PARQUET_VERSION v2")


# ---- types ----

def types():
    def ts(unit, tz=None):
        return pa.timestamp(unit, tz)

    D = decimal.Decimal
    return pa.table({
        "i8": pa.array([-128, 127, None], pa.int8()), "i16": pa.array([-2**15, 2**15 - 1, 0], pa.int16()),
        "u8": pa.array([255, 0, None], pa.uint8()), "u16": pa.array([65535, 0, 1], pa.uint16()),
        "u32": pa.array([2**32 - 1, 0, 2**31], pa.uint32()), "u64": pa.array([2**64 - 1, 2**63 - 1, 2**63], pa.uint64()),
        "i64": pa.array([-2**63, 2**63 - 1, None], pa.int64()),
        "f16": pa.array([65504.0, 2.0**-24, float("-inf")], pa.float16()),
        "f32": pa.array([0.1, 3.4028234663852886e38, float("nan")], pa.float32()),
        "f64": pa.array([5e-324, 1e21, -0.0], pa.float64()), "f64b": pa.array([0.1, 123456789012345680000.0, 1.5e-7], pa.float64()),
        "null": pa.nulls(3),
        "d9": pa.array([D("-1.20"), D("0.05"), None], pa.decimal128(9, 2)), "d18": pa.array([D(10)**17, D(-1), D(0)], pa.decimal128(18, 0)),
        "d38": pa.array([D("12345678901234567890123456789.123456789"), D("-0.000000001"), D(0)], pa.decimal128(38, 9)),
        "d76": pa.array([D("-" + "9" * 76), D(1), D("8" * 40)], pa.decimal256(76, 0)),
        "date": pa.array([datetime.date(2024, 2, 29), datetime.date(1, 1, 1), datetime.date(9999, 12, 31)], pa.date32()),
        "date2": pa.array([datetime.date(1969, 12, 31), datetime.date(2000, 2, 28), datetime.date(1900, 3, 1)], pa.date32()),
        "t32": pa.array([0, 86399999, 250], pa.time32("ms")), "t64": pa.array([0, 86399999999, 1], pa.time64("us")),
        "tns": pa.array([1, 86399999999999, 1500], pa.time64("ns")),
        "sms": pa.array([-1, 1709251200123, 0], ts("ms")), "sus": pa.array([-62135596800000000, 253402300799999999, -1], ts("us")),
        "sns": pa.array([-1, 1709251200000000001, 1709251200123456000], ts("ns")), "utc": pa.array([0, -1, 1709251200123], ts("ms", "UTC")),
        "tokyo": pa.array([0, None, 1709251200123456], ts("us", "Asia/Tokyo")),
        "bytes": pa.array([b"text\n", b"\xff\x00\x01", b"a\x00b"], pa.binary()), "empty": pa.array([b"", None, b"\xc3\xa9"], pa.binary()),
        "fixed": pa.array([b"\x80\x81\x82", b"abc", None], pa.binary(3)), "large": pa.array(["ä", None, "\x00\x1f\x7f\u2028"], pa.large_string()),
        "category": pa.array(["x", "y", "x"]).dictionary_encode(),
        "uuid": pa.array([uuid.UUID(int=1).bytes, uuid.UUID("12345678-90ab-cdef-fedc-ba0987654321").bytes, None], pa.uuid()),
        "json": pa.array(['{"a": [1, 2.50, null]}', '"text"', "7"], pa.json_()),
        "size2": pa.array([[1, 2], [3, None], None], pa.list_(pa.int32(), 2)), "biglist": pa.array([["a"], [], None], pa.large_list(pa.string())),
        "bykey": pa.array([[(1, "a"), (2, None)], [], None], pa.map_(pa.int32(), pa.string())),
        "nested": pa.array([[("k", [(1, True)])], [("l", None)], [("", [])]], pa.map_(pa.string(), pa.map_(pa.int64(), pa.bool_()))),
        "single": pa.array([{"only": 1}, {"only": None}, None], pa.struct([("only", pa.int32())])),
    })


def make_types():
    t = types()
    arrow("types", "arrow", t)
    arrow("types", "arrow-v2", t, data_page_version="2.0", compression="zstd", use_dictionary=False, write_page_checksum=True)
    arrow("int96", "arrow", t.select(["sns", "sus"]).slice(1, 1).append_column("p", pa.array([None], pa.int32())).select(["sns", "p"]),
          use_deprecated_int96_timestamps=True)
    rust("typesrs", "rs", t.drop_columns(["null", "size2", "d76", "bykey", "nested", "json", "uuid", "category"]), writer_version="2.0")
    duck("duck", "types", None, "", [
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        """CREATE TABLE t AS SELECT * FROM (VALUES
        (1::TINYINT, 255::UTINYINT, 65535::USMALLINT, 4294967295::UINTEGER, 18446744073709551615::UBIGINT,
         1.50::DECIMAL(4,2), 12345678901234567890.123::DECIMAL(30,3), 'ok'::mood, '{"a": [1,2]}'::JSON,
         '12345678-90ab-cdef-fedc-ba0987654321'::UUID, TIMESTAMP '2024-02-29 12:00:00.5', TIMESTAMPTZ '2024-02-29 12:00:00+00',
         TIME '12:30:00.25', DATE '2024-02-29', '\\xAA\\x01'::BLOB, 'text'::BLOB, [1, NULL, 3], {'a': 1, 'b': [{'c': 'x'}]},
         MAP {'k': 1}, MAP {1: 'v'}, TIMESTAMP_S '2024-02-29 12:00:00', TIMESTAMP_MS '2024-02-29 12:00:00.123', 1.5::FLOAT, true,
         TIMESTAMP_NS '2024-02-29 12:00:00.123456789'),
        (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
         NULL))
        AS x(i8, u8, u16, u32, u64, d4, d30, mood, json, uuid, ts, tz, time, date, blob, btext, list, struct, map, imap, ts_s, ts_ms, f32, flag, ts_ns)"""])


# ---- forms of old: footers changed ----

def group(el, **fields):
    """A copy without annotations, with others."""
    keep = {i: v for i, v in el.items() if i not in (6, 10)}
    for key, value in fields.items():
        i, kind = {"repetition": (3, thrift.I32), "name": (4, thrift.BINARY), "children": (5, thrift.I32),
                   "converted": (6, thrift.I32)}[key]
        keep[i] = (kind, value)
    return keep


def make_old():
    required = pa.field("element", pa.int32(), False)
    t = pa.table({"a": pa.array([[1, 2], None, [], [3]], pa.list_(required)), "z": ["x", None, "y", "z"]})

    def two_level(el):  # a (LIST) { repeated int32 array }
        item = group(el[3], repetition=2, name=b"array")
        el[1:4] = [group(el[1], converted=3), item]

    changed("old-two", "level", t, two_level)

    def bare(el):  # repeated int32 a, which is never null
        el[0][5] = (thrift.I32, 2)
        el[1:4] = [group(el[3], repetition=2, name=b"a")]

    changed("old-bare", "repeated", pa.table({"a": pa.array([[1, 2], [], [3]], pa.list_(required)), "z": ["x", None, "z"]}).cast(
        pa.schema([pa.field("a", pa.list_(required), False), pa.field("z", pa.string())])), bare)

    pair = pa.struct([pa.field("x", pa.int32()), pa.field("y", pa.string())])
    t = pa.table({"a": pa.array([[{"x": 1, "y": "p"}, {"x": None, "y": "q"}], None, [], [{"x": 3, "y": None}]],
                                pa.list_(pa.field("element", pair, False)))})

    def struct_items(el):  # a (LIST) { repeated group bag { x, y } }
        el[1:4] = [group(el[1], converted=3), group(el[3], repetition=2, name=b"bag", children=2)]

    changed("old-struct", "items", t, struct_items)

    one = pa.struct([pa.field("x", pa.int32())])
    t = pa.table({"a": pa.array([[{"x": 1}, {"x": None}], None, [], [{"x": 3}]], pa.list_(pa.field("element", one, False)))})

    def tuple_items(el):  # a (LIST) { repeated group a_tuple { x } }
        el[1:4] = [group(el[1], converted=3), group(el[3], repetition=2, name=b"a_tuple", children=1)]

    changed("old-tuple", "items", t, tuple_items)

    def array_items(el):
        el[1:4] = [group(el[1], converted=3), group(el[3], repetition=2, name=b"array", children=1)]

    changed("old-tuple", "array", t, array_items)

    def hive_items(el):  # a (LIST) { repeated group bag { optional array_element } }
        el[1] = group(el[1], converted=3)
        el[2] = group(el[2], name=b"bag")
        el[3] = group(el[3], name=b"array_element")

    changed("old-hive", "items", pa.table({"a": pa.array([[1, None], None, [], [3]], pa.list_(pa.int32()))}), hive_items)

    def old_map(el):  # m (MAP_KEY_VALUE) { repeated group map { key, value } }
        el[1] = group(el[1], converted=2)
        el[2] = group(el[2], name=b"map")
        el[3] = {**group(el[3]), 6: (thrift.I32, 0)}

    changed("old-map", "key-value", pa.table({"m": pa.array([[("k", 1)], None, [], [("a", None), ("b", 2)]],
                                                            pa.map_(pa.string(), pa.int32()))}), old_map)

    converted = {"s": 0, "d": 6, "ts": 9, "us": 10, "u32": 13, "tm": 7}

    def no_logical(el):  # converted types only
        for e in el[1:]:
            e.pop(10, None)
            e[6] = (thrift.I32, converted[e[4][1].decode()])

    changed("old-types", "converted", pa.table({
        "s": ["x", "ü"], "d": pa.array([19782, None], pa.int32()), "ts": pa.array([1709251200123, None], pa.int64()),
        "us": pa.array([1709251200123456, -1], pa.int64()), "u32": pa.array([-1, 5], pa.int32()), "tm": pa.array([1, 86399000], pa.int32())}),
        no_logical)


# ---- rows that are bad, files that cannot be read ----

class Keys(pe.KmsClient):
    """Keys that are no secret."""

    def __init__(self, config):
        pe.KmsClient.__init__(self)

    def wrap_key(self, key, name):
        return base64.b64encode(key)

    def unwrap_key(self, key, name):
        return base64.b64decode(key)


def encrypted(variant, plaintext_footer):
    factory = pe.CryptoFactory(Keys)
    config = pe.EncryptionConfiguration(footer_key="f", column_keys={"c": ["secret"]}, plaintext_footer=plaintext_footer)
    properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), config)
    t = pa.table({"open": ["x"], "secret": ["y"]})
    with pq.ParquetWriter(path_of("secret", variant), t.schema, encryption_properties=properties) as w:
        w.write_table(t)


def make_bad():
    def text(*items):
        return pa.array(items, pa.binary()).view(pa.string())

    # all five rows can be read; one to three are bad, each in another column
    t = pa.table({
        "text": text(b"good", b"bad \xff", b"good", b"good", "good ü".encode()),
        "json": pa.array(["1", "2", "{", "4", "[5]"], pa.json_()),
        "map": pa.array([[("a", 1)], [], [("a", 1), ("b", 2)], [("a", 1), ("a", 2)], []], pa.map_(pa.string(), pa.int32())),
    })
    pq.write_table(t, path_of("bad", "rows"))
    pq.write_table(chats(20), path_of("bad", "checksum"), compression="none", write_page_checksum=True)
    encrypted("footer", False)
    encrypted("columns", True)


def make_misc():
    empty = chats(3).slice(0, 0)
    arrow("empty", "arrow", empty)
    duck("empty", "duckdb", empty, "")
    arrow("empty", "none", pa.table({}))
    arrow("alpaca", "arrow", pa.table({
        "instruction": [f"Say {w}." for w in WORDS], "input": [""] * len(WORDS), "output": WORDS}), compression="zstd")


def check_all_kinds():
    """Every encoding and codec is in some file, and every writer wrote some."""
    kinds, writers = set(), set()
    for name in os.listdir(HERE):
        if name.endswith(".parquet") and not name.startswith("secret"):
            meta = pq.ParquetFile(os.path.join(HERE, name)).metadata
            writers.add(meta.created_by.split(" ")[0].lower())
            for g in range(meta.num_row_groups):
                for c in range(meta.num_columns):
                    column = meta.row_group(g).column(c)
                    kinds |= {column.compression, *column.encodings}
    wanted = {"UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI", "ZSTD", "LZ4", "PLAIN", "RLE", "RLE_DICTIONARY", "DELTA_BINARY_PACKED",
              "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "BYTE_STREAM_SPLIT"}
    assert wanted <= kinds, wanted - kinds
    assert {"parquet-cpp-arrow", "parquet-rs", "duckdb", "polars"} <= writers, writers


if __name__ == "__main__":
    for name in os.listdir(HERE):
        if name.endswith((".parquet", ".jsonl.gz")):
            os.remove(os.path.join(HERE, name))
    make_chats()
    make_many()
    make_encoded()
    make_types()
    make_old()
    make_misc()
    make_bad()
    check_all_kinds()
