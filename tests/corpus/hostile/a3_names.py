"""A3: two sources of a name: the headers, and Info-ZIP's Unicode Path extra field."""

from builder import FLAG_UTF8, extra, stored, unicode_path, zip_of
from cases import Group, first


def cases() -> Group:
    group = Group("A3")
    headers(group)
    lengths(group)
    unicode_paths(group)
    return group


def headers(group: Group) -> None:
    good = stored("good.py", b"1234")
    for label, name in (
        ("other", b"evil.py"),
        ("longer", b"good.pyc"),
        ("shorter", b"good"),
        ("case", b"GOOD.py"),
        ("slash", b"good.py/"),
        ("nul", b"good.py\0.txt"),
        ("absolute", b"/good.py"),
        ("dot", b"./good.py"),
        ("traversal", b"../../good.py"),
        ("not-utf8", b"good.p\xff"),
        ("empty", b""),
    ):
        group.refuse(
            f"local-{label}",
            "cd_lfh_name_mismatch",
            zip_of(good.local(name=name), stored("z", b"1")),
            f"{name!r} in the local header, good.py in the directory",
        )
    accented = stored("é.py", b"1234")
    group.refuse(
        "local-nfd",
        "cd_lfh_name_mismatch",
        zip_of(accented.local(name="e\u0301.py".encode())),
        "the same text in form D in the local header",
    )
    swapped = (stored("a", b"1234").local(name=b"b"), stored("b", b"1234").local(name=b"a"))
    group.refuse("swapped", "cd_lfh_name_mismatch", zip_of(*swapped), "the two names swapped: the sets are equal")


def lengths(group: Group) -> None:
    long = first(lambda e: e.local(name_size=len(e.lfh.name) + 2))
    group.refuse("local-name-length", "cd_lfh_name_mismatch", long, "the name runs into the data (Android bug 9950697)")
    group.refuse(
        "local-name-length-past-end",
        "local_header_missing",
        first(lambda e: e.local(name_size=0xFFFF)),
        "the name runs past the end of the entries",
    )
    group.refuse(
        "local-extra-length-past-end",
        "local_header_missing",
        first(lambda e: e.local(extra_size=0xFFFF)),
        "the extra field runs past the end of the entries",
    )
    negative = first(lambda e: e.local(extra=extra(0x9999, bytes(0xFFF0 - 4))))
    group.refuse(
        "local-extra-length-signed",
        "extra_too_long",
        negative,
        "negative for readers with signed 16-bit lengths (CVE-2013-6792)",
    )


def unicode_paths(group: Group) -> None:
    code = "unicode_path_mismatch"

    def path(label: str, field: bytes, note: str, code: str = code, **flags) -> None:
        entry = stored("good.py", b"1234").both(**flags)
        group.refuse(f"7075-{label}", code, zip_of(entry.both(extra=field)), note)
        if code == "unicode_path_mismatch":
            group.refuse(f"7075-{label}-local", code, zip_of(entry.local(extra=field)), f"{note}; local header alone")
            group.refuse(
                f"7075-{label}-central", code, zip_of(entry.central(extra=field)), f"{note}; central record alone"
            )

    other, same = unicode_path("evil.py", "good.py"), unicode_path("good.py")
    path("other", other, "another name under the right checksum")
    path("version-0", unicode_path("good.py", version=0), "version 0")
    path("version-2", unicode_path("evil.py", "good.py", version=2), "version 2 with another name")
    path("checksum", unicode_path("good.py", "evil.py"), "the checksum of another name")
    path("own-checksum", unicode_path("evil.py"), "another name under its own checksum")
    path("empty", extra(0x7075), "no content")
    path("short", extra(0x7075, b"\x01\0\0"), "cut off in the checksum")
    path("no-name", unicode_path("", "good.py"), "no name")
    path("case", unicode_path("Good.py", "good.py"), "the name in other case")
    path("nul", unicode_path("good.py\0", "good.py"), "a NUL behind the name")
    path("twice", same + other, "two of them, the last names another file", "duplicate_extra")
    path("twice-first", other + same, "two of them, the first names another file", "duplicate_extra")
    path(
        "twice-checksum",
        other + unicode_path("z.py", "evil.py"),
        "the second has the first's checksum",
        "duplicate_extra",
    )
    path("utf8-flag", other, "with flag bit 11", flags=FLAG_UTF8)
    apart = stored("good.py", b"1234").local(extra=other).central(extra=unicode_path("z.py", "good.py"))
    group.refuse("7075-apart", code, zip_of(apart), "two names, one a header")
    raw = stored(b"good\xe9.py", b"1234").both(extra=unicode_path("goodé.py", b"good\xe9.py"))
    group.refuse("7075-legacy", "name_not_utf8", zip_of(raw), "a Latin-1 name, the UTF-8 one in the extra field")
