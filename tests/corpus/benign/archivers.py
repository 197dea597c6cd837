"""What 7-Zip, libarchive's bsdtar, macOS, Windows, git and libzip write, byte for byte."""

import struct

from builder import (
    DOS,
    FLAG_UTF8,
    SENTINEL_32,
    Entry,
    Zip64,
    deflated,
    descriptor,
    directory,
    extra,
    stored,
    streamed,
    symlink,
    zip_of,
)
from cases import OEM_NAMES, TEXT, Group

TIME = struct.pack("<I", 1735732800)
NTFS_TIMES = extra(0x000A, struct.pack("<IHHQQQ", 0, 1, 24, 133801488000000000, 0, 0))


def cases() -> Group:
    group = Group("benign", "ok")
    seven_zip(group)
    bsdtar(group)
    macos(group)
    windows(group)
    git(group)
    libzip(group)
    return group


def seven_zip(group: Group) -> None:
    def unix(entry: Entry, dos: int) -> Entry:
        version = 20 if entry.cdh.method == 8 or dos == 0x10 else 10
        return (
            entry.both(version=version)
            .central(extra=NTFS_TIMES)
            .but(made_by=0x033F, attributes=entry.attributes & 0xFFFF0000 | 0x8000 | dos)
        )

    tree = (
        unix(directory("folder/"), 0x10),
        unix(deflated("folder/text", TEXT), 0x20),
        unix(stored("none"), 0x20),
        unix(deflated("run", TEXT, 0o100755), 0x20),
        unix(stored("é.txt", b"1"), 0x20),
    )
    group.accept("7z", zip_of(*tree), "7z a -tzip on Unix: attribute bit 0x8000 beside the mode")
    group.accept("7z-link", zip_of(*tree, unix(symlink("link", "folder/text"), 0x20)), "a link")
    plain = [entry.but(made_by=0x003F, attributes=entry.attributes & 0x30) for entry in tree]
    group.accept("7z-windows", zip_of(*plain), "7z a -tzip on Windows: no modes", **OEM_NAMES)
    group.accept("7z-no-times", zip_of(*(entry.central(extra=b"") for entry in tree)), "-mtc=off")


def bsdtar(group: Group) -> None:
    times = extra(0x5455, b"\x07" + TIME * 3) + extra(0x7875, b"\x01\x04\0\0\0\0\x04\0\0\0\0")

    def member(entry: Entry) -> Entry:
        return entry.both(extra=times).but(attributes=entry.attributes & 0xFFFF0000)

    def body(name: str, content: bytes = b"") -> Entry:
        entry = member(streamed(name, content))
        return entry.local(size=entry.cdh.size)

    def wide(name: str, content: bytes = b"") -> Entry:
        """The size is known when the header is written, the compressed size is not."""
        entry = body(name, content).both(version=45).but(made_by=0x032D)
        sizes = struct.pack("<QQ", entry.cdh.size, 0)
        entry = entry.local(size=SENTINEL_32, compressed=SENTINEL_32, extra=times + extra(1, sizes))
        return entry.but(descriptor=descriptor(entry, wide=True))

    folder, link = member(directory("folder/")), member(symlink("folder/link", "../text"))
    group.accept(
        "bsdtar", zip_of(folder, body("folder/text", TEXT), body("none"), body("é.txt", b"1")), "bsdtar --format zip"
    )
    group.accept("bsdtar-link", zip_of(folder, body("text", TEXT), link), "a link")
    group.accept(
        "bsdtar-zip64",
        zip_of(folder, wide("folder/text", TEXT), wide("none"), zip64=Zip64(sentinels=())),
        "zip:zip64: zip64 end records that nothing refers to",
    )


def macos(group: Group) -> None:
    owner = extra(0x5855, TIME * 2 + struct.pack("<HH", 501, 20))

    def member(entry: Entry) -> Entry:
        entry = entry.local(extra=owner).central(extra=extra(0x5855, TIME * 2 + struct.pack("<HH", 501, 20)))
        return entry.but(made_by=0x0315, attributes=entry.attributes & 0xFFFF0000 | 0x4000)

    folder = member(directory("Project/").both(version=10))
    fork = member(streamed("__MACOSX/Project/._main.py", b"\0\x05\x16\x07" + bytes(60)))
    group.accept(
        "macos",
        zip_of(
            folder, member(streamed("Project/main.py", TEXT)), fork, member(stored("Project/none").both(version=10))
        ),
        "Archive Utility and ditto",
    )


def windows(group: Group) -> None:
    def member(entry: Entry, attributes: int = 0x20) -> Entry:
        return entry.host(DOS).but(attributes=attributes)

    tree = (member(deflated("folder/text.txt", TEXT)), member(stored("none.txt").both(version=10)))
    group.accept("explorer", zip_of(*tree), "Windows Explorer")
    group.accept("explorer-folders", zip_of(member(directory("folder/"), 0x10), *tree), "with directories")
    group.accept(
        "read-only", zip_of(*(entry.but(attributes=0x21) for entry in tree)), "read-only, hidden and system files"
    )
    net = [entry.both(flags=FLAG_UTF8).but(attributes=0) for entry in tree]
    group.accept("dotnet", zip_of(*net), "System.IO.Compression on Windows: no attributes")
    unix = [entry.mode(0o100644).but(made_by=0x0314) for entry in tree]
    group.accept("dotnet-unix", zip_of(*unix), "System.IO.Compression on Linux")
    stream = member(streamed("folder/text.txt", TEXT)).but(attributes=0)
    group.accept("dotnet-stream", zip_of(stream), "System.IO.Compression to a stream")
    for host, label in ((10, "ntfs"), (11, "ntfs-infozip"), (14, "vfat")):
        group.accept(f"host-{label}", zip_of(*(entry.host(host) for entry in tree)), f"made on system {host}")


def git(group: Group) -> None:
    time = extra(0x5455, b"\x01" + TIME)

    def member(entry: Entry, made_by: int = 0, attributes: int = 0) -> Entry:
        return entry.both(version=10, extra=time).but(made_by=made_by, attributes=attributes)

    run = member(deflated("repo-1.0/run", TEXT), 0x0317, 0o100755 << 16)
    link = member(symlink("repo-1.0/link", "run"), 0x0317, 0o120777 << 16)
    tree = (member(directory("repo-1.0/"), 0, 0x10), member(deflated("repo-1.0/README", TEXT)), run, link)
    group.accept("git", zip_of(*tree, comment=b"0123456789abcdef0123456789abcdef01234567"), "git archive")
    big = streamed("repo-1.0/big", TEXT * 50)
    group.accept("git-stream", zip_of(member(big).but(descriptor=big.descriptor)), "git archive of a large file")


def libzip(group: Group) -> None:
    tree = (deflated("a.php", TEXT).mode(0o100666), stored("d/").mode(0o040777, 0x10), stored("b", b"1").mode(0o100666))
    group.accept("libzip", zip_of(*(entry.but(made_by=0x033F) for entry in tree)), "libzip and PHP's ZipArchive")
    known = [entry.both(flags=entry.cdh.flags | FLAG_UTF8) for entry in tree]
    group.accept("libzip-utf8", zip_of(*known), "with ZIP_FL_ENC_UTF_8")
