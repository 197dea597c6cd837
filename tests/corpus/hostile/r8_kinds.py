"""Rule 8: regular files, directories, and links that stay inside. A4 has what is both file and directory."""

import struct

from builder import (
    DOS,
    FLAG_DESCRIPTOR,
    MACOS,
    NTFS,
    NTFS_INFOZIP,
    VFAT,
    deflated,
    descriptor,
    directory,
    extra,
    stored,
    symlink,
    zip_of,
)
from cases import Group, first

TYPES = {
    "fifo": 0o010000,
    "character-device": 0o020000,
    "block-device": 0o060000,
    "socket": 0o140000,
    "whiteout": 0o160000,
    "type-17": 0o170000,
    "type-03": 0o030000,
    "type-05": 0o050000,
}
PRIVILEGES = {"setuid": 0o4000, "setgid": 0o2000, "sticky": 0o1000, "all": 0o7000}
#: Systems on whose entries Info-ZIP, libarchive or 7-Zip ignore a Unix mode that others believe.
FOREIGN = {"dos": DOS, "ntfs": NTFS, "ntfs-infozip": NTFS_INFOZIP, "vfat": VFAT, "macos": MACOS}


def cases() -> Group:
    group = Group("rule-8", "r8")
    modes(group)
    dos_attributes(group)
    asi(group)
    libarchive(group)
    internal_attributes(group)
    link_bodies(group)
    targets(group)
    return group


def modes(group: Group) -> None:
    for label, kind in TYPES.items():
        group.refuse(label, "special_file", first(lambda e: e.mode(kind | 0o644)), f"type {kind:#o}")
    group.refuse("fifo-slash", "special_file", zip_of(stored("p/").mode(0o010644)), "a pipe whose name has a slash")
    group.refuse("fifo-macos", "foreign_mode", first(lambda e: e.host(MACOS).mode(0o010644)), "a pipe made on macOS")
    for label, bits in PRIVILEGES.items():
        group.refuse(label, "privileged_mode", first(lambda e: e.mode(0o100755 | bits)), f"{bits:#o} on a file")
        group.refuse(
            f"{label}-directory",
            "privileged_mode",
            zip_of(directory("d/", 0o040755 | bits)),
            f"{bits:#o} on a directory",
        )
    group.refuse("setuid-untyped", "privileged_mode", first(lambda e: e.mode(0o4755)), "setuid in a mode without type")
    group.refuse("setuid-macos", "foreign_mode", first(lambda e: e.host(MACOS).mode(0o104755)), "made on macOS")
    for label, host in FOREIGN.items():
        group.refuse(f"foreign-file-{label}", "foreign_mode", first(lambda e: e.host(host).mode(0o100600)), "a file's mode")
        group.refuse(
            f"foreign-program-{label}", "foreign_mode", first(lambda e: e.host(host).mode(0o100755)), "executable"
        )
        group.refuse(f"foreign-link-{label}", "foreign_mode", zip_of(symlink("l", "x").host(host)), "a link's mode")
        group.refuse(
            f"foreign-directory-{label}", "foreign_mode", zip_of(directory("d/", 0o040700).host(host)), "a directory's mode"
        )
    group.refuse("foreign-setuid", "foreign_mode", first(lambda e: e.host(DOS).mode(0o104755)), "setuid on MS-DOS")


def dos_attributes(group: Group) -> None:
    for label, bit in (("volume-label", 0x08), ("device", 0x40), ("reparse-point", 0x400)):
        for name, host in (("dos", DOS), ("ntfs", NTFS)):
            group.refuse(
                f"{label}-{name}", "special_file", zip_of(stored("a").host(host).mode(0, bit)), f"attribute {bit:#x}"
            )
    group.refuse(
        "volume-label-unix", "special_file", first(lambda e: e.mode(0o100644, 0x08)), "attribute 0x8 and a mode"
    )


def asi(group: Group) -> None:
    field = extra(0x756E, bytes(4) + (0o100755).to_bytes(2, "little") + bytes(8))
    link = extra(
        0x756E, bytes(4) + (0o120777).to_bytes(2, "little") + (7).to_bytes(4, "little") + bytes(4) + b"../../x"
    )
    for label, fields in (("file", field), ("link", link)):
        group.refuse(f"asi-{label}", "asi_extra", first(lambda e: e.both(extra=fields)), f"a {label}'s mode")
        group.refuse(f"asi-{label}-local", "asi_extra", first(lambda e: e.local(extra=fields)), "local header alone")
        group.refuse(f"asi-{label}-central", "asi_extra", first(lambda e: e.central(extra=fields)), "directory alone")


def libarchive(group: Group) -> None:
    """Its experimental field states host and attributes again, and its reader believes it before the directory."""
    code = "libarchive_extra"

    def field(mode: int) -> bytes:
        return extra(0x6C78, b"\x07" + struct.pack("<HHI", 0x0314, 0, mode << 16))

    for label, mode in (("program", 0o100755), ("link", 0o120777), ("setuid", 0o104755), ("same", 0o100644)):
        group.refuse(f"libarchive-{label}", code, links_to(lambda e: e.both(extra=field(mode))), f"mode {mode:#o}")
        group.refuse(
            f"libarchive-{label}-local",
            code,
            links_to(lambda e: e.local(extra=field(mode))),
            f"mode {mode:#o}; local header alone",
        )
        group.refuse(
            f"libarchive-{label}-central",
            code,
            links_to(lambda e: e.central(extra=field(mode))),
            f"mode {mode:#o}; central record alone",
        )
    comment = extra(0x6C78, b"\x08" + struct.pack("<H", 4) + b"text")
    group.refuse("libarchive-comment", code, first(lambda e: e.both(extra=comment)), "another comment")
    group.refuse("libarchive-empty", code, first(lambda e: e.both(extra=extra(0x6C78))), "nothing in it")


def internal_attributes(group: Group) -> None:
    """Bit 2 tells Info-ZIP's unzip to ignore the external ones: a link becomes a file, a mode 0000."""
    code = "unsupported_attributes"
    for label, internal in (("bit-2", 4), ("bits-0-2", 5), ("all", 0xFFFF)):
        group.refuse(f"internal-{label}", code, first(lambda e: e.mode(0o100755).but(internal=internal)), "a program")
        group.refuse(f"internal-{label}-link", code, zip_of(symlink("l", "x").but(internal=internal)), "a link")
    folder = zip_of(directory("d/", 0o040700).but(internal=4), stored("d/secret", b"1"))
    group.refuse("internal-bit-2-directory", code, folder, "a directory")


def links_to(change):
    return zip_of(change(stored("a", b"../../etc/passwd")), stored("b", b"1"))


def link_bodies(group: Group) -> None:
    group.refuse("link-compressed", "symlink_compressed", zip_of(deflated("l", b"target").mode(0o120777)), "deflated")
    streamed = symlink("l", "target").both(flags=FLAG_DESCRIPTOR).local(crc=0, compressed=0, size=0)
    group.refuse(
        "link-streamed",
        "descriptor_on_stored_data",
        zip_of(streamed.but(descriptor=descriptor(streamed))),
        "stored, with a descriptor",
    )
    code = "symlink_target_invalid"
    group.refuse("link-empty", code, zip_of(symlink("l", "")), "no target")
    group.refuse("link-long", code, zip_of(symlink("l", "x/" * 2048)), "4,096 bytes")
    group.refuse(
        "link-limit",
        code,
        zip_of(symlink("l", "abcd")),
        "four bytes, the limit is three",
        {"symlink_target_size_max": 3},
    )


def targets(group: Group) -> None:
    code = "symlink_target_invalid"
    for label, target, note in (
        ("not-utf8", b"a\xff", "no UTF-8"),
        ("nul", b"a\0b", "ends at the NUL for readers in C"),
        ("newline", b"a\n", "a line break"),
        ("backslash", b"..\\..\\x", "up on Windows"),
        ("drive", b"C:x", "a drive"),
        ("up-behind-name", b"a/../b", "up through another link"),
        ("up-behind-name-last", b"a/..", "up through another link"),
        ("empty-component", b"a//b", "two slashes"),
        ("direction", "a\u202eb".encode(), "turns the direction of text"),
        ("trailing", b"a//", "two slashes at the end"),
    ):
        group.refuse(f"target-{label}", code, zip_of(symlink("l", target)), note)
    code = "symlink_escapes"
    for label, name, target in (
        ("absolute", "l", "/etc/passwd"),
        ("root", "l", "/"),
        ("up", "l", ".."),
        ("up-slash", "l", "../"),
        ("up-name", "l", "../x"),
        ("up-dot", "l", "./../x"),
        ("up-far", "l", "../../../../etc/passwd"),
        ("folder-up", "d/l", "../../x"),
        ("deep-up", "a/b/l", "../../../x"),
        ("double-slash", "l", "//host/x"),
    ):
        group.refuse(f"target-{label}", code, zip_of(symlink(name, target)), f"{name} points to {target}")
    chain = zip_of(symlink("d/one", ".."), symlink("d/two", "one/../x"), stored("x"))
    group.refuse("target-chain", "symlink_target_invalid", chain, "up through a link that leads up")
    late = zip_of(symlink("a", "b"), symlink("b", "../x"))
    group.refuse("target-second-link", code, late, "the second of two links leaves")
