"""B1: one name, two entries."""

from builder import deflated, directory, stored, symlink, zip_of
from cases import TEXT, Group

CODE = "duplicate_name"


def cases() -> Group:
    group = Group("B1")
    one, two, other = stored("a", b"one"), stored("a", b"two, and longer"), stored("b", b"b")
    group.refuse("adjacent", CODE, zip_of(one, two), "two contents (CVE-2013-4787)")
    group.refuse("apart", CODE, zip_of(one, other, two), "with another entry between")
    group.refuse("first-and-last", CODE, zip_of(one, other, stored("c"), stored("d"), two), "first and last of five")
    group.refuse("same-content", CODE, zip_of(one, one), "the same content twice")
    group.refuse("three", CODE, zip_of(one, two, stored("a", b"three")), "three times")
    group.refuse("methods", CODE, zip_of(stored("a", TEXT), deflated("a", TEXT)), "stored and deflated")
    group.refuse("modes", CODE, zip_of(one, one.mode(0o100755)), "the same content under two modes")
    group.refuse("empty", CODE, zip_of(stored("a"), one), "an empty one first")
    group.refuse("directories", CODE, zip_of(directory("d/"), directory("d/")), "a directory twice")
    group.refuse("link-then-file", CODE, zip_of(symlink("a", "b"), one), "writing the file writes through the link")
    group.refuse("file-then-link", CODE, zip_of(one, symlink("a", "b")), "the link replaces the file")
    group.refuse("nested", CODE, zip_of(stored("d/e/a", b"1"), stored("d/e/b"), stored("d/e/a", b"2")), "in a folder")
    group.refuse("many", CODE, zip_of(*(stored(f"f{n}") for n in range(200)), stored("f77", b"2")), "one of 200")
    group.refuse("utf8", CODE, zip_of(stored("é", b"1"), stored("é", b"2")), "beyond ASCII")
    group.refuse(
        "one-local",
        "overlapping_entries",
        zip_of(one, two.but(offset=0), other, order=(0, 1)),
        "two records of one local header",
    )
    group.refuse(
        "one-local-modes",
        "overlapping_entries",
        zip_of(one.mode(0o100644), one.mode(0o100755).but(offset=0), order=(0, 1)),
        "two records of one local header, two modes",
    )
    group.refuse(
        "local-only",
        "gap_between_entries",
        zip_of(other, two.but(listed=False), one),
        "a second local header that the directory does not list",
    )
    return group
