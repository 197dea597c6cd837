"""Rule 4: extra fields are whole blocks, each kind once, and short. Zip64 is in A2 and C5."""

from builder import extra
from cases import Group, second

MALFORMED, TWICE, LONG = "extra_malformed", "duplicate_extra", "extra_too_long"


def cases() -> Group:
    group = Group("rule-4", "r4")
    times = extra(0x5455, b"\x01\0\0\0\0")
    malformed(group, times)
    for label, fields in (
        ("adjacent", times + times),
        ("apart", times + extra(0x7875, b"\1\0\0") + times),
        ("empty", extra(0xCAFE) * 2),
        ("unknown", extra(0x9999, b"1") + extra(0x9999, b"2")),
        ("owner", extra(0x7875, b"\1\0\0") * 2),
        ("ntfs", extra(0x000A, bytes(32)) * 2),
    ):
        on_each_side(group, f"twice-{label}", TWICE, fields, "one kind twice")
    on_each_side(group, "long", LONG, extra(0x9999, bytes(8189)), "8,193 bytes")
    on_each_side(group, "longest", LONG, extra(0x9999, bytes(65531)), "65,535 bytes")
    many = b"".join(extra(0x9000 + n, bytes(4)) for n in range(1025))
    on_each_side(group, "many", LONG, many, "1,025 fields of eight bytes")
    on_each_side(group, "limit", LONG, extra(0x9999, bytes(13)), "17 bytes, the limit is 16", {"extra_size_max": 16})
    return group


def malformed(group: Group, times: bytes) -> None:
    for label, fields, note in (
        ("one-byte", b"\0", "one byte, as zipalign pads"),
        ("two-bytes", bytes(2), "two bytes, as zipalign pads"),
        ("three-bytes", bytes(3), "three bytes, as zipalign pads"),
        ("tail", times + b"\0", "a byte behind the last field"),
        ("past-end", extra(0x5455, bytes(5), size=6), "a field runs past the end by a byte"),
        ("far-past-end", extra(0x5455, b"", size=0xFFFF), "a field runs past the end"),
        ("swallows", extra(0x9999, b"", size=len(times)) + times[:-1], "the last of two runs past the end"),
    ):
        on_each_side(group, label, MALFORMED, fields, note)
    on_each_side(group, "padding", TWICE, bytes(8), "eight zeros, as zipalign pads: field 0 twice")


def on_each_side(group, label, code, fields, note, limits=None) -> None:
    group.refuse(f"{label}-local", code, second(lambda e: e.local(extra=fields)), f"{note}; local header", limits)
    group.refuse(f"{label}-central", code, second(lambda e: e.central(extra=fields)), f"{note}; central record", limits)
