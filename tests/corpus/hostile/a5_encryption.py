"""A5: encryption that some readers see and others do not."""

from builder import FLAG_DESCRIPTOR, FLAG_ENCRYPTED, directory, extra, stored, streamed, zip_of
from cases import TEXT, Group, ab, first, second

STRONG, MASKED = 1 << 6, 1 << 13


def cases() -> Group:
    group = Group("A5")
    both = "encrypted"
    group.refuse("local", "cd_lfh_flags_mismatch", first(lambda e: e.local(flags=FLAG_ENCRYPTED)), "local header alone")
    group.refuse(
        "local-second",
        "cd_lfh_flags_mismatch",
        second(lambda e: e.local(flags=FLAG_ENCRYPTED)),
        "local header of the last entry alone",
    )
    group.refuse("central", both, first(lambda e: e.central(flags=FLAG_ENCRYPTED)), "central record alone")
    group.refuse("first", both, first(lambda e: e.both(flags=FLAG_ENCRYPTED)), "the first entry alone")
    group.refuse("last", both, second(lambda e: e.both(flags=FLAG_ENCRYPTED)), "the last entry alone")
    group.refuse("all", both, zip_of(*(e.both(flags=FLAG_ENCRYPTED) for e in ab().entries)), "every entry")
    salted = stored("a", b"1234").payload(bytes(12) + b"1234").both(flags=FLAG_ENCRYPTED)
    group.refuse("with-header", both, zip_of(salted), "with the twelve bytes of the traditional cipher")
    group.refuse(
        "streamed", both, zip_of(streamed("a", TEXT).both(flags=FLAG_ENCRYPTED | FLAG_DESCRIPTOR)), "with a descriptor"
    )
    group.refuse("directory", both, zip_of(directory("d/").both(flags=FLAG_ENCRYPTED)), "an encrypted directory")
    group.refuse("strong", both, first(lambda e: e.both(flags=FLAG_ENCRYPTED | STRONG)), "strong encryption")
    group.refuse("strong-alone", "unsupported_flags", first(lambda e: e.both(flags=STRONG)), "bit 6 without bit 0")
    group.refuse("masked", "unsupported_flags", first(lambda e: e.both(flags=MASKED)), "masked local headers")
    aes = stored("a", b"1234").both(
        flags=FLAG_ENCRYPTED, method=99, extra=extra(0x9901, b"\x02\x00AE\x03\x08\x00"), version=51
    )
    group.refuse("aes", both, zip_of(aes), "WinZip's AES")
    return group
