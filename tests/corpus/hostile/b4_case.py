"""B4: names that are one file where case does not count."""

from builder import directory, stored, symlink, zip_of
from cases import Group, named

PAIRS = (
    ("extension", "test.txt", "test.TXT"),
    ("name", "Makefile", "makefile"),
    ("folder", "Lib/a", "lib/a"),
    ("directories", "Lib/", "lib/"),
    ("file-directory", "LIB", "lib/"),
    ("sharp-s", "straße", "STRASSE"),
    ("capital-sharp-s", "straẞe", "strasse"),
    ("sigma", "ΟΔΟΣ", "οδος"),
    ("sigma-medial", "ς", "σ"),
    ("long-s", "ſ", "s"),
    ("ligature", "ﬁle", "file"),
    ("accented", "É", "é"),
    ("cyrillic", "Я", "я"),
    ("cherokee", "Ꭰ", "ꭰ"),
    ("dotted-i", "İ", "i̇"),
    ("iota", "ᾳ", "ᾼ"),
    ("micro", "µ", "μ"),
    ("deseret", "\U00010400", "\U00010428"),
    ("fullwidth", "Ａ", "ａ"),
)


def cases() -> Group:
    group = Group("B4")
    for label, one, two in PAIRS:
        group.refuse(label, "duplicate_name", named(one, two), f"{one} and {two}")
    group.refuse("reverse", "duplicate_name", named("test.TXT", "other", "test.txt"), "with another entry between")
    group.refuse("link", "duplicate_name", zip_of(symlink("LINK", "x"), stored("link", b"1")), "a link and a file")
    group.refuse("parent", "file_is_parent", named("A", "a/b"), "a file above another in other case")
    group.refuse(
        "parent-link",
        "file_is_parent",
        zip_of(symlink("Lib", "x"), stored("lib/a", b"1"), directory("x/")),
        "a link above a file in other case",
    )
    return group
