"""B2: bytes in a name that readers drop, translate, or end the name at."""

from builder import DOS, FLAG_UTF8, stored, zip_of
from cases import Group, named

CONTROL = "name_control_character"

#: (label, character, code): what only Unicode can do to a name.
CHARACTERS = (
    ("c1", "\u0085", CONTROL),
    ("soft-hyphen", "\u00ad", CONTROL),
    ("zero-width-space", "\u200b", CONTROL),
    ("zero-width-joiner", "\u200d", CONTROL),
    ("left-to-right-mark", "\u200e", CONTROL),
    ("right-to-left-override", "\u202e", CONTROL),
    ("isolate", "\u2066", CONTROL),
    ("word-joiner", "\u2060", CONTROL),
    ("line-separator", "\u2028", CONTROL),
    ("paragraph-separator", "\u2029", CONTROL),
    ("byte-order-mark", "\ufeff", CONTROL),
    ("private-use", "\ue000", CONTROL),
    ("private-use-plane", "\U0010fffd", CONTROL),
    ("unassigned", "\u0378", CONTROL),
    ("noncharacter", "\uffff", CONTROL),
    ("tag", "\U000e0041", CONTROL),
    ("combining", "e\u0301", "name_not_nfc"),
    ("jamo", "\u1100\u1161", "name_not_nfc"),
    ("angstrom", "\u212b", "name_not_nfc"),
    ("kelvin", "\u212a", "name_not_nfc"),
    ("compatibility-ideograph", "\uf900", "name_not_nfc"),
    ("mark-order", "a\u0301\u0323", "name_not_nfc"),
)

#: (label, bytes): no UTF-8.
BYTES = (
    ("latin1", b"\xe9"),
    ("cp437", b"\x82"),
    ("continuation", b"\x80"),
    ("overlong-slash", b"\xc0\xaf"),
    ("overlong-nul", b"\xc0\x80"),
    ("overlong-dot", b"\xe0\x80\xae"),
    ("surrogate", b"\xed\xa0\x80"),
    ("surrogate-pair", b"\xed\xa0\xbd\xed\xb8\x80"),
    ("five-bytes", b"\xf8\x88\x80\x80\x80"),
    ("beyond-unicode", b"\xf4\x90\x80\x80"),
    ("cut-off", b"\xe2\x82"),
    ("ff", b"\xff"),
    ("shift-jis", b"\x83\x5c"),
)


def cases() -> Group:
    group = Group("B2")
    for value in [*range(32), 127]:
        group.refuse(f"control-{value:02x}", CONTROL, named(b"a" + bytes([value]) + b"b"), f"byte {value:#04x}")
    for label, host in (("dos", DOS), ("unix", 3)):
        for name, character in (("backslash", "\\"), ("colon", ":")):
            entry = stored(f"a{character}b", b"1").host(host).mode(0)
            group.refuse(f"{name}-{label}", "name_forbidden_character", zip_of(entry), f"host {label}")
    mixed = zip_of(stored("a\\b", b"1").host(DOS).mode(0), stored("a/b", b"2"))
    group.refuse("backslash-and-slash", "name_forbidden_character", mixed, "one path for readers of DOS names")
    for label, name in (
        ("version", "a.py;1"),
        ("version-empty", "a.py;"),
        ("version-twice", "a.py;1;2"),
        ("version-dot", "d/..;1"),
        ("version-folder", "d/a;42"),
    ):
        group.refuse(
            label, "name_forbidden_character", named(name), "Info-ZIP's unzip cuts off a version as VMS has it"
        )
    group.refuse(
        "version-collision", "name_forbidden_character", named("a.py;1", "a.py"), "one file for Info-ZIP's unzip"
    )
    group.refuse("stream", "name_forbidden_character", named("a.txt::$DATA"), "an NTFS stream")
    group.refuse("nul-cut", CONTROL, named("a.txt\0.exe"), "ends at the NUL for readers in C")
    group.refuse("nul-last", CONTROL, named("a.txt\0"), "a NUL at the end")
    group.refuse("newline-last", CONTROL, named("a.txt\n"), "a line break at the end")
    group.refuse("escape", CONTROL, named("a\x1b[2J"), "clears a terminal")
    for label, character, code in CHARACTERS:
        group.refuse(label, code, named(f"a{character}"), "U+" + " U+".join(f"{ord(c):04X}" for c in character))
    for label, name in BYTES:
        group.refuse(label, "name_not_utf8", zip_of(stored(b"a" + name).both(flags=FLAG_UTF8)), f"{name!r}, bit 11 set")
        group.refuse(f"{label}-no-flag", "name_not_utf8", named(b"a" + name), f"{name!r}, bit 11 clear")
    group.refuse(
        "utf8-no-flag",
        "name_flag_missing",
        named("é".encode()),
        "UTF-8 without bit 11: code page 437 for others, and what Info-ZIP's zip writes",
    )
    group.refuse(
        "utf8-flag-central",
        "cd_lfh_flags_mismatch",
        zip_of(stored("é").local(flags=0)),
        "bit 11 in the central record alone",
    )
    return group
