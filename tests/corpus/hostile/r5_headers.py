"""Rule 5: the two headers of an entry say the same. Names, methods and sizes are in A1 to A3, descriptors in A2, C1."""

from builder import FLAG_DESCRIPTOR, FLAG_UTF8, deflated, streamed, zip_of
from cases import TEXT, Group, ab, first, second


def cases() -> Group:
    group = Group("rule-5", "r5")
    flags(group)
    times(group)
    checksums(group)
    positions(group)
    return group


def flags(group: Group) -> None:
    code = "cd_lfh_flags_mismatch"
    for label, flag in (("maximum", 1 << 1), ("fast", 1 << 2), ("utf8", FLAG_UTF8)):
        group.refuse(f"flags-{label}-local", code, second(lambda e: e.local(flags=flag)), f"{flag:#x} in one header")
        group.refuse(
            f"flags-{label}-central", code, second(lambda e: e.central(flags=flag)), f"{flag:#x} in one header"
        )
    group.refuse(
        "flags-descriptor-local",
        code,
        zip_of(deflated("a", TEXT).local(flags=FLAG_DESCRIPTOR)),
        "a descriptor for streaming readers alone",
    )
    stream = streamed("a", TEXT)
    group.refuse(
        "flags-descriptor-central", code, zip_of(stream.local(flags=0)), "a descriptor for the directory alone"
    )
    group.refuse("flags-reserved-local", code, second(lambda e: e.local(flags=1 << 15)), "a reserved bit")


def times(group: Group) -> None:
    code = "cd_lfh_time_mismatch"
    for field in ("time", "date"):
        group.refuse(f"{field}-local", code, first(lambda e: e.local(**{field: 0x21})), f"another {field}")
        group.refuse(f"{field}-local-zero", code, second(lambda e: e.local(**{field: 0})), f"no {field}")
        group.refuse(f"{field}-central", code, second(lambda e: e.central(**{field: 0x21})), f"another {field}")


def checksums(group: Group) -> None:
    code = "cd_lfh_crc_mismatch"
    group.refuse("crc-local", code, first(lambda e: e.local(crc=e.lfh.crc ^ 1)), "one bit")
    group.refuse("crc-local-zero", code, first(lambda e: e.local(crc=0)), "zero, and no descriptor follows")
    group.refuse("crc-central", code, second(lambda e: e.central(crc=e.cdh.crc ^ 1)), "one bit")
    group.refuse("crc-central-zero", code, second(lambda e: e.central(crc=0)), "zero")
    group.refuse("crc-streamed", code, zip_of(streamed("a", TEXT).local(crc=1)), "neither zero nor right")
    group.refuse("crc-empty", code, zip_of(ab().entries[0], deflated("c").local(crc=1)), "of an empty body")


def positions(group: Group) -> None:
    code = "local_header_missing"
    group.refuse("no-local-header", code, second(lambda e: e.local(signature=b"PK\x03\x05")), "another magic")
    group.refuse("central-as-local", code, second(lambda e: e.local(signature=b"PK\x01\x02")), "a central record there")
    group.refuse("descriptor-as-local", code, second(lambda e: e.local(signature=b"PK\x07\x08")), "a descriptor there")
    group.refuse("local-header-zeros", code, second(lambda e: e.local(signature=bytes(4))), "zeros")
    short = second(lambda e: e.but(listed=True, data=b""))
    data = short.build()
    at = data.index(b"PK\x01\x02")
    cut = data[: at - 10] + data[at:-22] + zip_of().ends(2, len(data) - at - 22, at - 10)
    group.refuse("local-header-cut", code, cut, "the directory begins inside the last local header")
