"""Rule 1: entries from byte 0, the central directory, the end records, and nothing else."""

import gzip
import struct
import zlib

from builder import deflated, stored, zip_of
from cases import TEXT, Group, ab, first, second
from deflate import stored_block

GAP, PREFIX, OVERLAP = "gap_between_entries", "prefix_data", "overlapping_entries"


def cases() -> Group:
    group = Group("rule-1", "r1")
    no_zip(group)
    prefixes(group)
    gaps(group)
    overlaps(group)
    into_the_directory(group)
    return group


def no_zip(group: Group) -> None:
    packed = gzip.compress(TEXT, mtime=0)
    for label, data, note in (
        ("empty", b"", "an empty file"),
        ("one-byte", b"P", "one byte"),
        ("pk", b"PK", "two bytes"),
        ("zeros", bytes(100_000), "zeros"),
        ("text", TEXT * 100, "text"),
        ("gzip", packed, "gzip"),
        ("tar", tar(), "a tar archive"),
        ("magic-reversed", b"\x04\x03KP" + bytes(100), "a big-endian zip"),
    ):
        group.refuse(label, "not_a_zip", data, note)


def tar() -> bytes:
    header = b"a".ljust(100, b"\0") + b"0000644\0" * 3 + b"00000000000\0" * 2 + b"        " + b"0"
    return header.ljust(257, b"\0") + b"ustar\00000".ljust(1279, b"\0")


def prefixes(group: Group) -> None:
    dex = b"dex\n035\0" + bytes(104)
    elf = b"\x7fELF\x02\x01\x01" + bytes(57)
    for label, stub, note in (
        ("dex", dex, "an Android executable (Janus, CVE-2017-13156)"),
        ("elf", elf, "a program"),
        ("mz", b"MZ" + bytes(62), "a self-extracting archive for Windows"),
        ("zero", b"\0", "one zero byte"),
        ("byte-order-mark", b"\xef\xbb\xbf", "a byte order mark"),
        ("jpeg", b"\xff\xd8\xff\xe0" + bytes(16), "an image"),
        ("spanned", b"PK\x07\x08", "the marker of a spanned archive"),
        ("temporary-spanned", b"PK00", "the marker of a spanned archive that fits one disk"),
    ):
        group.refuse(f"prefix-{label}", PREFIX, stub + ab(shift=len(stub)).build(), f"{note}; offsets count it")
    group.refuse("prefix-relative", PREFIX, dex + ab().build(), "an Android executable; offsets do not count it")
    other = zip_of(stored("evil.py", b"1"))
    group.refuse(
        "prefix-archive",
        PREFIX,
        other.build() + ab(shift=len(other.build())).build(),
        "another archive; offsets count it",
    )
    group.refuse("prefix-in-entry", PREFIX, first(lambda e: e.but(gap=b"\x7fELF")), "bytes before the first entry")


def gaps(group: Group) -> None:
    for label, gap in (("one", b"\0"), ("padding", bytes(4096)), ("text", b"hidden text")):
        group.refuse(f"gap-{label}", GAP, second(lambda e: e.but(gap=gap)), f"{len(gap)} bytes between two entries")
        group.refuse(
            f"gap-before-directory-{label}",
            "gap_before_central_directory",
            ab(before_directory=gap),
            f"{len(gap)} bytes before the directory",
        )
    group.refuse(
        "gap-local-shorter",
        "gap_between_entries",
        zip_of(*longer_data()),
        "data behind the compressed size that both headers state",
    )
    block = struct.pack("<Q", 24) + struct.pack("<Q", 24) + b"APK Sig Block 42"
    group.refuse(
        "apk-signing-block",
        "gap_before_central_directory",
        ab(before_directory=block),
        "a block as Android's signatures have it",
    )


def longer_data():
    a, b = ab().entries
    return a.but(data=a.data + b"hidden"), b


def overlaps(group: Group) -> None:
    """Entries that share bytes: bombs of any size in few bytes (Fifield 2019)."""
    group.refuse("overlap-full", OVERLAP, full_overlap(10), "ten records of one entry")
    group.refuse("overlap-quoted", OVERLAP, quoted(4), "each body quotes the local header of the next entry")
    group.refuse("overlap-same-offset", OVERLAP, second(lambda e: e.but(offset=0)), "two entries at byte 0")
    group.refuse(
        "overlap-one-byte",
        OVERLAP,
        second(lambda e: e.but(offset=len(ab().entries[0].local_bytes()) - 1)),
        "an entry begins at the last byte of another",
    )
    inner = stored("inner", b"1234")
    outer = stored("outer", inner.local_bytes())
    at = len(outer.local_bytes()) - len(outer.data)
    group.refuse("overlap-inside", OVERLAP, zip_of(outer, inner.but(offset=at)), "an entry inside a stored body")
    group.refuse("out-of-order", "entries_out_of_order", ab(order=(1, 0)), "the directory names the last entry first")
    group.refuse(
        "out-of-order-offset",
        "entries_out_of_order",
        zip_of(*ab().entries, stored("c").but(offset=5)),
        "the third offset lies in the first entry",
    )


def full_overlap(count: int):
    kernel = deflated("0", TEXT)
    return zip_of(
        kernel, *(kernel.both(name=str(n).encode()).but(offset=0) for n in range(1, count)), order=tuple(range(count))
    )


def quoted(count: int) -> bytes:
    """The body of each entry is a stored block that holds the next local header, then the same stream as the next."""
    entries, rest, body = [], deflated("last", TEXT).data, TEXT
    local = b""
    for n in reversed(range(count)):
        if local:
            header = local[: -len(rest)]
            rest, body = stored_block(header, final=False) + rest, header + body
        entry = deflated(f"{n}", body).payload(rest)
        local = entry.local_bytes()
        entries.insert(0, entry)
    offsets = [len(local) - len(entry.local_bytes()) for entry in entries]
    assert zlib.decompress(entries[0].data, -15) == entries[0].body
    directory = b"".join(entry.central_bytes(offset) for entry, offset in zip(entries, offsets))
    end = zip_of().ends(count, len(directory), len(local))
    return local + directory + end


def into_the_directory(group: Group) -> None:
    code = "entry_overlaps_central_directory"
    size = len(TEXT)
    group.refuse(
        "into-directory",
        code,
        second(lambda e: e.both(compressed=e.cdh.compressed + 20, size=size + 20)),
        "the last body runs into the directory",
    )
    group.refuse(
        "into-end",
        code,
        second(lambda e: e.both(compressed=1000, size=1000)),
        "the last body runs past the end of the file",
    )
    group.refuse(
        "into-directory-huge",
        code,
        first(lambda e: e.both(compressed=1_000_000, size=1_000_000)),
        "the first body is longer than the file",
    )
    group.refuse(
        "offset-in-directory",
        "gap_between_entries",
        second(lambda e: e.but(offset=len(ab().build()) - 22 - 94)),
        "the offset of the directory itself",
    )
    group.refuse(
        "offset-past-end",
        "gap_between_entries",
        second(lambda e: e.but(offset=0x7FFFFFFF)),
        "an offset past the end of the file",
    )
