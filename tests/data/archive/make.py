#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# make.py - makes the archives beside it and want.jsonl, the records that Python reads in each of
# them; in the folder CORPUS, if one is named, small ones to begin fuzzing with.
#     python3 make.py [CORPUS]
import gzip, io, json, lzma, os, sys, tarfile, zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
LONG = "a folder/" * 30 + "long.jsonl"  # more than the 100 bytes of the old header
MEMBERS = [
    ("chats", None),
    ("chats/a.jsonl", b'\xef\xbb\xbf{"n":1}\n\n {"n":2} \r\n{"n":3,"t":"\xe6\xb2\xb3"}'),
    ("chats/\u6cb3.json", b'[\n  {"n":4},\n  {"n":5,"t":"[]}, \\" {"}\n]\n'),
    ("README.md", b"# no records\n"),
    ("picture.png", b"\x89PNG\r\n" * 400),
    ("pretty.json", b'{\n  "n":6\n}\n{ "n":7,\n "m":{"a":[]}}\n'),
    ("._a.jsonl", b'{"no":1}\n'),
    ("dataset_info.json", b'{"no":2}\n'),
    ("x.jsonl.gz", gzip.compress(b'{"n":8}\n', mtime=0) + gzip.compress(b'{"n":9}\n', mtime=0)),
    ("empty.jsonl", b""),
    (LONG, b"".join(b'{"n":%d}\n' % n for n in range(10, 400))),
    ("y.ndjson.xz", lzma.compress(b'{"n":400}\n')),
    ("z.json", b'{"n":401}'),
]


def values(text):
    """What the json module finds in a text of values, elements of an array, or lines."""
    text = text.decode("utf-8-sig").strip()
    if text.startswith("["):
        yield from ((v, None) for v in json.loads(text))
        return
    at, decoder = 0, json.JSONDecoder()
    while at < len(text):
        value, end = decoder.raw_decode(text, at)
        yield value, None
        at = end + len(text[end:]) - len(text[end:].lstrip())


def expected():
    for name, data in MEMBERS:
        base = name.rsplit("/", 1)[-1]
        if data is None or not any(k in base for k in (".json", ".ndjson")) or base in ("._a.jsonl", "dataset_info.json"):
            continue
        data = gzip.decompress(data) if name.endswith(".gz") else data
        data = lzma.decompress(data) if name.endswith(".xz") else data
        for value, _ in values(data):
            yield name, value


def tar(path, kind, members=MEMBERS):
    with tarfile.open(path, "w", format=kind) as t:
        for name, data in members:
            info = tarfile.TarInfo(name)
            if data is None:
                info.type = tarfile.DIRTYPE
                t.addfile(info)
            else:
                info.size = len(data)
                t.addfile(info, io.BytesIO(data))


def zipped(path, method, members=MEMBERS):
    with zipfile.ZipFile(path, "w", method) as z:
        for name, data in members:
            info = zipfile.ZipInfo(name + ("/" if data is None else ""))
            info.compress_type = method
            z.writestr(info, data or b"")


def hostile(path):
    """Names that lead away, links, what is no text."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as t:
        for name, data in [("../../up.jsonl", b'{"a":1}\n'), ("/tmp/root.jsonl", b'{"a":2}\n'),
                           ("odd\x1b[31m\n.jsonl", b'{"a":3}\n')]:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
        for kind in tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE:
            info = tarfile.TarInfo("link%s.jsonl" % kind.decode())
            info.type = kind
            info.linkname = "/etc/passwd"
            t.addfile(info)
        info = tarfile.TarInfo("huge.jsonl")
        info.size = 1 << 62
        t.fileobj.write(info.tobuf(tarfile.GNU_FORMAT) + b'{"a":4}\n{"a":5}')


def patched(path, to, old, new, count=-1):
    data = open(path, "rb").read()
    assert old in data
    open(to, "wb").write(data.replace(old, new, count))


def main():
    os.chdir(HERE)
    with open("want.jsonl", "w") as f:
        for name, value in expected():
            f.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
    tar("pax.tar", tarfile.PAX_FORMAT)
    tar("gnu.tar", tarfile.GNU_FORMAT)
    with open("pax.tar", "rb") as f:
        data = f.read()
    open("pax.tar.xz", "wb").write(lzma.compress(data))
    if os.system("zstd -q -19 -f gnu.tar -o gnu.tar.zst") != 0:
        sys.exit("zstd is missing")
    os.remove("pax.tar"), os.remove("gnu.tar")
    zipped("stored.zip", zipfile.ZIP_STORED)
    zipped("deflated.zip", zipfile.ZIP_DEFLATED)
    zipped("bzip2.zip", zipfile.ZIP_BZIP2)
    few = [("a.jsonl", b'{"n":1}\n{"n":2}\n'), ("b.jsonl", b'{"n":3}\n')]
    zipped("bad.zip", zipfile.ZIP_STORED, few)
    patched("bad.zip", "checksum.zip", b'{"n":2}', b'{"n":7}')
    data = bytearray(open("bad.zip", "rb").read())
    data[6] |= 1  # "encrypted", in the member's header and in the list
    data[data.index(b"PK\1\2") + 8] |= 1
    open("encrypted.zip", "wb").write(data)
    os.remove("bad.zip")
    zipped("lzma.zip", zipfile.ZIP_LZMA, few)
    hostile("hostile.tar")
    if len(sys.argv) > 1:
        os.chdir(sys.argv[1])
        small = [("a.jsonl", b'{"n":1}\n[2\n{"n":2}\n'), ("b.json", b'[{"n":3},4]'),
                 ("c", gzip.compress(b'{\n"n":4}{"n":5}', mtime=0))]
        tar("pax", tarfile.PAX_FORMAT, small)
        tar("gnu", tarfile.GNU_FORMAT, small[:1])
        zipped("stored", zipfile.ZIP_STORED, small)
        zipped("deflated", zipfile.ZIP_DEFLATED, small)
        zipped("bzip2", zipfile.ZIP_BZIP2, small[:1])
        for kind in "pax", "gnu":  # without the padding to 10 KiB
            data = open(kind, "rb").read().rstrip(b"\0")
            open(kind, "wb").write(data + bytes(-len(data) % 512))
        texts = [b'{"a":1}\n\n {"b":2}\r\n', b'[{"a":"]\\""},\n[2,3],"x,y",4,]', b'{\n"a":1}\n{"b":2} 7 "x"',
                 b'[1,,2 3}\n] x', b'{"a":\n{"b":1}\n', b'\xef\xbb\xbf[]', b'"a\nb"\n{', b'[{"a":1', b"[1"]
        for i, text in enumerate(texts):
            open("text%d" % i, "wb").write(b"J" + text)


main()
