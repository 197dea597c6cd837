"""B3: paths that are another path once a reader has cleaned them."""

from builder import stored, zip_of
from cases import Group, named

TRAVERSAL, ABSOLUTE, FORBIDDEN = "name_traversal", "name_absolute", "name_forbidden_character"

PATHS = (
    ("absolute", "/a/b", ABSOLUTE),
    ("double-slash", "a//b", TRAVERSAL),
    ("backslash", "a\\b", FORBIDDEN),
    ("dot-first", "./a/b", TRAVERSAL),
    ("dot-inside", "a/./b", TRAVERSAL),
    ("dot-last", "a/b/.", TRAVERSAL),
    ("dotdot-first", "../a/b", TRAVERSAL),
    ("three-dots-first", ".../a/b", "name_trailing_dot_or_space"),
    ("three-dots", "a/.../b", "name_trailing_dot_or_space"),
    ("dotdot-inside", "c/../a/b", TRAVERSAL),
)

LONE = (
    ("root", "/", ABSOLUTE, "the root itself"),
    ("network", "//host/share/a", ABSOLUTE, "a network path"),
    ("dot", ".", TRAVERSAL, "the folder itself"),
    ("dot-slash", "./", TRAVERSAL, "the folder itself"),
    ("dotdot", "..", TRAVERSAL, "the folder above"),
    ("dotdot-slash", "../", TRAVERSAL, "the folder above"),
    ("dotdot-last", "a/..", TRAVERSAL, "up at the end"),
    ("dotdot-deep", "a/b/../../../c", TRAVERSAL, "zip slip"),
    ("trailing-slashes", "a//", TRAVERSAL, "two slashes at the end"),
    ("drive", "C:/a", FORBIDDEN, "a drive"),
    ("drive-relative", "c:a", FORBIDDEN, "relative to a drive's folder"),
    ("unc", "\\\\host\\a", FORBIDDEN, "a network path"),
    ("device-path", "\\\\?\\C:\\a", FORBIDDEN, "a device path"),
    ("backslash-traversal", "..\\..\\a", FORBIDDEN, "zip slip on Windows"),
    ("mixed-traversal", "a/..\\b", FORBIDDEN, "up for readers that know both separators"),
)


def cases() -> Group:
    group = Group("B3")
    for label, path, code in PATHS:
        group.refuse(f"{label}-before", code, named(path, "a/b"), f"{path} before a/b")
        group.refuse(f"{label}-after", code, named("a/b", path), f"{path} after a/b")
    for label, path, code, note in LONE:
        group.refuse(label, code, named(path), note)
    group.refuse("dotdot-many", TRAVERSAL, zip_of(stored("../" * 40 + "etc/cron.d/x", b"1")), "up to the root")
    return group
