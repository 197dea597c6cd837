"""C5: zip64 end record and locator, for readers that believe them and readers that do not."""

import struct

from builder import SENTINEL_16, SENTINEL_32, ZIP64_END_RECORD, Zip64, extra, stored, zip_of
from cases import Group, ab, first, named, second

FIELDS = ("disk_count", "count", "size", "offset")
INVALID, MISPLACED, COUNT = "zip64_record_invalid", "central_directory_misplaced", "entry_count_mismatch"
HUGE = 2**64 - 1


def ends(real: bool = False, **fields):
    """`ab` with zip64 ends: sentinels in the end record, or the real values."""
    return ab(zip64=Zip64(sentinels=() if real else FIELDS, **fields))


def cases() -> Group:
    group = Group("C5")
    missing(group)
    contradictions(group)
    lies(group)
    gaps(group)
    locators(group)
    records(group)
    disks(group)
    return group


def missing(group: Group) -> None:
    end = {
        "disk_count": dict(disk_count=SENTINEL_16, count=2),
        "count": dict(disk_count=2, count=SENTINEL_16),
        "size": dict(directory_size=SENTINEL_32),
        "offset": dict(directory_offset=SENTINEL_32),
    }
    for name, fields in end.items():
        group.refuse(f"missing-{name}", "zip64_missing", ab(**fields), f"a sentinel for {name}, and no zip64")
    group.refuse(
        "missing-all",
        "zip64_missing",
        ab(count=SENTINEL_16, directory_size=SENTINEL_32, directory_offset=SENTINEL_32),
        "all sentinels",
    )
    group.refuse("no-locator", "zip64_missing", ends(locator=False), "a record without locator")
    group.refuse(
        "no-locator-real",
        MISPLACED,
        ends(real=True, locator=False),
        "a record without locator, and no sentinel refers to it",
    )
    group.refuse("no-record", INVALID, ends(record=False), "a locator without record")
    group.refuse(
        "no-record-real",
        INVALID,
        ends(real=True, record=False),
        "a locator without record, and no sentinel refers to it",
    )


def contradictions(group: Group) -> None:
    """The end record has real values, zip64 others."""
    code = "zip64_contradiction"
    group.refuse("other-counts", code, ends(real=True, count=3), "three entries in zip64")
    group.refuse("other-size", code, ends(real=True, size=47), "another size in zip64")
    group.refuse("other-offset", code, ends(real=True, offset=0), "another offset in zip64")
    group.refuse(
        "end-disk-count", code, ends(real=True).but(disk_count=1, count=2), "one on this disk in the end record"
    )
    group.refuse("end-count", code, ends(real=True).but(disk_count=2, count=1), "one entry in the end record")
    group.refuse("end-size", code, ends(real=True).but(directory_size=47), "another size in the end record")
    group.refuse("end-offset", code, ends(real=True).but(directory_offset=0), "another offset in the end record")
    for name in FIELDS:
        rest = tuple(field for field in FIELDS if field != name)
        wrong = {
            "disk_count": dict(disk_count=1, count=SENTINEL_16),
            "count": dict(disk_count=SENTINEL_16, count=1),
            "size": dict(directory_size=47),
            "offset": dict(directory_offset=0),
        }[name]
        group.refuse(
            f"one-real-{name}",
            code,
            ab(zip64=Zip64(sentinels=rest)).but(**wrong),
            f"{name} alone is no sentinel, and wrong",
        )
    for name, other in (("disk_count", "count"), ("count", "disk_count")):
        rest = tuple(field for field in FIELDS if field != name)
        group.refuse(
            f"one-true-{name}", COUNT, ab(zip64=Zip64(sentinels=rest)), f"{name} is right, {other} a sentinel: two disks?"
        )
    two = zip_of(stored("good.py", b"1"), stored("evil.py", b"2"))
    hidden = two.but(zip64=Zip64(sentinels=())).but(count=1, directory_size=53)
    group.refuse("more-in-zip64", code, hidden, "the second entry for readers of zip64 alone")


def lies(group: Group) -> None:
    """Sentinels everywhere, and zip64 is wrong."""
    group.refuse("count-short", COUNT, ends(count=1), "one of two entries")
    group.refuse("count-long", COUNT, ends(count=3), "three of two entries")
    group.refuse("count-twins", COUNT, ends(disk_count=1, count=2), "one on this disk")
    group.refuse("count-huge", "too_many_entries", ends(count=HUGE), "2^64 - 1 entries")
    group.refuse("size-short", COUNT, ends(size=47), "a directory with room for one record")
    group.refuse("size-long", MISPLACED, ends(size=141), "a directory with room for three records")
    group.refuse("size-huge", "central_directory_too_large", ends(size=HUGE), "a directory of 2^64 - 1 bytes")
    group.refuse("offset-short", MISPLACED, ends(offset=0), "at byte 0")
    group.refuse("offset-huge", MISPLACED, ends(offset=HUGE), "at byte 2^64 - 1")
    three = named("a", "b", "c")
    offset = sum(len(e.local_bytes()) for e in three.entries)
    group.refuse(
        "first-hidden",
        "prefix_data",
        three.but(zip64=Zip64(count=2, size=2 * 47, offset=offset + 47)),
        "the directory begins with its second record",
    )


def gaps(group: Group) -> None:
    """A byte between the records, with sentinels and with real values."""
    for real, label in ((False, ""), (True, "-real")):
        group.refuse(
            f"gap-before-record{label}", MISPLACED, ends(real).but(before_ends=b"\0"), "between directory and record"
        )
        group.refuse(f"gap-before-locator{label}", INVALID, ends(real, gap=b"\0"), "between record and locator")
    group.refuse("gap-before-end", "zip64_missing", ends().but(before_end=b"\0"), "between locator and end record")
    group.refuse(
        "gap-before-end-real",
        MISPLACED,
        ends(True).but(before_end=b"\0"),
        "between locator and end record, which refers to neither",
    )


def locators(group: Group) -> None:
    position = len(ab().build()) - 22
    for label, offset in (
        ("zero", 0),
        ("less", position - 1),
        ("more", position + 1),
        ("beyond", 2**32),
        ("huge", HUGE),
    ):
        for real, kind in ((False, ""), (True, "-real")):
            group.refuse(
                f"locator-{label}{kind}",
                INVALID,
                ends(real, locator_offset=offset),
                f"the locator says byte {offset}, the record is at {position} (gh-139700)",
            )
    group.refuse("locator-elsewhere", INVALID, elsewhere(), "the locator points at a record inside an entry")
    for total in (0, 2):
        group.refuse(f"locator-disks-{total}", INVALID, ends(disks=total), f"{total} disks in all")
    locator = Zip64(record=False).build(0, 0, 0, 0)
    group.refuse(
        "locator-in-extra",
        INVALID,
        second(lambda e: e.central(extra=extra(0x9999, locator))),
        "the last extra field of the directory reads as a locator",
    )
    both = Zip64().build(len(ab().build()) - 22 + 4, 2, 94, 0)
    group.refuse(
        "ends-in-extra",
        "zip64_contradiction",
        second(lambda e: e.central(extra=extra(0x9999, both))),
        "the last extra field of the directory reads as record and locator",
    )
    twice = Zip64(gap=Zip64(record=False).build(position, 2, 94, position - 94))
    group.refuse("locator-twice", INVALID, ab(zip64=twice), "two locators behind the record")


def elsewhere():
    """A stored entry holds another zip64 record, which lists the first entry alone."""
    a = stored("good.py", b"1")
    fake = Zip64(locator=False).build(0, 1, 53, 0)
    box = stored("box", fake)
    at = len(a.local_bytes()) + len(box.local_bytes()) - len(fake)
    return zip_of(a, box, zip64=Zip64(locator_offset=at))


def records(group: Group) -> None:
    for size in (0, 43, 45, 56, 100, HUGE):
        group.refuse(
            f"record-size-{size if size < HUGE else 'huge'}",
            INVALID,
            ends(record_size=size),
            f"{size} bytes, and it has 44",
        )
    more = struct.pack("<HI", 0x0065, 2) + b"xx"
    group.refuse("extensible", INVALID, ends(record_size=44 + len(more), extensible=more), "extensible data")
    group.refuse("extensible-undeclared", INVALID, ends(extensible=more), "extensible data, not in the size")
    hidden = Zip64(locator=False).build(0, 1, 47, 0)
    group.refuse(
        "extensible-record",
        INVALID,
        ends(record_size=44 + len(hidden), extensible=hidden),
        "a second record, found by readers that search backward",
    )
    group.refuse(
        "record-version-2",
        INVALID,
        ends(record_size=44 + 28, extensible=bytes(28), version=62),
        "the record of encrypted directories",
    )
    for version in (0, 46, 62):
        group.refuse(f"record-version-{version}", "unsupported_version", ends(version=version), f"needs {version / 10}")
    magic = ab(zip64=Zip64(record=False, gap=ZIP64_END_RECORD + bytes(51)))
    group.refuse("record-cut-off", INVALID, magic, "one byte short")


def disks(group: Group) -> None:
    code = "multi_disk"
    group.refuse("disk-record", code, ends(disk=1), "the record lies on disk 1")
    group.refuse("disk-directory", code, ends(directory_disk=1), "the directory begins on disk 1")
    group.refuse("disk-locator", code, ends(locator_disk=1), "the locator looks on disk 1")
    group.refuse("disk-end", code, ends().but(disk=SENTINEL_16, directory_disk=SENTINEL_16), "sentinels for disks")
    wide = first(lambda e: e.central(extra=extra(1, struct.pack("<I", 0))).but(disk=SENTINEL_16))
    group.refuse("disk-entry", code, wide, "an entry's disk in its zip64 extra field")
