# SPDX-License-Identifier: MIT
"""The footer of a Parquet file as Python values and back: to change schemas into forms that today's
writers do not write any more.  A struct is {id: (type, value)}, a list (type, [value])."""
import struct

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            b = self.byte()
            value |= (b & 127) << shift
            shift += 7
            if b < 128:
                return value

    def zigzag(self):
        v = self.varint()
        return v >> 1 ^ -(v & 1)

    def value(self, kind):
        if kind in (TRUE, FALSE):
            return kind == TRUE
        if kind == BYTE:
            return self.byte()
        if kind in (I16, I32, I64):
            return self.zigzag()
        if kind == DOUBLE:
            self.at += 8
            return struct.unpack("<d", self.data[self.at - 8:self.at])[0]
        if kind == BINARY:
            n = self.varint()
            self.at += n
            return self.data[self.at - n:self.at]
        if kind in (LIST, SET):
            head = self.byte()
            n = head >> 4 if head >> 4 < 15 else self.varint()
            kind = head & 15
            return kind, [self.byte() == 1 if kind in (TRUE, FALSE) else self.value(kind) for _ in range(n)]
        assert kind == STRUCT, kind
        fields, last = {}, 0
        while True:
            head = self.byte()
            if head == 0:
                return fields
            last = last + (head >> 4) if head >> 4 else self.zigzag()
            fields[last] = (head & 15, self.value(head & 15))


def varint(v):
    out = b""
    while v > 127:
        out += bytes([v & 127 | 128])
        v >>= 7
    return out + bytes([v])


def zigzag(v):
    return varint(v << 1 if v >= 0 else (-v << 1) - 1)


def write(kind, v):
    if kind in (TRUE, FALSE):
        return b""
    if kind == BYTE:
        return bytes([v])
    if kind in (I16, I32, I64):
        return zigzag(v)
    if kind == DOUBLE:
        return struct.pack("<d", v)
    if kind == BINARY:
        return varint(len(v)) + v
    if kind in (LIST, SET):
        kind, items = v
        head = bytes([len(items) << 4 | kind]) if len(items) < 15 else bytes([0xf0 | kind]) + varint(len(items))
        return head + b"".join(bytes([1 if i else 2]) if kind in (TRUE, FALSE) else write(kind, i) for i in items)
    out, last = b"", 0
    for i in sorted(v):
        kind, value = v[i]
        kind = (TRUE if value else FALSE) if kind in (TRUE, FALSE) else kind
        out += bytes([(i - last) << 4 | kind]) if i - last < 16 else bytes([kind]) + zigzag(i)
        out += write(kind, value)
        last = i
    return out + b"\0"


def read_footer(data):
    n = struct.unpack("<I", data[-8:-4])[0]
    return Reader(data[-8 - n:-8]).value(STRUCT)


def with_footer(data, footer):
    n = struct.unpack("<I", data[-8:-4])[0]
    text = write(STRUCT, footer)
    return data[:-8 - n] + text + struct.pack("<I", len(text)) + b"PAR1"


def paths(elements):
    """path_in_schema of every column."""
    out = []

    def walk(i, above):
        el = elements[i]
        below = el.get(5, (I32, 0))[1]
        name = above + [el[4][1]] if i else []
        i += 1
        if not below:
            out.append(name)
        for _ in range(below):
            i = walk(i, name)
        return i

    walk(0, [])
    return out


def change(data, edit):
    """edit(elements) changes the list of SchemaElements; what Arrow noted of its own types goes."""
    footer = read_footer(data)
    edit(footer[2][1][1])
    footer.pop(5, None)
    for group in footer[4][1][1]:
        for column, path in zip(group[1][1][1], paths(footer[2][1][1])):
            column[3][1][3] = (LIST, (BINARY, path))
    return with_footer(data, footer)
