"""Deflate streams (RFC 1951) made bit by bit: the same bytes whatever zlib is installed, and streams that no
compressor writes. Also checksums that come out as wanted."""

from __future__ import annotations

import zlib
from typing import Callable, TypeVar

Built = TypeVar("Built")


class Bits:
    """Bits in the order of RFC 1951: numbers from their least bit on, Huffman codes from their greatest."""

    def __init__(self) -> None:
        self.bits: list[int] = []

    def number(self, value: int, width: int) -> Bits:
        self.bits += [value >> bit & 1 for bit in range(width)]
        return self

    def code(self, value: int, width: int) -> Bits:
        self.bits += [value >> bit & 1 for bit in reversed(range(width))]
        return self

    def align(self) -> Bits:
        self.bits += [0] * (-len(self.bits) % 8)
        return self

    def bytes(self, data: bytes) -> Bits:
        self.align()
        for byte in data:
            self.number(byte, 8)
        return self

    def fixed(self, symbol: int) -> Bits:
        """A literal or length symbol in the fixed code (section 3.2.6)."""
        if symbol < 144:
            return self.code(0x30 + symbol, 8)
        if symbol < 256:
            return self.code(0x190 + symbol - 144, 9)
        return self.code(symbol - 256, 7) if symbol < 280 else self.code(0xC0 + symbol - 280, 8)

    def build(self) -> bytes:
        self.align()
        return bytes(
            sum(bit << place for place, bit in enumerate(self.bits[at : at + 8])) for at in range(0, len(self.bits), 8)
        )


def deflate(body: bytes) -> bytes:
    """One block with the fixed code; runs of one byte become matches of 258 bytes."""
    bits, at = Bits().number(1, 1).number(1, 2), 0
    while at < len(body):
        bits.fixed(body[at])
        at += 1
        while at + 258 <= len(body) and body[at : at + 258] == body[at - 1 : at] * 258:
            bits.fixed(285).code(0, 5)
            at += 258
    return bits.fixed(256).build()


def stored_blocks(body: bytes, block: int = 0xFFFF) -> bytes:
    """Blocks without compression."""
    starts = range(0, len(body), block) or [0]
    return b"".join(stored_block(body[at : at + block], final=at == starts[-1]) for at in starts)


def stored_block(body: bytes, final: bool = True) -> bytes:
    size = len(body).to_bytes(2, "little")
    return bytes([final]) + size + bytes(byte ^ 0xFF for byte in size) + body


def _code_lengths(bits: Bits, lengths: dict[int, int], literals: int, distances: int) -> Bits:
    """The head of a dynamic block whose used symbols have one-bit codes; distance symbol 0 is 286 + 0 in `lengths`.

    The code lengths are written with two symbols of one bit each: 0 is "length 1", 1 is "repeat zero" (18).
    """
    bits.number(2, 2).number(literals - 257, 5).number(distances - 1, 5).number(14, 4)
    order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1]
    for symbol in order:
        bits.number(1 if symbol in (1, 18) else 0, 3)
    zeros = 0
    for symbol in [*range(literals), *range(286, 286 + distances)]:
        if symbol not in lengths:
            zeros += 1
            continue
        while zeros:
            run = min(zeros, 138)
            bits.code(1, 1).number(run - 11, 7)
            zeros -= run
        bits.code(0, 1)
    return bits


def zeros(size: int) -> bytes:
    """`size` zeros at two bits for 258 of them: the best that deflate can do, 1032 to 1."""
    matches = (size - 1) // 258
    assert matches >= 4 and matches % 4 == 0, "1 + 1032 n, n > 0, and less than 258 more"
    bits = Bits().number(0, 1).number(1, 2)
    for _ in range(size - 258 * matches):
        bits.fixed(0)
    bits.fixed(256).number(1, 1)
    _code_lengths(bits, {256: 1, 285: 1, 286: 1}, literals=286, distances=1)
    # A match is two bits, so the byte boundary may fall inside one; four matches are a byte all the same.
    match = [1, 0]
    lead = -len(bits.bits) % 8
    bits.bits += (match * 4)[:lead]
    repeated, left = divmod(2 * matches - lead, 8)
    unit = Bits()
    unit.bits = (match * 5)[lead % 2 : lead % 2 + 8]
    tail = Bits()
    tail.bits = (match * 5)[lead % 2 : lead % 2 + left]
    return bits.build() + unit.build() * repeated + tail.code(0, 1).build()


def empty_blocks(kind: str, size: int) -> bytes:
    """Some `size` bytes of blocks that yield nothing; the stream does not end.

    `stored`, `fixed`, `dynamic` (small tables, most blocks a byte) or `tables` (tables as large as can be).
    """
    unit = Bits()
    for _ in range(8):
        unit.number(0, 1)
        if kind == "stored":
            unit.number(0, 2).bytes(b"\0\0\xff\xff")
        elif kind == "fixed":
            unit.number(1, 2).fixed(256)
        elif kind == "dynamic":
            _code_lengths(unit, {256: 1, 286: 1}, literals=257, distances=1).code(0, 1)
        else:
            _large_tables(unit).code(0, 1)
    block = unit.build()
    return block * (size // len(block))


def _large_tables(bits: Bits) -> Bits:
    """The head of a dynamic block whose two codes have lengths of 1 to 15 bits; the end of the block has one bit."""
    ladder = [*range(2, 16), 15]
    bits.number(2, 2).number(0, 5).number(15, 5).number(15, 4)
    # Code lengths: 1 to 14 and "repeat zero" in four bits, 15 and 0 in five.
    width = {symbol: 4 for symbol in [*range(1, 15), 18]} | {15: 5, 0: 5}
    for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]:
        bits.number(width.get(symbol, 0), 3)
    codes, code = {}, 0
    for length in (4, 5):
        code <<= 1 if length == 5 else 0
        for symbol in sorted(symbol for symbol in width if width[symbol] == length):
            codes[symbol], code = (code, length), code + 1
    for symbol in ladder:
        bits.code(*codes[symbol])
    zeros = 256 - len(ladder)
    for run in (138, zeros - 138):
        bits.code(*codes[18]).number(run - 11, 7)
    for symbol in [1, 1, *ladder]:
        bits.code(*codes[symbol])
    return bits


def forge(head: bytes, checksum: int) -> bytes:
    """`head` with four more bytes, so that its CRC-32 is `checksum`."""
    return solve(lambda free: head + free, lambda data: zlib.crc32(data) ^ checksum, 4)


def solve(build: Callable[[bytes], Built], difference: Callable[[Built], int], free: int) -> Built:
    """`build(x)` for `free` bytes x that make the 32-bit `difference` zero, which is affine in the bits of x."""
    zero = difference(build(bytes(free)))
    rows = []
    for bit in range(8 * free):
        probe = (1 << bit).to_bytes(free, "little")
        rows.append((difference(build(probe)) ^ zero, 1 << bit))
    goal, chosen = zero, 0
    for place in range(32):
        pivot = next((row for row in rows if row[0] >> place & 1), None)
        if pivot is None:
            continue
        rows = [(row[0] ^ pivot[0], row[1] ^ pivot[1]) if row[0] >> place & 1 else row for row in rows if row != pivot]
        if goal >> place & 1:
            goal, chosen = goal ^ pivot[0], chosen ^ pivot[1]
    assert goal == 0, "not enough freedom"
    return build(chosen.to_bytes(free, "little"))
