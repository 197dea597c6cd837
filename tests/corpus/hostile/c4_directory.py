"""C4: where is the directory? Where its offset says, or where the end record leaves room for it."""

from builder import patched, stored, zip_of
from cases import Group, ab

CODE = "central_directory_misplaced"


def cases() -> Group:
    group = Group("C4")
    two_directories(group)
    group.refuse("gap-behind", CODE, ab(before_ends=b"\0"), "a byte between directory and end record")
    group.refuse("block-behind", CODE, ab(before_ends=bytes(4096)), "a block between directory and end record")
    size = sum(len(entry.local_bytes()) for entry in ab().entries)
    for label, offset in (
        ("less", size - 1),
        ("more", size + 1),
        ("zero", 0),
        ("beyond", 0x10000000),
        ("wraps", 0xFFFFFFF0),
    ):
        group.refuse(f"offset-{label}", CODE, ab(directory_offset=offset), f"{offset}, and it begins at {size}")
    directory = ab().but(count=2).build()[size:-22]
    for label, length in (("less", len(directory) - 1), ("more", len(directory) + 1)):
        group.refuse(f"size-{label}", CODE, ab(directory_size=length), f"{length}, and it has {len(directory)}")
    a, b = ab().entries
    between = a.local_bytes() + directory + b.local_bytes()
    end = zip_of().but(count=2, directory_size=len(directory), directory_offset=len(a.local_bytes())).build()
    group.refuse("before-last-entry", CODE, between + end, "the directory in front of the last entry")
    stub = b'#!/bin/sh\nexec unzip "$0"\n'
    group.refuse("stub-relative", "prefix_data", stub + ab().build(), "a stub, and offsets that do not count it")
    group.refuse(
        "stub-absolute", "prefix_data", stub + ab(shift=len(stub)).build(), "a stub, and offsets that count it"
    )
    return group


def two_directories(group: Group) -> None:
    """Both halves are whole archives but for the end record, which counts for the first or for the second."""
    good, evil = zip_of(stored("good.py", b"1")), zip_of(stored("evil.py", b"2"))
    front, size = good.build()[:-22], 53
    offset = len(front) - size
    end = zip_of().but(count=1, directory_size=size, directory_offset=offset).build()
    for label, shift in (("relative", 0), ("absolute", len(front))):
        back = evil.but(shift=shift).build()[:-22]
        group.refuse(
            f"two-{label}",
            CODE,
            front + back + end,
            f"the end record points at the first directory, the second lies before it ({label})",
        )
    local = good.entries[0].local_bytes()
    both = local + good.build()[offset:-22] + patched(good.build()[offset:-22], 46, b"evil.py") + end
    group.refuse("two-of-one-entry", CODE, both, "two directories with two names for one entry")
    group.refuse(
        "second-of-one-entry",
        "gap_before_central_directory",
        local
        + good.build()[offset:-22]
        + good.build()[offset:-22]
        + patched(end, 16, (offset + size).to_bytes(4, "little")),
        "the first of two directories belongs to nothing",
    )
