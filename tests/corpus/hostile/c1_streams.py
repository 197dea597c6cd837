"""C1: what a reader sees that goes from local header to local header, and one that goes by the directory."""

import struct
import zlib

from builder import ARCHIVE_EXTRA_DATA, CENTRAL_RECORD, FLAG_DESCRIPTOR, deflated, descriptor, stored, streamed, zip_of
from cases import TEXT, Group, ab, first
from deflate import forge, solve

EVIL = stored("evil.py", b"print('evil')\n")


def cases() -> Group:
    group = Group("C1")
    unlisted(group)
    in_comments(group)
    in_stored_data(group)
    in_deflated_data(group)
    order(group)
    return group


def unlisted(group: Group) -> None:
    a, b = ab().entries
    hidden = EVIL.but(listed=False)
    group.refuse("unlisted-first", "prefix_data", zip_of(hidden, a, b), "the directory begins with the second entry")
    group.refuse("unlisted-middle", "gap_between_entries", zip_of(a, hidden, b), "an entry between two others")
    group.refuse("unlisted-last", "gap_before_central_directory", zip_of(a, b, hidden), "an entry after the last")
    fake = EVIL.central_bytes(0)
    group.refuse(
        "record-before-directory",
        "gap_before_central_directory",
        ab(before_directory=fake),
        "a central record that the directory does not count",
    )
    end = zip_of().build()
    group.refuse(
        "end-record-between",
        "gap_between_entries",
        zip_of(a, b.but(gap=end)),
        "an end record between two entries ends a stream",
    )
    whole = zip_of(EVIL).build()
    group.refuse("archive-between", "gap_between_entries", zip_of(a, b.but(gap=whole)), "a whole archive between two")
    group.refuse(
        "archive-before-directory",
        "gap_before_central_directory",
        ab(before_directory=whole),
        "a whole archive before the directory",
    )
    record = ARCHIVE_EXTRA_DATA + struct.pack("<I", len(EVIL.local_bytes())) + EVIL.local_bytes()
    group.refuse(
        "archive-extra-data",
        "gap_before_central_directory",
        ab(before_directory=record),
        "an entry in the record of encrypted directories",
    )


def in_comments(group: Group) -> None:
    local = EVIL.local_bytes()
    group.refuse(
        "local-in-entry-comment",
        "record_in_comment",
        first(lambda e: e.but(comment=local)),
        "an entry in the comment of a record",
    )
    group.refuse(
        "central-in-entry-comment",
        "record_in_comment",
        first(lambda e: e.but(comment=EVIL.central_bytes(0))),
        "a record in the comment of a record",
    )
    group.refuse("local-in-comment", "record_in_comment", ab(comment=local), "an entry in the archive comment")
    group.refuse(
        "central-in-comment",
        "record_in_comment",
        ab(comment=CENTRAL_RECORD + bytes(42)),
        "a record in the archive comment",
    )


def in_stored_data(group: Group) -> None:
    code = "descriptor_on_stored_data"

    def stream(body: bytes):
        entry = stored("a", body).both(flags=FLAG_DESCRIPTOR).local(crc=0, compressed=0, size=0)
        return zip_of(entry.but(descriptor=descriptor(entry)), stored("b", b"1"))

    group.refuse("stored-streamed", code, stream(b"a body"), "a stream cannot know where the body ends")
    desync = descriptor(stored("a", b"front")) + EVIL.local_bytes()
    group.refuse("stored-desync", code, stream(b"front" + desync), "descriptor and entry inside the body")
    ends = zip_of(EVIL).build()[len(EVIL.local_bytes()) :]
    group.refuse(
        "stored-directory",
        code,
        stream(b"front" + descriptor(stored("a", b"front")) + ends),
        "descriptor, directory and end record inside the body",
    )
    group.refuse("stored-two-ends", code, stream(two_ends()), "both lengths have the checksum that the descriptor says")
    known = stored("a", b"1234").both(flags=FLAG_DESCRIPTOR)
    group.refuse(
        "stored-sizes-known",
        code,
        zip_of(known.but(descriptor=descriptor(known))),
        "the sizes are in the local header as well",
    )


def two_ends() -> bytes:
    """A body whose first 12 bytes have the checksum of the whole, with a descriptor behind them."""

    def build(free: bytes) -> bytes:
        return b"first part; " + struct.pack("<4sIII", b"PK\x07\x08", zlib.crc32(b"first part; "), 12, 12) + free

    return solve(build, lambda data: zlib.crc32(data) ^ zlib.crc32(data[:12]), 4)


def in_deflated_data(group: Group) -> None:
    code = "compressed_size_mismatch"
    entry = deflated("a", TEXT)
    group.refuse(
        "deflate-tail",
        code,
        zip_of(entry.payload(entry.data + EVIL.local_bytes())),
        "an entry behind the end of the deflate stream, inside its compressed size",
    )
    stream = streamed("a", TEXT)
    inside = stream.data + descriptor(stream) + EVIL.local_bytes() + stream.data
    longer = stream.but(data=inside).central(compressed=len(inside))
    group.refuse(
        "deflate-desync",
        code,
        zip_of(longer.but(descriptor=descriptor(longer))),
        "a stream sees a descriptor and an entry where the directory sees one body",
    )
    body = forge(b"any body ", 0x08074B50)
    ambiguous = streamed("a", body)
    group.refuse(
        "descriptor-checksum", "descriptor_ambiguous", zip_of(ambiguous), "the checksum is the descriptor's signature"
    )
    lone = ambiguous.but(descriptor=descriptor(ambiguous, signed=False))
    group.refuse(
        "descriptor-checksum-unsigned",
        "descriptor_ambiguous",
        zip_of(lone),
        "the checksum is the descriptor's signature, which is not there",
    )


def order(group: Group) -> None:
    group.refuse("order", "entries_out_of_order", ab(order=(1, 0)), "the directory in another order than the entries")
    three = zip_of(*ab().entries, stored("c"))
    group.refuse("order-last", "entries_out_of_order", three.but(order=(0, 2, 1)), "the last two records swapped")
