"""Rule 9: each body is what its headers say, and all of them together fit."""

import struct

from builder import SENTINEL_32, deflated, descriptor, directory, extra, forced_zip64, stored, streamed, zip_of
from cases import TEXT, Group, first, second
from deflate import Bits, deflate, stored_block, zeros

INVALID, CSIZE, SIZE, CRC = "deflate_invalid", "compressed_size_mismatch", "unpacked_size_mismatch", "crc_mismatch"
UNPACKED_MAX = 262_144_000


def cases() -> Group:
    group = Group("rule-9", "r9")
    bombs(group)
    stalls(group)
    streams(group)
    lengths(group)
    checksums(group)
    return group


def bombs(group: Group) -> None:
    code = "unpacked_size_exceeded"
    group.refuse("bomb", code, zip_of(bomb("a", 1 + 1032 * 260_000)), "268 MB of zeros in 260 KB, all of it declared")
    third = 1 + 1032 * 90_000
    group.refuse("bomb-sum", code, zip_of(*(bomb(name, third) for name in "abc")), "three entries, together too large")
    group.refuse("claim", code, second(lambda e: e.both(size=UNPACKED_MAX + 1)), "one byte beyond the limit, claimed")
    group.refuse("claim-most", code, second(lambda e: e.both(size=SENTINEL_32 - 1)), "4 GiB claimed")
    large = extra(1, struct.pack("<Q", 1 << 40))
    group.refuse("claim-zip64", code, zip_of(forced_zip64("a", TEXT).central(extra=large)), "1 TiB claimed")
    limit = {"unpacked_size_max": 1000}
    group.refuse("limit", code, zip_of(stored("a", b"x" * 1001)), "1,001 bytes, the limit is 1,000", limit)
    group.refuse("limit-sum", code, zip_of(stored("a", b"x" * 500), deflated("b", b"x" * 501)), "500 and 501", limit)
    lying = zip_of(bomb("a", 1 + 1032 * 90_000).both(size=10))
    group.refuse("bomb-lying", "compressed_size_excessive", lying, "93 MB that are declared as ten bytes")
    small = zip_of(bomb("a", 1 + 1032 * 900).both(size=10_000))
    group.refuse("bomb-lying-small", SIZE, small, "929 KB that are declared as 10,000 bytes")


def bomb(name: str, size: int):
    data = zeros(size)
    entry = stored(name).but(data=data)
    # The checksum is wrong: whoever gets that far has inflated it.
    return entry.both(method=8, compressed=len(data), size=size, crc=1)


def stalls(group: Group) -> None:
    """Empty blocks cost time and yield nothing."""
    code = "compressed_size_excessive"
    empty = stored_block(b"", final=False)
    body = deflate(b"1234")
    group.refuse("stall", code, zip_of(deflated("a", b"1234").payload(empty * 210 + body)), "210 empty blocks")
    group.refuse("stall-empty", code, zip_of(deflated("a").payload(empty * 300 + deflate(b""))), "and an empty body")
    exact = empty * 202 + Bits().number(0, 3).bytes(b"\0\0\xff\xff").number(1, 3).bytes(b"\4\0\xfb\xff1234").build()
    over = exact + b"\0" * (1029 - len(exact))
    group.refuse("stall-limit", code, zip_of(deflated("a", b"1234").payload(over)), "1,029 bytes, 1,028 are allowed")
    group.refuse(
        "stall-directory",
        code,
        zip_of(directory("d/").but(data=empty * 300 + deflate(b"")).both(method=8, compressed=1502)),
        "behind a directory",
    )


def streams(group: Group) -> None:
    def broken(label: str, code: str, data: bytes, note: str) -> None:
        group.refuse(f"deflate-{label}", code, second(lambda e: e.payload(data)), note)

    broken("block-type", INVALID, b"\x07" + bytes(8), "block type 3")
    broken("noise", INVALID, b"\xff" * 20, "no stream")
    broken("length-check", INVALID, b"\x01\x04\x00\x00\x001234", "a stored block whose two lengths disagree")
    far = Bits().number(1, 1).number(1, 2).fixed(97).fixed(257).code(4, 5).number(0, 1).fixed(256).build()
    broken("distance", INVALID, far, "a match before the beginning")
    broken("symbol", INVALID, Bits().number(1, 1).number(1, 2).fixed(286).build() + bytes(4), "length symbol 286")
    broken(
        "distance-symbol",
        INVALID,
        Bits().number(1, 1).number(1, 2).fixed(97).fixed(257).code(30, 5).build() + bytes(4),
        "distance symbol 30",
    )
    broken("code-lengths", INVALID, b"\xed\xfd\xff" + bytes(10), "an oversubscribed code")
    broken("zlib", INVALID, b"\x78\x9c" + deflate(TEXT), "a zlib header")
    broken("gzip", INVALID, b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + deflate(TEXT), "a gzip header")
    whole = deflate(TEXT)
    broken("cut", CSIZE, whole[:-3], "the stream does not end")
    broken("cut-last", CSIZE, whole[:-1], "the last byte is missing")
    broken("nothing", CSIZE, b"", "no stream at all")
    broken("no-final-block", CSIZE, stored_block(TEXT, final=False), "no block is the last")
    broken("tail", CSIZE, whole + b"\0", "a byte behind the stream")
    broken("two-streams", CSIZE, whole + deflate(b""), "a second stream behind the first")
    broken("tail-long", CSIZE, whole + b"hidden " * 100, "700 bytes behind the stream")
    group.refuse("ratio", "ratio_exceeded", second(lambda e: e.both(size=1_000_000)), "more than deflate can yield")
    group.refuse("deflate-nothing-empty", CSIZE, zip_of(deflated("a").payload(b"")), "no stream for an empty body")
    group.refuse(
        "deflate-tail-empty", CSIZE, zip_of(deflated("a").payload(deflate(b"") + b"x")), "a byte behind an empty stream"
    )


def lengths(group: Group) -> None:
    for label, off in (("less", -1), ("more", 1)):
        group.refuse(f"size-{label}", SIZE, second(lambda e: e.both(size=e.cdh.size + off)), f"{off:+} byte declared")
    group.refuse("size-zero", SIZE, second(lambda e: e.both(size=0)), "zero declared")
    group.refuse("size-double", SIZE, second(lambda e: e.both(size=2 * e.cdh.size)), "twice as much declared")
    code = "stored_size_mismatch"
    group.refuse("stored-less", code, first(lambda e: e.both(size=3)), "stored, 3 of 4 bytes declared")
    group.refuse("stored-more", code, first(lambda e: e.both(size=5)), "stored, 5 of 4 bytes declared")
    group.refuse("stored-zero", code, first(lambda e: e.both(size=0)), "stored, nothing declared")
    group.refuse(
        "stored-directory",
        code,
        zip_of(directory("d/").but(data=b"hidden").both(compressed=6)),
        "bytes behind a directory",
    )


def checksums(group: Group) -> None:
    group.refuse("crc-stored", CRC, first(lambda e: e.both(crc=e.cdh.crc ^ 1)), "one bit, stored")
    group.refuse("crc-deflated", CRC, second(lambda e: e.both(crc=e.cdh.crc ^ 0x80000000)), "one bit, deflated")
    group.refuse("crc-zero", CRC, second(lambda e: e.both(crc=0)), "zero: not checked by some readers")
    group.refuse("crc-empty", CRC, zip_of(stored("a").both(crc=1)), "of an empty body")
    group.refuse("crc-directory", CRC, zip_of(directory("d/").both(crc=1)), "of a directory")
    group.refuse("body-stored", CRC, first(lambda e: e.but(data=b"1235")), "a byte of a stored body changed")
    other = deflate(TEXT.replace(b"text", b"test"))
    group.refuse("body-deflated", CRC, second(lambda e: e.payload(other)), "another body of the same length")
    group.refuse("crc-streamed", CRC, zip_of(wrong_stream()), "with a descriptor that agrees")
    link = stored("l", b"target").mode(0o120777).both(crc=1)
    group.refuse("crc-link", CRC, zip_of(link), "of a link's target")


def wrong_stream():
    entry = streamed("a", TEXT).central(crc=0x12345678)
    return entry.but(descriptor=descriptor(entry))
