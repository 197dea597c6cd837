"""Files of at most 10 MiB that cost a reader most, in time or in memory, until they are refused."""

from __future__ import annotations

import zlib
from itertools import product
from string import ascii_lowercase, digits

from builder import Zip64, deflated, descriptor, extra, stored, streamed, symlink, zip_of
from cases import Group
from deflate import Bits, empty_blocks, zeros

SIZE = 10 * 1024 * 1024
UNPACKED_MAX = 262_144_000
GIB = 1 << 30


def cases() -> Group:
    group = Group("worst")
    many_entries(group)
    names(group)
    fields(group)
    overlaps(group)
    bombs(group)
    stalls(group)
    searches(group)
    return group


def many_entries(group: Group) -> None:
    count = SIZE // (30 + 46 + 2 * 4) - 2
    group.refuse("entries", "crc_mismatch", entries(count, stored), f"{count} files, the last with a wrong checksum")
    count = SIZE // (30 + 46 + 2 * 4 + 2) - 2
    group.refuse("entries-deflated", "crc_mismatch", entries(count, deflated), f"{count} deflated files")
    count = SIZE // (30 + 46 + 2 * 4 + 2 + 16) - 2
    group.refuse("entries-streamed", "crc_mismatch", entries(count, streamed), f"{count} files with descriptors")
    count = SIZE // (30 + 46 + 2 * 4 + 3) - 2
    group.refuse(
        "entries-links",
        "symlink_escapes",
        entries(count, lambda name: symlink(name, "x/y"), "../"),
        f"{count} links, the last leads out",
    )
    group.refuse(
        "directory", "overlapping_entries", directory_only(short_names(), 46 + 4), "a directory of 10 MiB for one entry"
    )


def entries(count: int, make, target: str | None = None):
    """`count` empty entries; the last has a wrong checksum, or the wrong target."""
    names = short_names()
    made = [make(next(names)) for _ in range(count)]
    last = symlink(next(names), target) if target else made[-1].both(crc=1)
    if last.descriptor:
        last = last.local(crc=0).but(descriptor=descriptor(last))
    made[-1] = last
    return zip_of(*made, zip64=Zip64(sentinels=("disk_count", "count")))


def short_names():
    """Names of four characters, none of them a device on Windows."""
    rest = [ascii_lowercase + digits] * 3
    return ("".join(name) for name in product("abdefghijk", *rest))


def directory_only(names, record: int, fields: bytes = b"", comment: bytes = b"", limit: int = SIZE):
    """As many central records as fit; each entry begins a byte after the one before it, so the first pair overlaps."""
    name = next(names)
    front, directory, count = stored(name).local_bytes(), bytearray(), 0
    while len(front) + len(directory) + record < limit - 200:
        entry = stored(next(names) if count else name).central(extra=fields).but(comment=comment)
        directory += entry.central_bytes(count)
        count += 1
    ends = zip_of(zip64=Zip64(sentinels=("disk_count", "count"))).ends(count, len(directory), len(front))
    return front + bytes(directory) + ends


def names(group: Group) -> None:
    """The longest names, whose form and case take longest to compare."""
    letters = {
        "ascii": "x",
        "upper": "X",
        "marks": "\u0334",
        "expanding": "\u0587",
        "hangul": "\uac01",
        "greek": "\u0390",
        "slashes": "x/",
        "emoji": "\U0001f600",
    }
    for label, letter in letters.items():

        def long(letter=letter):
            for short in short_names():
                tail = f"/{short}"
                room = 255 if "/" not in letter else 1000
                component = letter * ((room - 4) // len(letter.encode()))
                yield "/".join([component.rstrip("/")] * (1 if "/" in letter else 3)) + tail

        size = 46 + len(next(long()).encode())
        group.refuse(f"names-{label}", "overlapping_entries", directory_only(long(), size), f"long names of {letter!r}")
    long = [f"{'x' * 250}/{'y' * 250}/{'z' * 250}/{name}{'w' * 240}" for name, _ in zip(short_names(), range(4900))]
    files = [stored(name) for name in long]
    group.refuse("names-last-twice", "duplicate_name", zip_of(*files, files[0]), "the last of 4,900 long names twice")
    group.refuse(
        "name-huge",
        "name_too_long",
        directory_only(("x" * 65535 for _ in range(1000)), 46 + 65535),
        "names of 65,535 bytes",
    )


def fields(group: Group) -> None:
    tiny = b"".join(extra(n) for n in range(0x1000, 0x1000 + 2048))
    group.refuse(
        "extras-directory",
        "overlapping_entries",
        directory_only(short_names(), 50 + len(tiny), tiny),
        "2,048 extra fields in each record",
    )
    reverse = b"".join(extra(n) for n in reversed(range(0x1000, 0x1000 + 2047))) + extra(0x1000)
    names = short_names()
    full = [stored(next(names)).both(extra=tiny) for _ in range(630)]
    group.refuse(
        "extras-both",
        "duplicate_extra",
        zip_of(*full, stored("0").local(extra=reverse)),
        "2,048 extra fields in each header, the last twice",
    )
    group.refuse(
        "extras-huge",
        "extra_too_long",
        directory_only(short_names(), 50 + 65535, extra(9, bytes(65531))),
        "extra fields of 65,535 bytes",
    )
    comment = b"PK\x01" * 5000
    group.refuse(
        "comments",
        "overlapping_entries",
        directory_only(short_names(), 50 + len(comment), comment=comment),
        "comments full of almost records",
    )


def overlaps(group: Group) -> None:
    """Fifield's bombs: the more entries share a body, the more a reader unpacks that only looks at one at a time."""
    body = zeros(1 + 1032 * 250)
    kernel = stored("aaaa").but(data=body).both(method=8, compressed=len(body), size=1 + 1032 * 250)
    names, directory, count = short_names(), bytearray(), 0
    while len(directory) < SIZE - 20_000:
        directory += kernel.central(name=next(names).encode()).central_bytes(0)
        count += 1
    local = kernel.local_bytes()
    ends = zip_of(zip64=Zip64(sentinels=("disk_count", "count"))).ends(count, len(directory), len(local))
    group.refuse("overlap", "overlapping_entries", local + bytes(directory) + ends, f"{count} records of one bomb")
    group.refuse(
        "unlisted",
        "gap_between_entries",
        zip_of(stored("a"), *unlisted(), stored("b")),
        "120,000 local headers that the directory does not list",
    )


def unlisted():
    names = short_names()
    return (stored(next(names)).but(listed=False) for _ in range(120_000))


def bombs(group: Group) -> None:
    body = zeros(1 + 1032 * 2_600_000)
    whole = [bomb(f"{n}", body, 1 + 1032 * 2_600_000) for n in range(3)]
    group.refuse("bomb", "unpacked_size_exceeded", zip_of(*whole), "8 GiB of zeros, declared")
    whole = zeros(1 + 1032 * 10_160_000)
    group.refuse(
        "bomb-lying", "unpacked_size_mismatch", zip_of(bomb("a", whole, 9_500_000)), "10 GiB of zeros, declared as 9 MB"
    )
    most = 1 + 1032 * 254_012
    group.refuse(
        "bomb-limit",
        "crc_mismatch",
        zip_of(bomb("a", zeros(most), most)),
        "as much as is allowed, and a wrong checksum",
    )
    parts = [good(f"{n:03}", 1 + 1032 * 508) for n in range(499)]
    group.refuse(
        "bomb-parts",
        "crc_mismatch",
        zip_of(*parts, parts[0].both(name=b"last", crc=1)),
        "as much as is allowed in 500 entries",
    )
    noise = bytes(range(256)) * (SIZE // 256 - 1)
    group.refuse("stored", "crc_mismatch", zip_of(stored("a", noise).both(crc=1)), "10 MiB stored")
    group.refuse("literals", "crc_mismatch", zip_of(literals()), "10 MiB of codes that yield a byte each")


def bomb(name: str, data: bytes, size: int):
    return stored(name).but(data=data).both(method=8, compressed=len(data), size=size, crc=1)


def good(name: str, size: int):
    return bomb(name, zeros(size), size).both(crc=zlib.crc32(bytes(size)))


def literals():
    """One block with the fixed code; five symbols of nine bits make up for the three bits of its head."""
    head, unit = Bits().number(1, 1).number(1, 2), Bits()
    for _ in range(5):
        head.fixed(200)
    for _ in range(8):
        unit.fixed(97)
    body = unit.build() * (SIZE // 8 - 100)
    return bomb("a", head.build() + body + Bits().fixed(256).build(), 5 + len(body))


def stalls(group: Group) -> None:
    """Blocks that yield nothing, as many as the allowed overhead of a claimed size pays for."""
    for kind in ("stored", "fixed", "dynamic", "tables"):
        data = empty_blocks(kind, SIZE - 1000)
        claimed = bomb("a", data, len(data) * 8 // 9)
        group.refuse(f"stall-{kind}", "compressed_size_mismatch", zip_of(claimed), f"10 MiB of empty {kind} blocks")
    data = empty_blocks("dynamic", 1000)
    names = short_names()
    small = [bomb(next(names), data, 0) for _ in range(SIZE // (len(data) + 84) - 1)]
    group.refuse(
        "stall-many", "compressed_size_mismatch", zip_of(*small), "empty blocks in many entries; the first is refused"
    )


def searches(group: Group) -> None:
    group.refuse(
        "end-records",
        "end_record_missing",
        stored("a").local_bytes() + b"PK\x05\x06" * (SIZE // 4 - 20),
        "end records to the end of the file",
    )
    group.refuse(
        "no-end-record", "end_record_missing", stored("a").local_bytes() + bytes(SIZE - 100), "zeros to the end"
    )
    claimed = Zip64(count=262_144, size=64 * 1024 * 1024, sentinels=("disk_count", "count", "size"))
    group.refuse(
        "claims",
        "central_directory_misplaced",
        zip_of(stored("a"), zip64=claimed),
        "262,144 entries in 64 MiB, claimed by a file of 200 bytes",
    )
    wide = zip_of(stored("a"), zip64=Zip64(offset=GIB, size=64 * 1024 * 1024, count=262_144))
    group.refuse("claims-far", "central_directory_misplaced", wide, "the same at 1 GiB")
