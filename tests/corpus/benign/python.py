"""What Python's zipfile and the tools built on it write, byte for byte."""

from builder import (
    FLAG_DESCRIPTOR,
    SENTINEL_32,
    deflated,
    descriptor,
    directory,
    extra,
    stored,
    streamed,
    streamed_zip64,
    zip_of,
)
from cases import NARROW_DESCRIPTORS, TEXT, UNTYPED_MODES, Group


def cases() -> Group:
    group = Group("benign", "ok-python")
    tree = (directory("pkg/"), deflated("pkg/__init__.py"), deflated("pkg/main.py", TEXT), directory("pkg/empty/"))
    group.accept("m", zip_of(*tree), "python3 -m zipfile -c, shutil.make_archive")
    group.accept("stored", zip_of(stored("a.py", TEXT), stored("b.py")), "ZipFile.write without compression")
    group.accept(
        "writestr",
        zip_of(deflated("a", TEXT, 0o600), stored("b", b"1", 0o600)),
        "writestr: mode 0600 without a type",
        **UNTYPED_MODES,
    )
    folder = stored("d/").mode(0o040775, 0x10)
    group.accept(
        "writestr-directory",
        zip_of(folder, deflated("d/a", TEXT, 0o600)),
        "writestr and mkdir of a directory",
        **UNTYPED_MODES,
    )
    group.accept("utf8", zip_of(deflated("é/日本語/😀.txt", TEXT)), "names beyond ASCII")
    group.accept("pipe", zip_of(stream("a", TEXT), stream("empty")), "to a pipe")
    group.accept(
        "pipe-zip64",
        zip_of(streamed_zip64("a", TEXT), streamed_zip64("empty")),
        "to a pipe with force_zip64: a wide descriptor, no zip64 in the directory",
    )
    group.accept(
        "pipe-zip64-empty",
        zip_of(streamed_zip64("empty"), streamed_zip64("a", TEXT)),
        "the same, an empty file first",
        **NARROW_DESCRIPTORS,
    )
    group.accept("force-zip64", zip_of(zip64("a", TEXT), zip64("b", b"1")), "force_zip64 into a file")
    group.accept("comment", zip_of(*tree, comment=b"made by hand"), "an archive comment")
    entries = [entry.but(comment="über".encode()) for entry in tree]
    group.accept("entry-comments", zip_of(*entries), "comments of entries, beyond ASCII")
    group.accept("epoch", zip_of(*(entry.both(time=0, date=0x21) for entry in tree)), "1980-01-01: reproducible builds")
    wheels(group)
    return group


def stream(name: str, body: bytes = b""):
    """In this mode 3.11 and later write sizes of zero into the local header."""
    return streamed(name, body).but(made_by=0x0314)


def zip64(name: str, body: bytes):
    entry = deflated(name, body).both(version=45).but(made_by=0x032D)
    sizes = entry.cdh.size.to_bytes(8, "little") + entry.cdh.compressed.to_bytes(8, "little")
    return entry.local(size=SENTINEL_32, compressed=SENTINEL_32, extra=extra(1, sizes))


def wheels(group: Group) -> None:
    info = "pkg-1.0.dist-info/"
    names = ("pkg/__init__.py", "pkg/core.py", f"{info}METADATA", f"{info}WHEEL", f"{info}RECORD")
    for label, mode, note in (
        ("setuptools", 0o100664, "bdist_wheel"),
        ("flit", 0o100644, "flit"),
        ("poetry", 0o100600, "modes of the builder's umask"),
    ):
        group.accept(f"wheel-{label}", zip_of(*(deflated(name, name.encode() * 20, mode) for name in names)), note)
    native = deflated("pkg/_native.abi3.so", bytes(2000), 0o100755).but(made_by=0x032E)
    group.accept(
        "wheel-maturin",
        zip_of(native, *(deflated(name, TEXT).but(made_by=0x032E) for name in names)),
        "maturin, which uses the zip crate",
    )
    known = stored("pkg/data").both(flags=FLAG_DESCRIPTOR)
    group.accept(
        "empty-streamed-stored",
        zip_of(known.but(descriptor=descriptor(known))),
        "an empty stored body with a descriptor",
    )
