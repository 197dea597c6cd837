"""What the packers of Java, Go, JavaScript and Rust write, byte for byte."""

import struct

from builder import (
    DOS,
    FLAG_DESCRIPTOR,
    FLAG_UTF8,
    SENTINEL_32,
    Entry,
    deflated,
    descriptor,
    directory,
    extra,
    stored,
    streamed,
    symlink,
    unicode_path,
    zip_of,
)
from cases import OEM_NAMES, TEXT, Group
from deflate import stored_block

MANIFEST = b"Manifest-Version: 1.0\r\nCreated-By: 17.0.15 (Debian)\r\n\r\n"
TIME = struct.pack("<I", 1735732800)


def cases() -> Group:
    group = Group("benign", "ok")
    jars(group)
    jar_builders(group)
    go(group)
    javascript(group)
    rust(group)
    return group


def java(entry: Entry) -> Entry:
    """java.util.zip: no modes, every name is UTF-8; directories and stored files say 10 of MS-DOS."""
    made_by = 0x0014 if entry.cdh.method == 8 else 0x000A
    return entry.both(version=made_by, flags=entry.cdh.flags | FLAG_UTF8).but(made_by=made_by, attributes=0)


def meta_inf(name: str = "META-INF/") -> Entry:
    """jar's first entry: an empty deflated body with a descriptor, and the mark of an executable jar."""
    return java(streamed(name)).both(extra=extra(0xCAFE))


def jars(group: Group) -> None:
    classes = java(streamed("com/example/Main.class", bytes(range(256)) * 4))
    manifest = java(streamed("META-INF/MANIFEST.MF", MANIFEST))
    group.accept(
        "jar", zip_of(meta_inf(), manifest, java(directory("com/")), classes, java(stored("com/none"))), "jar cf"
    )
    plain = [java(stored(name, body)) for name, body in (("META-INF/MANIFEST.MF", MANIFEST), ("com/A.class", TEXT))]
    group.accept("jar-0", zip_of(java(stored("META-INF/")).both(extra=extra(0xCAFE)), *plain), "jar c0f: stored")
    group.accept(
        "jar-utf8",
        zip_of(meta_inf(), manifest, java(streamed("com/example/Größe.class", TEXT))),
        "a class beyond ASCII",
        **OEM_NAMES,
    )
    group.accept("jar-m", zip_of(classes), "jar cfM: no manifest")
    signed = [java(streamed(f"META-INF/{name}", TEXT)) for name in ("MANIFEST.MF", "SIGNER.SF", "SIGNER.RSA")]
    group.accept("jar-signed", zip_of(*signed, classes), "jarsigner's files: none of them is a signature of ours")


def jar_builders(group: Group) -> None:
    def maven(entry: Entry) -> Entry:
        return entry.both(flags=entry.cdh.flags | FLAG_UTF8).but(made_by=0x0314)

    group.accept(
        "maven",
        zip_of(
            maven(directory("META-INF/").both(version=10)),
            maven(streamed("META-INF/MANIFEST.MF", MANIFEST)),
            maven(streamed("com/Main.class", TEXT)),
        ),
        "Maven's archiver",
    )
    early = [entry.both(time=0, date=0x41) for entry in (deflated("META-INF/MANIFEST.MF", MANIFEST), stored("a"))]
    group.accept("gradle", zip_of(*early), "Gradle: 1980-02-01")
    inner = zip_of(meta_inf(), java(streamed("com/Inner.class", TEXT))).build()
    boot = zip_of(
        java(directory("BOOT-INF/")),
        java(directory("BOOT-INF/lib/")),
        java(stored("BOOT-INF/lib/inner.jar", inner)),
        java(streamed("com/Main.class", TEXT)),
    )
    group.accept("spring-boot", boot, "a jar inside, stored: its records are data here")
    group.accept(
        "nested-last", zip_of(stored("first", b"1"), stored("inner.zip", inner)), "an archive stored as last entry"
    )
    aligned = stored("lib/native.so", bytes(64)).local(extra=extra(0xD935, struct.pack("<H", 4) + bytes(3)))
    group.accept("android", zip_of(aligned, deflated("classes.dex", TEXT)), "aligned with field 0xD935")
    zipfs = [deflated("com/Main.class", TEXT, 0o100640), directory("com/x/").mode(0o040750)]
    group.accept("zipfs", zip_of(*(entry.but(made_by=0x0314) for entry in zipfs)), "Java's zip file system with modes")


def go(group: Group) -> None:
    """archive/zip closes empty streams with a stored block."""
    stamp = extra(0x5455, b"\x01" + TIME)

    def member(name: str, body: bytes = b"", mode: int | None = None) -> Entry:
        entry = streamed(name, body)
        if not body:
            entry = entry.central(compressed=5).but(data=stored_block(b""))
            entry = entry.but(descriptor=descriptor(entry))
        entry = entry.both(extra=stamp)
        return entry.host(DOS).mode(0) if mode is None else entry.mode(mode)

    folder = stored("dir/").both(extra=stamp).mode(0o040755, 0x10)
    group.accept("go", zip_of(member("main", TEXT), member("dir/empty"), member("é", b"1")), "archive/zip's Create")
    group.accept(
        "go-modes",
        zip_of(member("bootstrap", TEXT, 0o100755), folder, member("dir/a", TEXT, 0o100644)),
        "archive/zip with FileInfoHeader, as Terraform's archive_file",
    )
    raw = [deflated("a", TEXT).both(extra=stamp), stored("b", b"1").both(extra=stamp)]
    group.accept("go-raw", zip_of(*raw), "archive/zip's CreateRaw: no descriptor")


def javascript(group: Group) -> None:
    def archiver(entry: Entry) -> Entry:
        return entry.but(made_by=0x032D, attributes=entry.attributes & 0xFFFF0000 | 0x20)

    tree = (
        archiver(streamed("index.js", TEXT)),
        archiver(streamed("node_modules/a/package.json", b"{}")),
        directory("node_modules/b/").but(made_by=0x032D),
    )
    group.accept("archiver", zip_of(*tree), "archiver, as the Serverless Framework uses it")
    link = symlink("node_modules/.bin/a", "../a/cli.js").but(made_by=0x032D)
    group.accept("archiver-link", zip_of(*tree, link), "with a link, as npm makes them")
    yazl = [
        entry.both(flags=entry.cdh.flags | FLAG_UTF8).but(made_by=0x033F)
        for entry in (streamed("index.js", TEXT), stored("data.bin", b"1234"), deflated("lib/b.js", TEXT))
    ]
    group.accept("yazl", zip_of(*yazl), "yazl: flag bit 11 always")
    path = unicode_path("é.js")
    group.accept(
        "jszip",
        zip_of(
            deflated("index.js", TEXT).both(version=10).but(made_by=0x0014, attributes=0),
            deflated("é.js", TEXT).both(extra=path).but(made_by=0x0014, attributes=0),
        ),
        "JSZip: a Unicode Path field beside flag bit 11",
    )
    group.accept("adm-zip", zip_of(deflated("a.js", TEXT).both(flags=FLAG_UTF8).but(made_by=0x030A)), "adm-zip")
    fflate = stored("b.js", b"1").both(version=20).but(made_by=0x0014, attributes=0)
    group.accept("fflate", zip_of(deflated("a.js", TEXT).but(made_by=0x0014, attributes=0), fflate), "fflate")


def rust(group: Group) -> None:
    entry = deflated("bootstrap", TEXT, 0o100755).but(made_by=0x032E)
    group.accept("rust", zip_of(entry, directory("d/").but(made_by=0x032E)), "the zip crate, as cargo-lambda uses it")
    sizes = struct.pack("<QQ", entry.cdh.size, entry.cdh.compressed)
    large = entry.both(version=45, size=SENTINEL_32, compressed=SENTINEL_32, extra=extra(1, sizes))
    group.accept("rust-large", zip_of(large), "large_file: zip64 in both headers")
    stream = streamed("a", TEXT).both(flags=FLAG_DESCRIPTOR).but(made_by=0x032E)
    group.accept("rust-stream", zip_of(stream), "to a stream")
