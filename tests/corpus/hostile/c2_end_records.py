"""C2: which end record is it? Readers search backward, forward, or trust the comment's length."""

from builder import END_RECORD, patched, stored, zip_of
from cases import Group, ab, first, second

MISPLACED = "central_directory_misplaced"
GOOD = zip_of(stored("good.py", b"print('good')\n"))
EVIL = zip_of(stored("evil.py", b"print('evil')\n"))


def cases() -> Group:
    group = Group("C2")
    in_a_row(group)
    in_the_comment(group)
    comment_length(group)
    versions(group)
    return group


def in_a_row(group: Group) -> None:
    """Archives behind each other; each comment may claim what follows."""
    good, evil, third = GOOD.build(), EVIL.build(), zip_of(stored("third", b"3"))
    group.refuse("two", MISPLACED, good + evil, "the second counts from its own beginning")
    group.refuse("two-same", MISPLACED, good + good, "an archive twice")
    group.refuse(
        "two-absolute",
        "prefix_data",
        good + EVIL.but(shift=len(good)).build(),
        "the second counts from the beginning of the file",
    )
    for label, off in (("exact", 0), ("more", 1), ("less", -1)):
        last = third.build()
        middle = EVIL.but(comment=last, comment_size=len(last) + off).build()
        whole = GOOD.but(comment=middle, comment_size=len(middle) + off).build()
        group.refuse(f"three-{label}", MISPLACED, whole, f"comment lengths that claim what follows, {off:+}")
        position = len(whole) - len(last)
        absolute = whole[:position] + third.but(shift=position).build()
        group.refuse(
            f"three-{label}-absolute",
            "prefix_data",
            absolute,
            f"the same, and the last counts from the beginning of the file, {off:+}",
        )


def in_the_comment(group: Group) -> None:
    """An end record in the comment of another."""
    code = "record_in_comment"
    good = GOOD.build()
    group.refuse(
        "magic-in-comment", code, GOOD.but(comment=b"see " + END_RECORD + b" here"), "too short for an end record"
    )
    group.refuse("magic-ends-comment", code, GOOD.but(comment=END_RECORD), "the last four bytes of the file")
    fields = zip_of().ends(1, 53, 0)
    group.refuse("short-in-comment", code, GOOD.but(comment=fields[:21]), "one byte short of an end record")
    group.refuse(
        "longer-in-comment",
        code,
        GOOD.but(comment=patched(fields, 20, b"\x05\0")),
        "an end record that says more comment than there is",
    )
    group.refuse(
        "shorter-in-comment",
        code,
        GOOD.but(comment=fields + b"tail"),
        "an end record that says less comment than there is",
    )
    straddling = bytes((5, 6)).ljust(0x4B50, b".")
    group.refuse(
        "magic-from-length",
        code,
        GOOD.but(comment=straddling),
        "the comment's length is `PK`, and the comment continues it",
    )
    behind = len(good)
    moved = EVIL.but(shift=behind)
    group.refuse(
        "archive-in-comment",
        "prefix_data",
        GOOD.but(comment=moved.build()),
        "a whole archive; both end records end with the file",
    )
    group.refuse(
        "long-comment-in-comment",
        "prefix_data",
        GOOD.but(comment=moved.but(comment=bytes(300)).build()),
        "the same, the inner one with a comment of its own",
    )
    group.refuse(
        "directory-in-comment",
        MISPLACED,
        GOOD.but(comment=b"x" + EVIL.but(comment=b"").ends(1, 53, 0)),
        "an end record for the first directory",
    )
    group.refuse(
        "empty-in-comment",
        "empty_archive",
        GOOD.but(comment=zip_of().build()),
        "an archive without entries in the comment",
    )


def comment_length(group: Group) -> None:
    for label, comment, size, code in (
        ("one-without", b"", 1, "comment_truncated"),
        ("one-more", b"comment", 8, "comment_truncated"),
        ("most", b"comment", 0xFFFF, "comment_truncated"),
        ("none", b"comment", 0, "trailing_data"),
        ("one-less", b"comment", 6, "trailing_data"),
    ):
        group.refuse(
            f"length-{label}",
            code,
            ab(comment=comment, comment_size=size),
            f"{len(comment)} bytes, {size} declared (CVE-2024-24789)",
        )


def versions(group: Group) -> None:
    code = "unsupported_version"
    for version in (46, 51, 62, 63):
        group.refuse(f"version-{version}", code, first(lambda e: e.both(version=version)), f"needs {version / 10}")
    group.refuse("version-local", code, first(lambda e: e.local(version=63)), "local header alone")
    group.refuse("version-central", code, first(lambda e: e.central(version=63)), "central record alone")
    group.refuse("version-last", code, second(lambda e: e.both(version=63)), "last entry alone")
