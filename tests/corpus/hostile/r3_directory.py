"""Rule 3: one disk, and a directory that its records fill."""

import struct

from builder import DIGITAL_SIGNATURE, Zip64, patched, stored, zip_of
from cases import Group, ab, first, named, second

RECORD = "central_record_invalid"


def cases() -> Group:
    group = Group("rule-3", "r3")
    disks(group)
    group.refuse("empty", "empty_archive", zip_of(), "an end record alone")
    group.refuse("empty-comment", "empty_archive", zip_of(comment=b"nothing"), "with a comment")
    group.refuse("empty-zip64", "empty_archive", zip_of(zip64=Zip64()), "with zip64")
    records(group)
    tails(group)
    limits(group)
    return group


def disks(group: Group) -> None:
    code = "multi_disk"
    group.refuse("disk", code, ab(disk=1), "the end record lies on disk 1")
    group.refuse("directory-disk", code, ab(directory_disk=1), "the directory begins on disk 1")
    group.refuse("disk-both", code, ab(disk=1, directory_disk=1), "the last disk of two")
    group.refuse("disk-sentinel", code, ab(disk=0xFFFF), "a sentinel")
    group.refuse("entry-disk", code, first(lambda e: e.but(disk=1)), "the first entry lies on disk 1")
    group.refuse("entry-disk-last", code, second(lambda e: e.but(disk=1)), "the last entry lies on disk 1")
    group.refuse("entry-disk-sentinel", code, first(lambda e: e.but(disk=0xFFFF)), "a sentinel")


def records(group: Group) -> None:
    group.refuse("magic-first", RECORD, first(lambda e: e.central(signature=b"PK\x01\x03")), "another magic, first")
    group.refuse("magic-last", RECORD, second(lambda e: e.central(signature=b"PK\x03\x04")), "another magic, last")
    for field in ("name_size", "extra_size"):
        group.refuse(
            f"{field.replace('_', '-')}-past-end",
            RECORD,
            second(lambda e: e.central(**{field: 0xFFFF})),
            f"{field} runs past the directory",
        )
        group.refuse(
            f"{field.replace('_', '-')}-one",
            RECORD,
            second(lambda e: e.central(**{field: 2})),
            f"{field} runs past the directory by a byte or two",
        )
    group.refuse(
        "comment-size-past-end", RECORD, second(lambda e: e.but(comment_size=1)), "the comment runs past the directory"
    )
    group.refuse(
        "comment-swallows",
        "record_in_comment",
        first(lambda e: e.but(comment_size=47)),
        "the first comment is the second record",
    )
    data = ab().build()
    at = data.rindex(b"PK\x01\x02")
    group.refuse("zeros", RECORD, patched(data, at, bytes(47)), "zeros instead of the last record")


def tails(group: Group) -> None:
    code = "central_directory_size_mismatch"
    group.refuse("tail", code, ab(directory_tail=b"\0"), "a byte behind the last record")
    group.refuse("tail-block", code, ab(directory_tail=bytes(46)), "as many bytes as a record has")
    signature = DIGITAL_SIGNATURE + struct.pack("<H", 4) + b"sign"
    group.refuse("digital-signature", code, ab(directory_tail=signature), "a digital signature, counted in the size")
    group.refuse(
        "digital-signature-behind",
        "central_directory_misplaced",
        ab(before_ends=signature),
        "a digital signature, not counted in the size",
    )
    half = stored("evil.py").central_bytes(0)[:40]
    group.refuse("tail-half-record", code, ab(directory_tail=half), "a record that is cut off")


def limits(group: Group) -> None:
    group.refuse(
        "entries-limit",
        "too_many_entries",
        named(*(f"{n}" for n in range(11))),
        "one beyond the limit",
        {"entries_max": 10},
    )
    large = named(*(f"{n}" for n in range(10)))
    group.refuse(
        "directory-limit",
        "central_directory_too_large",
        large,
        "470 bytes, the limit is 469",
        {"central_directory_size_max": 469},
    )
