"""What the rules allow, to the last byte: each limit reached, each free choice taken."""

import struct

from builder import (
    SENTINEL_32,
    Entry,
    Zip64,
    deflated,
    directory,
    extra,
    stored,
    streamed,
    streamed_zip64,
    symlink,
    unicode_path,
    zip_of,
)
from cases import TEXT, UNTYPED_MODES, Group, ab, first, named, second
from deflate import Bits, deflate, forge, stored_block, stored_blocks, zeros

#: Every printable sign of ASCII but slash, backslash, colon and dot.
SYMBOLS = "!#$%&'()+,-;=@[]^_`{}~ \"*<>?|"


#: libarchive looks for the end record and the locator before it in the last 16 KiB.
COMMENT_MAX = 16384 - 22 - 20


def cases() -> Group:
    group = Group("benign", "ok")
    names(group)
    modes(group)
    links(group)
    comments(group)
    extras(group)
    zip64(group)
    bodies(group)
    limits(group)
    return group


def names(group: Group) -> None:
    inside = [f"a{symbol}b" for symbol in SYMBOLS]
    group.accept("name-symbols", named(*inside, *(f"{symbol}x" for symbol in SYMBOLS if symbol != " ")), "every sign")
    group.accept("name-dots", named(".env", "..a", "a..b", "a.b.c", "...a", ".a/.b"), "dots that are no dot components")
    group.accept(
        "name-semicolons", named("a;b", "a;1x", ";1/a", "a;1/", "é;²"), "semicolons that are no version of VMS"
    )
    group.accept("name-spaces", named(" a", "a b", "a  b/ c"), "spaces that are not last")
    scripts = ("é", "ß", "Ω", "я", "א", "ا", "ह", "ไ", "한", "日本", "ǅ", "①", "😀", "𠀀", "\u0300x")
    group.accept("name-scripts", named(*scripts), "letters of many scripts in form C")
    group.accept(
        "name-lookalikes",
        named("a\u2215b", "a\uff0fb", "a\u2044b", "a\uff3cb", "a\uff1ab"),
        "characters that look like slash, backslash and colon",
    )
    group.accept("name-percent", named("%2e%2e", "%2F", "%00", "#U00e9"), "escapes of other formats")
    group.accept(
        "name-options", named("-", "-rf", "--help", "~", "~root"), "names that a shell reads as something else"
    )
    group.accept(
        "name-no-device",
        named("console", "com10", "COM", "lpt0", "nul_", "a.nul", "auxiliary.txt", "con-1"),
        "almost devices of Windows",
    )
    group.accept("name-long", named("x/" * 511 + "ab"), "1,024 bytes")
    group.accept("name-component", named("x" * 255, "d/" + "é" * 127 + "x"), "255 bytes in a component")
    group.accept(
        "name-siblings", named("a.b", "a-b", "a/c", "a/b/d", "ab", "a0/x"), "names around a folder in every order"
    )
    group.accept("name-folders-case", named("Lib/a", "lib/b"), "folders that nothing lists, in two cases")
    group.accept("name-signature", named("META-INF/countersign.p7", "META-INF/CERT.RSA"), "almost the signature's name")


def modes(group: Group) -> None:
    files = (0, 0o400, 0o444, 0o600, 0o640, 0o644, 0o664, 0o700, 0o755, 0o775, 0o777)
    group.accept("mode-files", zip_of(*(stored(f"{mode:03o}", b"1", 0o100000 | mode) for mode in files)), "of files")
    folders = [directory(f"{mode:03o}/", 0o040000 | mode) for mode in files if mode & 0o700 == 0o700]
    group.accept("mode-directories", zip_of(*folders), "of directories")
    group.accept(
        "mode-untyped",
        zip_of(stored("a", b"1", 0o644), stored("b", b"1", 0o755), stored("d/").mode(0o755, 0x10)),
        "without a type: the slash decides",
        **UNTYPED_MODES,
    )
    group.accept(
        "mode-none",
        zip_of(stored("a", b"1").host(0).mode(0), stored("d/").host(0).mode(0)),
        "none recorded; a directory by its slash alone",
    )
    group.accept(
        "mode-dos-bits",
        zip_of(stored("a", b"1").mode(0o100644, 0x20), directory("d/").mode(0o040755, 0x30)),
        "archive bits beside the mode",
    )
    group.accept("time-zero", zip_of(*(entry.both(time=0, date=0) for entry in ab().entries)), "no time at all")
    group.accept("time-last", zip_of(*(entry.both(time=0xBF7D, date=0xFF9F) for entry in ab().entries)), "2107-12-31")
    group.accept(
        "versions",
        zip_of(
            stored("a").both(version=10),
            stored("b").both(version=11),
            stored("c").both(version=45),
            stored("d").local(version=10),
        ),
        "every version needed",
    )
    group.accept(
        "flags",
        zip_of(
            deflated("a", TEXT).both(flags=2),
            deflated("b", TEXT).both(flags=4),
            deflated("c", TEXT).both(flags=0x806),
            stored("d").both(flags=6),
        ),
        "bits 1, 2 and 11",
    )


def links(group: Group) -> None:
    targets = (
        ("a", "f"),
        ("d/b", "../f"),
        ("d/c", "./e"),
        ("d/e", ".././f"),
        ("g", "missing"),
        ("h", "d/"),
        ("d/x/i", "../../f"),
        ("j", "."),
        ("é", "日本"),
    )
    group.accept(
        "links",
        zip_of(stored("f", b"1"), *(symlink(name, target) for name, target in targets)),
        "to files, folders, nothing, and as far up as the package goes",
    )
    group.accept("link-long", zip_of(symlink("l", "x/" * 2047 + "y")), "4,095 bytes")
    group.accept("link-utf8", zip_of(symlink("l", "größe")), "a target beyond ASCII")


def comments(group: Group) -> None:
    group.accept("comment-long", ab(comment=b"x" * COMMENT_MAX), "as long as libarchive searches")
    group.accept("comment-long-zip64", ab(comment=b"x" * COMMENT_MAX, zip64=Zip64()), "the same with a locator")
    usual = {"bsdtar": "finds no end record, and takes 0664 for the mode: with a usual umask 0644, as the others"}
    longest = ab(comment=b"x" * 0xFFFF)
    group.accept("comment-longest", longest, "local headers say the same where modes are usual", **usual)
    group.accept("comment-almost", ab(comment=b"PK\x05 P K\5\6 pk\5\6 PK\4\5 K\5\6"), "almost a record")
    group.accept("comment-p", ab(comment=b"ends in P"), "the first byte of a record at the end")
    group.accept("comment-binary", ab(comment=bytes(range(256))), "every byte")
    group.accept("entry-comments", zip_of(*(entry.but(comment=b"x" * 1000) for entry in ab().entries)), "of entries")
    group.accept("entry-comment-utf8", first(lambda e: e.but(comment="größe".encode())), "beyond ASCII")


def extras(group: Group) -> None:
    fields = extra(0x5455, b"\x01\0\0\0\0") + extra(0x7875, b"\1\0\0") + extra(0xCAFE) + extra(0x9999, bytes(9))
    group.accept("extras", first(lambda e: e.both(extra=fields)), "four kinds, one of them unknown")
    group.accept(
        "extras-apart",
        second(lambda e: e.local(extra=fields).central(extra=extra(0x000A, bytes(32)))),
        "other ones in each header",
    )
    group.accept("extra-longest", first(lambda e: e.both(extra=extra(0x9999, bytes(8188)))), "8,192 bytes")
    group.accept(
        "extra-zero", second(lambda e: e.local(extra=bytes(4))), "four zeros, as zipalign pads: field 0, empty"
    )
    magic = extra(0x9999, b"PK\x03\x04PK\x01\x02PK\x05\x06PK\x07\x08")
    group.accept("extra-magic", second(lambda e: e.both(extra=magic)), "records inside a field")
    path = unicode_path("a")
    group.accept("unicode-path", first(lambda e: e.both(extra=path)), "the same name")
    group.accept("unicode-path-central", first(lambda e: e.central(extra=path)), "the same name, in one header")
    comment = extra(0x6375, b"\x01" + bytes(4) + b"text")
    group.accept("unicode-comment", first(lambda e: e.central(extra=comment)), "a Unicode Comment field")


def zip64(group: Group) -> None:
    group.accept("zip64-ends", ab(zip64=Zip64()), "all four sentinels")
    group.accept("zip64-ends-unused", ab(zip64=Zip64(sentinels=())), "no sentinel")
    for label, fields in (("counts", ("disk_count", "count")), ("size", ("size",)), ("offset", ("offset",))):
        group.accept(f"zip64-{label}", ab(zip64=Zip64(sentinels=fields)), f"sentinels for {label} alone")
    group.accept("zip64-comment", ab(zip64=Zip64(), comment=b"a comment"), "with a comment")
    group.accept("zip64-all", zip_of(*map(wide, ab().entries), zip64=Zip64()), "every field of every record")
    group.accept(
        "zip64-streamed",
        zip_of(streamed_zip64("a", TEXT), streamed("b", TEXT), zip64=Zip64()),
        "wide and narrow descriptors",
    )
    known = streamed_zip64("a", TEXT)
    sizes = struct.pack("<QQ", known.cdh.size, known.cdh.compressed)
    group.accept(
        "zip64-streamed-known",
        zip_of(known.local(crc=known.cdh.crc, extra=extra(1, sizes))),
        "sizes and checksum in the local header as well",
    )
    many = named(*(f"{n // 256:02x}/{n % 256:02x}" for n in range(65536)))
    group.accept("zip64-entries", many.but(zip64=Zip64(sentinels=("disk_count", "count"))), "65,536 entries")


def wide(entry: Entry) -> Entry:
    """Zip64 for both sizes and the offset, in its place in the order."""
    sizes = struct.pack("<QQ", entry.cdh.size, entry.cdh.compressed)
    entry = entry.both(version=45, size=SENTINEL_32, compressed=SENTINEL_32).local(extra=extra(1, sizes))
    offset = 0 if entry.cdh.name == b"a" else len(ab().entries[0].local_bytes()) + 20
    return entry.central(extra=extra(1, sizes + struct.pack("<Q", offset))).but(offset=SENTINEL_32)


def bodies(group: Group) -> None:
    group.accept(
        "body-empty",
        zip_of(stored("a"), deflated("b"), deflated("c").payload(stored_block(b"")), streamed("d")),
        "four ways to hold nothing",
    )
    dynamic = zeros(1 + 1032 * 4)
    group.accept("body-dynamic", zip_of(deflated("a", bytes(4129)).payload(dynamic)), "a block with its own codes")
    blocks = [
        deflated("a", TEXT * 9).payload(stored_blocks(TEXT * 9, 50)),
        deflated("b", TEXT).payload(stored_block(TEXT)),
    ]
    group.accept("body-stored-blocks", zip_of(*blocks), "blocks without compression")
    sync = stored_block(b"", final=False)
    flushed = deflated("a", TEXT).payload(
        stored_block(TEXT[:9], False) + sync * 3 + stored_block(TEXT[9:], False) + deflate(b"")
    )
    group.accept("body-flushed", zip_of(flushed), "flushed between, ended by an empty block")
    group.accept("body-stall-limit", zip_of(deflated("a", b"1234").payload(stalled(1028))), "1,028 bytes for four")
    group.accept(
        "body-directory",
        zip_of(deflated("d/").mode(0o040755, 0x10), streamed("e/").mode(0o040755, 0x10)),
        "directories that are deflated, with and without a descriptor",
    )
    group.accept("body-zip", zip_of(stored("inner.zip", ab().build()), deflated("inner", ab().build())), "zips inside")
    inner = stored("evil.py", b"1").local_bytes()
    group.accept(
        "body-records",
        zip_of(stored("a", inner + b"PK\x05\x06" + bytes(18)), stored("b", b"PK\x07\x08" * 4)),
        "records inside a body of known length",
    )
    group.accept(
        "body-crc-descriptor",
        zip_of(stored("a", forge(b"any body ", 0x08074B50))),
        "the checksum is a descriptor's signature, and there is none",
    )
    group.accept(
        "body-large", zip_of(stored("a", bytes(range(256)) * 2000), deflated("b", bytes(1 + 258 * 4000))), "large"
    )
    group.accept("one-entry", zip_of(stored("a")), "one empty file")
    group.accept("one-directory", zip_of(directory("d/")), "one directory")


def stalled(size: int) -> bytes:
    """The body 1234 in exactly `size` bytes: empty blocks of five and of six bytes before it."""
    five, last = stored_block(b"", final=False), stored_block(b"1234")
    six = Bits().number(0, 1).number(1, 2).fixed(256).number(0, 3).bytes(b"\0\0\xff\xff").build()
    sixes = (size - len(last)) % 5
    fives = (size - len(last) - 6 * sixes) // 5
    return six * sixes + five * fives + last


def limits(group: Group) -> None:
    """Each limit reached, none exceeded."""
    group.accept("limit-entries", named(*map(str, range(10))), "ten entries", {"entries_max": 10})
    group.accept("limit-name", named("abc", "d/e"), "three bytes", {"name_size_max": 3})
    group.accept("limit-component", named("ab/cd"), "two bytes", {"component_size_max": 2})
    group.accept("limit-directory", named("a", "bc"), "95 bytes", {"central_directory_size_max": 95})
    group.accept(
        "limit-extra", first(lambda e: e.both(extra=extra(0x9999, bytes(12)))), "16 bytes", {"extra_size_max": 16}
    )
    group.accept("limit-comment", ab(comment=b"12345"), "five bytes", {"comment_size_max": 5})
    group.accept("limit-unpacked", ab(), f"{4 + len(TEXT)} bytes", {"unpacked_size_max": 4 + len(TEXT)})
    group.accept("limit-target", zip_of(symlink("l", "abcd")), "four bytes", {"symlink_target_size_max": 4})
