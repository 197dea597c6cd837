"""What Info-ZIP's zip 3.0 and its relatives write, byte for byte."""

import struct

from builder import (
    FLAG_DESCRIPTOR,
    FLAG_UTF8,
    SENTINEL_32,
    Entry,
    Zip64,
    deflated,
    descriptor,
    directory,
    extra,
    stored,
    symlink,
    unicode_path,
    zip_of,
)
from cases import TEXT, Group

MADE_BY = 0x031E
TIME = struct.pack("<I", 1735732800)
OWNER = extra(0x7875, b"\x01\x04" + struct.pack("<I", 1000) + b"\x04" + struct.pack("<I", 1000))
SCRIPT = b"#!/bin/sh\n"


def times(entry: Entry) -> Entry:
    """UT with three times in the local header and one in the directory, and the owner, on Unix."""
    entry = entry.local(extra=extra(0x5455, b"\x03" + TIME * 2) + OWNER)
    return entry.central(extra=extra(0x5455, b"\x03" + TIME) + OWNER).but(made_by=MADE_BY)


def file(name: str, body: bytes = b"", mode: int = 0o100644) -> Entry:
    entry = deflated(name, body, mode) if len(body) > 20 else stored(name, body, mode).both(version=10)
    return times(entry).but(internal=1 if body else 0)


def folder(name: str) -> Entry:
    return times(directory(name).both(version=10))


def streamed(name: str, body: bytes = b"") -> Entry:
    """To a pipe: the size is known, checksum and compressed size are not. Empty files are stored."""
    entry = times(deflated(name, body) if body else stored(name).both(version=10)).both(flags=FLAG_DESCRIPTOR)
    return entry.local(crc=0, compressed=0).but(descriptor=descriptor(entry))


def forced(entry: Entry) -> Entry:
    """-fz: zip64 for every entry, in the directory for the size alone."""
    sizes = struct.pack("<QQ", entry.cdh.size, entry.cdh.compressed)
    local = entry.lfh.extra + extra(1, sizes)
    entry = entry.local(version=45, size=SENTINEL_32, compressed=SENTINEL_32, extra=local)
    version = 10 if entry.cdh.name.endswith(b"/") else 45
    return entry.central(version=version, size=SENTINEL_32, extra=entry.cdh.extra + extra(1, sizes[:8]))


TREE = (
    file("text", TEXT),
    file("none"),
    folder("folder/"),
    file("folder/run", SCRIPT, 0o100755),
    folder("folder/empty/"),
)


def cases() -> Group:
    group = Group("benign", "ok-infozip")
    group.accept("r", zip_of(*TREE), "zip -r")
    group.accept("x", zip_of(*(bare(entry) for entry in TREE)), "zip -rX: no extra fields")
    group.accept(
        "d", zip_of(*(entry for entry in TREE if not entry.cdh.name.endswith(b"/"))), "zip -rD: no directories"
    )
    group.accept(
        "pipe",
        zip_of(streamed("text", TEXT), streamed("none"), folder("folder/"), streamed("run", SCRIPT)),
        "zip -r - | cat",
    )
    group.accept("fz", zip_of(*map(forced, TREE), zip64=Zip64(sentinels=("offset",), made_by=798)), "zip -r -fz")
    link = times(symlink("folder/link", "../text").both(version=10))
    group.accept("y", zip_of(*TREE, link, times(symlink("to-folder", "folder").both(version=10))), "zip -ry: links")
    group.accept("z", zip_of(*TREE, comment=b"a comment\nof two lines"), "zip -rz: an archive comment")
    group.accept("c", zip_of(*(entry.but(comment=b"about " + entry.cdh.name) for entry in TREE)), "zip -rc: comments")
    for level, flags in ((1, 6), (2, 4), (9, 2)):
        group.accept(f"level-{level}", zip_of(*(at_level(entry, flags) for entry in TREE)), f"zip -r -{level}")
    group.accept("utf8", zip_of(file("é/日本.txt", TEXT)), "a build that sets flag bit 11")
    path = unicode_path("é.txt")
    both = file("é.txt", TEXT)
    group.accept(
        "unicode-path",
        zip_of(both.local(extra=both.lfh.extra + path).central(extra=both.cdh.extra + path)),
        "flag bit 11, and a Unicode Path field that says the same",
    )
    group.accept("old", zip_of(old("text", TEXT), old("run", SCRIPT)), "zip 2: UX and Ux fields for time and owner")
    group.accept("dos", zip_of(*(dos(entry) for entry in TREE)), "zip on MS-DOS and Windows: no modes")
    utf8_ascii = [entry.both(flags=FLAG_UTF8) for entry in TREE]
    group.accept("utf8-ascii", zip_of(*utf8_ascii), "-UN=UTF8: flag bit 11 on names in ASCII")
    return group


def bare(entry: Entry) -> Entry:
    return entry.both(extra=b"")


def at_level(entry: Entry, flags: int) -> Entry:
    return entry.both(flags=flags) if entry.cdh.method == 8 else entry


def old(name: str, body: bytes) -> Entry:
    stamps = TIME * 2
    local = extra(0x5855, stamps + struct.pack("<HH", 1000, 1000)) + extra(0x5455, b"\x07" + TIME * 3)
    entry = deflated(name, body).but(made_by=0x0317).local(extra=local + extra(0x7855, struct.pack("<HH", 1000, 1000)))
    return entry.central(extra=extra(0x5855, stamps) + extra(0x5455, b"\x07" + TIME) + extra(0x7855))


def dos(entry: Entry) -> Entry:
    is_folder = entry.cdh.name.endswith(b"/")
    return bare(entry).but(made_by=0x0B17, attributes=0x10 if is_folder else 0x20)
