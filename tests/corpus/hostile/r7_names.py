"""Rule 7: names. Characters, paths and case are in B2 to B4, two sources of a name in A3."""

from builder import directory, stored, symlink, zip_of
from cases import Group, named

DEVICES = (
    "con",
    "CON",
    "nul",
    "NUL.txt",
    "aux",
    "prn",
    "COM1",
    "com9.log",
    "LPT1",
    "lpt9.tar.gz",
    "COM¹",
    "lpt³",
    "CONIN$",
    "conout$",
    "nul .txt",
)


def cases() -> Group:
    group = Group("rule-7", "r7")
    lengths(group)
    for index, name in enumerate(DEVICES):
        group.refuse(f"device-{index:02}", "name_windows_device", named(name), f"{name} is a device on Windows")
    group.refuse("device-folder", "name_windows_device", named("aux/file"), "a device as a folder")
    group.refuse("device-directory", "name_windows_device", named("src/aux/"), "a device as a directory")
    for label, name in (
        ("dot", "a."),
        ("space", "a "),
        ("dots", "a.."),
        ("three-dots", "..."),
        ("dot-space", "a. "),
        ("folder-dot", "a./b"),
        ("folder-space", "a /b"),
        ("directory-dot", "a./"),
        ("only-space", " "),
    ):
        group.refuse(f"trailing-{label}", "name_trailing_dot_or_space", named(name), f"{name!r}: Windows drops the end")
    parents(group)
    return group


def lengths(group: Group) -> None:
    group.refuse("empty", "name_empty", zip_of(stored("")), "no name")
    group.refuse("empty-second", "name_empty", named("a", ""), "no name, second entry")
    folders = "x/" * 510
    group.refuse("long", "name_too_long", named(folders + "abcde"), "1,025 bytes")
    group.refuse("long-utf8", "name_too_long", named("é/" * 341 + "ab"), "1,025 bytes, 684 characters")
    group.refuse("longest", "name_too_long", named(("x" * 200 + "/") * 326), "65,526 bytes")
    group.refuse("component", "name_component_too_long", named("x" * 256), "256 bytes in a component")
    group.refuse("component-utf8", "name_component_too_long", named("é" * 128), "256 bytes, 128 characters")
    group.refuse("component-folder", "name_component_too_long", named("d/" + "x" * 256 + "/f"), "256 bytes in a folder")
    group.refuse("limit", "name_too_long", named("abcd"), "four bytes, the limit is three", {"name_size_max": 3})
    group.refuse(
        "component-limit",
        "name_component_too_long",
        named("abc/abcd"),
        "four bytes, the limit is three",
        {"component_size_max": 3},
    )


def parents(group: Group) -> None:
    code = "file_is_parent"
    group.refuse("parent", code, named("a", "a/b"), "a file above another")
    group.refuse("parent-after", code, named("a/b", "a"), "the file above comes last")
    group.refuse("parent-directory", code, named("a", "a/b/"), "a file above a directory")
    group.refuse("parent-far", code, named("a/b/c/d", "a.txt", "a-b", "a"), "three levels above, and names between")
    group.refuse("parent-middle", code, named("a/b", "a/b/c"), "a file in a folder above another")
    link = symlink("l", "target")
    group.refuse("parent-link", code, zip_of(link, stored("l/x", b"1")), "writes through a link")
    group.refuse("parent-link-after", code, zip_of(stored("l/x", b"1"), link), "the link comes last")
    group.refuse(
        "parent-link-directory",
        code,
        zip_of(directory("target/"), link, directory("l/d/")),
        "a directory through a link",
    )
    group.refuse(
        "link-and-directory",
        "duplicate_name",
        zip_of(link, directory("l/"), stored("l/x", b"1")),
        "a link and a directory of one name",
    )
