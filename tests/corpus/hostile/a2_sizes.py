"""A2: sizes that depend on where they are read: two headers, a descriptor, zip64 extra fields."""

import struct
import zlib

from builder import SENTINEL_32, deflated, descriptor, extra, forced_zip64, stored, streamed, streamed_zip64, zip_of
from cases import TEXT, Group, first, second
from deflate import solve

HUGE = 2**64 - 1


def cases() -> Group:
    group = Group("A2")
    headers(group)
    descriptors(group)
    wide_descriptors(group)
    local_zip64(group)
    central_zip64(group)
    return group


def headers(group: Group) -> None:
    code = "cd_lfh_size_mismatch"
    for field in ("compressed", "size"):
        for label, change in (("zero", lambda n: 0), ("less", lambda n: n - 1), ("more", lambda n: n + 1)):

            def changed(header):
                return {field: change(getattr(header, field))}

            group.refuse(
                f"local-{field}-{label}",
                code,
                second(lambda e: e.local(**changed(e.lfh))),
                f"{field} size {label} in the local header",
            )
            group.refuse(
                f"central-{field}-{label}",
                code,
                second(lambda e: e.central(**changed(e.cdh))),
                f"{field} size {label} in the central record",
            )
    zero = dict(compressed=0, size=0)
    group.refuse("local-both-zero", code, first(lambda e: e.local(**zero)), "no descriptor follows")
    group.refuse("central-both-zero", code, first(lambda e: e.central(**zero)), "the directory hides the body")
    group.refuse("prefix-of-body", code, two_lengths(), "the checksum fits the first bytes and all of them")


def two_lengths():
    """Stored data that has one checksum at both lengths."""
    data = solve(lambda free: b"first part; " + free, lambda data: zlib.crc32(data) ^ zlib.crc32(data[:12]), 4)
    return zip_of(stored("a", data).local(compressed=12, size=12), stored("b", b"1"))


def descriptors(group: Group) -> None:
    def stream(change):
        return zip_of(change(streamed("a", TEXT)), stored("b", b"1"))

    def with_descriptor(change):
        return stream(lambda e: e.but(descriptor=change(e)))

    missing, wrong = "descriptor_missing", "descriptor_mismatch"
    group.refuse("descriptor-none", missing, with_descriptor(lambda e: b""), "announced and not there")
    group.refuse(
        "descriptor-unsigned", missing, with_descriptor(lambda e: descriptor(e, signed=False)), "without its signature"
    )
    group.refuse(
        "descriptor-unsigned-wide",
        missing,
        with_descriptor(lambda e: descriptor(e, wide=True, signed=False)),
        "wide, without its signature",
    )
    group.refuse(
        "descriptor-wide",
        wrong,
        with_descriptor(lambda e: descriptor(e, wide=True)),
        "24 bytes, and the local header has no zip64",
    )
    group.refuse("descriptor-zeros", wrong, with_descriptor(lambda e: descriptor(e)[:4] + bytes(12)), "all zero")
    for label, central in (("crc", dict(crc=1)), ("csize", dict(compressed=3)), ("size", dict(size=3))):
        group.refuse(
            f"descriptor-{label}",
            wrong,
            with_descriptor(lambda e: descriptor(e.central(**central))),
            f"other {label} than the central record",
        )
    group.refuse(
        "descriptor-short",
        missing,
        zip_of(streamed("a", TEXT).but(descriptor=descriptor(streamed("a", TEXT))[:12])),
        "cut off by the central directory",
    )
    unannounced = second(lambda e: e.but(descriptor=descriptor(e)))
    group.refuse(
        "descriptor-unannounced",
        "gap_before_central_directory",
        unannounced,
        "bit 3 is clear: the bytes belong to nothing",
    )
    a, b = unannounced.entries
    group.refuse("descriptor-unannounced-between", "gap_between_entries", zip_of(b, a), "the same between two entries")
    group.refuse(
        "descriptor-twice",
        "gap_between_entries",
        with_descriptor(lambda e: 2 * descriptor(e)),
        "the second belongs to nothing",
    )
    for label, local in (("csize", dict(compressed=3)), ("size", dict(size=3))):
        group.refuse(
            f"descriptor-local-{label}",
            "cd_lfh_size_mismatch",
            stream(lambda e: e.local(**local)),
            "neither zero nor right in the local header",
        )


def wide_descriptors(group: Group) -> None:
    def with_descriptor(change):
        entry = streamed_zip64("a", TEXT)
        return zip_of(entry.but(descriptor=change(entry)), stored("b", b"1"))

    group.refuse(
        "wide-narrow", "descriptor_mismatch", with_descriptor(descriptor), "16 bytes, and the local header has zip64"
    )
    group.refuse("wide-none", "descriptor_missing", with_descriptor(lambda e: b""), "announced and not there")
    group.refuse(
        "wide-unsigned",
        "descriptor_missing",
        with_descriptor(lambda e: descriptor(e, True, False)),
        "without its signature",
    )
    group.refuse(
        "wide-zeros", "descriptor_mismatch", with_descriptor(lambda e: descriptor(e)[:4] + bytes(20)), "all zero"
    )
    group.refuse(
        "wide-high-half",
        "descriptor_mismatch",
        with_descriptor(
            lambda e: (
                descriptor(e.central(compressed=0), True)[:8]
                + struct.pack("<QQ", e.cdh.compressed | 1 << 32, e.cdh.size)
            )
        ),
        "right in the low 32 bits alone",
    )
    lies = streamed_zip64("a", TEXT).local(extra=extra(1, struct.pack("<QQ", 5, 5)))
    group.refuse("wide-local-lies", "cd_lfh_size_mismatch", zip_of(lies), "neither zero nor right in the zip64 extra")


def local_zip64(group: Group) -> None:
    def local(**fields):
        return second(lambda e: e.local(**fields))

    size = len(deflated("b", TEXT).data)
    right = struct.pack("<QQ", len(TEXT), size)
    sentinels = dict(compressed=SENTINEL_32, size=SENTINEL_32)
    mismatch = "zip64_extra_mismatch"
    group.refuse("local-extra-unused", mismatch, local(extra=extra(1, right)), "no sentinel refers to it")
    group.refuse("local-extra-unused-lies", mismatch, local(extra=extra(1, bytes(16))), "another size for its readers")
    group.refuse("local-extra-empty", mismatch, local(extra=extra(1)), "no sentinel, no field")
    group.refuse(
        "local-sentinel-size", mismatch, local(size=SENTINEL_32, extra=extra(1, right[:8])), "one of two sentinels"
    )
    group.refuse(
        "local-sentinel-csize",
        mismatch,
        local(compressed=SENTINEL_32, extra=extra(1, right[8:])),
        "one of two sentinels",
    )
    group.refuse("local-sentinels-no-extra", "zip64_missing", local(**sentinels), "zip64 is not there")
    group.refuse("local-extra-short", mismatch, local(**sentinels, extra=extra(1, right[:8])), "one of two fields")
    group.refuse("local-extra-odd", mismatch, local(**sentinels, extra=extra(1, right[:12])), "twelve bytes")
    for label, more in (("24", bytes(8)), ("28", bytes(12))):
        group.refuse(
            f"local-extra-{label}",
            mismatch,
            local(**sentinels, extra=extra(1, right + more)),
            "offset and disk in a local header",
        )
    group.refuse(
        "local-extra-swapped",
        "cd_lfh_size_mismatch",
        local(**sentinels, extra=extra(1, right[8:] + right[:8])),
        "the two sizes swapped",
    )
    group.refuse(
        "local-extra-zeros",
        "cd_lfh_size_mismatch",
        local(**sentinels, extra=extra(1, bytes(16))),
        "zeros, and no descriptor follows",
    )
    lies = extra(1, struct.pack("<QQ", 3, 3))
    for label, fields in (("last", extra(1, right) + lies), ("first", lies + extra(1, right))):
        group.refuse(
            f"local-extra-twice-{label}",
            "duplicate_extra",
            local(**sentinels, extra=fields),
            f"two zip64 extra fields, the {label} lies",
        )
    streaming = streamed("a", TEXT).local(extra=extra(1, bytes(16)))
    group.refuse("local-extra-streamed", mismatch, zip_of(streaming), "zeros instead of sentinels beside it")


def central_zip64(group: Group) -> None:
    def central(**fields):
        return second(lambda e: e.central(**fields))

    entry = deflated("b", TEXT)
    size, compressed = (struct.pack("<Q", value) for value in (entry.cdh.size, entry.cdh.compressed))
    mismatch = "zip64_extra_mismatch"
    group.refuse("central-extra-unused", mismatch, central(extra=extra(1, size + compressed)), "no sentinel")
    group.refuse("central-extra-unused-lies", mismatch, central(extra=extra(1, bytes(8))), "no sentinel, other size")
    group.refuse("central-sentinel-no-extra", "zip64_missing", central(size=SENTINEL_32), "zip64 is not there")
    group.refuse("central-extra-short", mismatch, central(size=SENTINEL_32, extra=extra(1, size[:4])), "four bytes")
    group.refuse(
        "central-extra-long",
        mismatch,
        central(size=SENTINEL_32, extra=extra(1, size + compressed)),
        "one field more than sentinels",
    )
    group.refuse(
        "central-extra-28",
        mismatch,
        central(size=SENTINEL_32, compressed=SENTINEL_32, extra=extra(1, size + compressed + bytes(12))),
        "offset and disk without their sentinels",
    )
    group.refuse(
        "central-extra-lies",
        "cd_lfh_size_mismatch",
        central(size=SENTINEL_32, extra=extra(1, struct.pack("<Q", len(TEXT) + 1))),
        "another size",
    )
    twice = extra(1, size) + extra(1, bytes(8))
    group.refuse("central-extra-twice", "duplicate_extra", central(size=SENTINEL_32, extra=twice), "the last lies")
    offset = second(lambda e: e.central(extra=extra(1, bytes(8))).but(offset=SENTINEL_32))
    group.refuse("central-offset-zero", "overlapping_entries", offset, "zip64 moves the entry onto the first")
    wide = second(lambda e: e.central(extra=extra(1, struct.pack("<Q", HUGE))).but(offset=SENTINEL_32))
    group.refuse("central-offset-huge", "gap_between_entries", wide, "an offset of 2^64 - 1")
    group.refuse(
        "central-size-huge",
        "unpacked_size_exceeded",
        central(size=SENTINEL_32, extra=extra(1, struct.pack("<Q", HUGE))),
        "a size of 2^64 - 1",
    )
    group.refuse(
        "central-csize-huge",
        "compressed_size_excessive",
        central(compressed=SENTINEL_32, extra=extra(1, struct.pack("<Q", HUGE))),
        "2^64 - 1 compressed",
    )
    half = extra(1, struct.pack("<Q", 2**63))
    both = zip_of(*(forced_zip64(name, TEXT).central(extra=half) for name in "ab"))
    group.refuse("central-sizes-wrap", "unpacked_size_exceeded", both, "the sum of the sizes is 0 modulo 2^64")
    group.refuse(
        "central-disk-sentinel",
        "multi_disk",
        second(lambda e: e.central(size=SENTINEL_32, extra=extra(1, size + bytes(4))).but(disk=0xFFFF)),
        "the disk number in zip64",
    )
