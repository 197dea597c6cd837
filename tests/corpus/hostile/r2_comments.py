"""Rule 2: one end record at the end of the file, and no record in a comment."""

from builder import END_RECORD, MAGICS, Zip64, deflated, stored, symlink, zip_of
from cases import TEXT, Group, ab, first, second

CUT = "end_record_missing"


def cases() -> Group:
    group = Group("rule-2", "r2")
    good = ab().build()
    for label, size in (
        ("end-record", 22),
        ("half-end-record", 11),
        ("last-byte", 1),
        ("directory", 60),
        ("half", len(good) // 2),
        ("all-but-four", len(good) - 4),
    ):
        group.refuse(f"cut-{label}", CUT, good[:-size], f"{size} bytes are missing at the end")
    padded = b"\0" * 70_000
    group.refuse("far", CUT, good + padded, "70,000 zeros behind: out of reach of every search")
    for label, suffix in (
        ("zero", b"\0"),
        ("newline", b"\n"),
        ("block", bytes(10240 - len(good) % 10240)),
        ("local-header", stored("evil.py", b"1").local_bytes()),
    ):
        group.refuse(f"trailing-{label}", "trailing_data", good + suffix, f"{len(suffix)} bytes behind")
    group.refuse("trailing-comment", "trailing_data", ab(comment=b"hello").build() + b"!", "a byte behind the comment")
    group.refuse("cut-comment", "comment_truncated", ab(comment=b"hello").build()[:-1], "the comment is cut off")
    for magic in MAGICS:
        label = magic[2:].hex()
        if magic != END_RECORD:
            group.refuse(
                f"comment-{label}",
                "record_in_comment",
                ab(comment=b"a comment " + magic + b"."),
                f"{magic!r} in the archive comment",
            )
        group.refuse(
            f"entry-comment-{label}",
            "record_in_comment",
            first(lambda e: e.but(comment=magic)),
            f"{magic!r} in the comment of an entry",
        )
    far(group)
    limit = {"comment_size_max": 300}
    group.refuse("comment-limit", "comment_too_long", ab(comment=b"x" * 301), "one byte beyond the limit", limit)
    group.refuse(
        "entry-comment-limit",
        "comment_too_long",
        second(lambda e: e.but(comment=b"x" * 301)),
        "one byte beyond the limit",
        limit,
    )
    return group


def far(group: Group) -> None:
    """Comments behind which libarchive finds no end record: it reads local headers then, without modes and links."""
    program, link = deflated("b", TEXT).mode(0o100755), symlink("b", "a")
    for label, entry in (("program", program), ("link", link), ("private", stored("b").mode(0o100600))):
        for size in (16343, 0xFFFF):
            hidden = zip_of(stored("a", b"1234"), entry, comment=b"x" * size)
            group.refuse(f"comment-far-{label}-{size}", "comment_too_long", hidden, f"hides what {label} is")
    hidden = zip_of(stored("a", b"1234"), program, comment=b"x" * 16343, zip64=Zip64())
    group.refuse("comment-far-zip64", "comment_too_long", hidden, "the same with a locator")
