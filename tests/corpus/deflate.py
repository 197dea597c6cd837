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
        return bytes(sum(bit << place for place, bit in enumerate(self.bits[at:at + 8]))
                     for at in range(0, len(self.bits), 8))


def deflate(body: bytes) -> bytes:
    """One block with the fixed code; runs of one byte become matches of 258 bytes."""
    bits, at = Bits().number(1, 1).number(1, 2), 0
    while at < len(body):
        bits.fixed(body[at])
        at += 1
        while at + 258 <= len(body) and body[at:at + 258] == body[at - 1:at] * 258:
            bits.fixed(285).code(0, 5)
            at += 258
    return bits.fixed(256).build()


def stored_blocks(body: bytes, block: int = 0xFFFF) -> bytes:
    """Blocks without compression."""
    starts = range(0, len(body), block) or [0]
    return b"".join(stored_block(body[at:at + block], final=at == starts[-1]) for at in starts)


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
    rest = size - 258 * matches
    assert size > 0 and matches % 4 == 0, "choose 1 + 1032 n + less than 258"
    head = Bits().number(0, 1).number(1, 2)
    for _ in range(rest):
        head.fixed(0)
    head.fixed(256).number(0, 1).number(0, 2).bytes(b"\x00\x00\xff\xff")
    head.number(1, 1)
    _code_lengths(head, {256: 1, 285: 1, 286: 1}, literals=286, distances=1)
    lead = -len(head.bits) % 8
    pairs = ([1, 0] * 4)[:lead]
    assert lead % 2 == 0 and matches >= 4
    head.bits += pairs
    middle = (matches - lead // 2) // 4
    left = matches - lead // 2 - 4 * middle
    tail = Bits()
    tail.bits += [1, 0] * left
    return head.build() + b"\x55" * middle + tail.code(0, 1).build()


def empty_dynamic_blocks(count: int) -> bytes:
    """Blocks that yield nothing and make the reader build its tables each time; the stream does not end."""
    unit = Bits()
    for _ in range(8):
        unit.number(0, 1)
        _code_lengths(unit, {256: 1, 286: 1}, literals=257, distances=1)
        unit.code(0, 1)
    return unit.build() * (count // 8)


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
