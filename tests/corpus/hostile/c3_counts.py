"""C3: how long is the directory? By the counts of entries, by its size, or by the records that are there."""

from itertools import combinations

from builder import stored, zip_of
from cases import Group, named

COUNT = "entry_count_mismatch"
THREE = named("a.txt", "b.txt", "c.txt")
RECORD = 46 + 5


def cases() -> Group:
    group = Group("C3")
    for amount, label in ((-1, "short"), (1, "long")):
        one_off(group, amount, label)
    zero(group)
    claims(group)
    group.refuse(
        "hidden-first",
        "prefix_data",
        THREE.but(count=2, directory_size=2 * RECORD, directory_offset=offset_of(THREE) + RECORD),
        "the directory begins with its second record",
    )
    group.refuse(
        "hidden-last",
        "central_directory_misplaced",
        THREE.but(count=2, directory_size=2 * RECORD),
        "the last record lies behind the directory",
    )
    group.refuse("modulo", COUNT, modulo(), "65,537 entries, 1 in the 16-bit count")
    return group


def one_off(group: Group, amount: int, label: str) -> None:
    """Each combination of the three fields, one record off. Counts that disagree, or that the size has no room for, are
    wrong counts; counts and size that agree leave the directory in the wrong place."""
    fields = {"disk_count": 3 + amount, "count": 3 + amount, "directory_size": (3 + amount) * RECORD}
    for length in (1, 2, 3):
        for names in combinations(fields, length):
            changed = {"disk_count": 3, "count": 3} | {name: fields[name] for name in names}
            size = changed.get("directory_size", 3 * RECORD)
            counts_agree = changed["disk_count"] == changed["count"]
            fits = counts_agree and changed["count"] * RECORD <= size and "directory_size" in names
            group.refuse(
                f"{label}-{'-'.join(names)}".replace("directory_", ""),
                "central_directory_misplaced" if fits else COUNT,
                THREE.but(**changed),
                f"{' and '.join(names)} one record {label}",
            )


def zero(group: Group) -> None:
    group.refuse("zero-disk-count", COUNT, THREE.but(disk_count=0, count=3), "no entries on this disk")
    group.refuse("zero-count", COUNT, THREE.but(disk_count=3, count=0), "no entries in all")
    group.refuse("zero-counts", COUNT, THREE.but(count=0), "no entries, and a directory of three records")
    group.refuse(
        "zero-all",
        "empty_archive",
        THREE.but(count=0, directory_size=0),
        "no entries, no directory: readers that trust it see none",
    )
    group.refuse(
        "zero-all-at-end",
        "empty_archive",
        THREE.but(count=0, directory_size=0, directory_offset=offset_of(THREE) + 3 * RECORD),
        "the same, with the directory ending where the end record begins",
    )
    group.refuse("zero-size", COUNT, THREE.but(directory_size=0), "three entries in no bytes")


def claims(group: Group) -> None:
    group.refuse("many", COUNT, THREE.but(count=65534), "65,534 entries in 153 bytes (CVE-2021-33196)")
    group.refuse("four", COUNT, THREE.but(count=4), "four entries, three records")
    commented = zip_of(*(e.but(comment=b" " * 100) for e in THREE.entries))
    group.refuse("four-commented", COUNT, commented.but(count=4), "four entries, three records with room for more")


def offset_of(archive) -> int:
    return sum(len(entry.local_bytes()) for entry in archive.entries)


def modulo():
    return zip_of(*(stored(f"{n:05x}") for n in range(65537)), count=1)
