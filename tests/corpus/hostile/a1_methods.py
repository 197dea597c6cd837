"""A1: the two headers name different methods."""

import zlib

from builder import stored, streamed, zip_of
from cases import TEXT, Group, first, second
from deflate import solve, stored_block


def cases() -> Group:
    group = Group("A1")
    code = "cd_lfh_method_mismatch"
    group.refuse("local-stored", code, second(lambda e: e.local(method=0)), "deflated data, local header says stored")
    group.refuse(
        "local-stored-size",
        code,
        second(lambda e: e.local(method=0, size=e.lfh.compressed)),
        "the local header reads the deflated bytes as the body",
    )
    group.refuse(
        "local-stored-csize",
        code,
        second(lambda e: e.local(method=0, compressed=e.lfh.size)),
        "the local header says stored with the unpacked length",
    )
    group.refuse("local-deflated", code, first(lambda e: e.local(method=8)), "stored data, local header says deflated")
    group.refuse(
        "central-stored",
        code,
        second(lambda e: e.central(method=0, compressed=e.cdh.size)),
        "deflated data, central record says stored",
    )
    group.refuse(
        "central-stored-csize",
        code,
        second(lambda e: e.central(method=0, size=e.cdh.compressed)),
        "the central record reads the deflated bytes as the body",
    )
    group.refuse(
        "central-deflated", code, first(lambda e: e.central(method=8)), "stored data, central record says deflated"
    )
    for name, side in (("central", dict(local=8, central=0)), ("local", dict(local=0, central=8))):
        group.refuse(
            f"two-bodies-{name}",
            code,
            two_bodies(**side),
            "a deflate stream whose bytes have the checksum of what it unpacks to: both readings pass",
        )
    for method in (9, 12, 14, 93, 95, 99):
        group.refuse(
            f"local-{method}",
            code,
            second(lambda e: e.local(method=method)),
            f"the local header alone says method {method}",
        )
    group.refuse(
        "local-stored-descriptor",
        code,
        stream(lambda e: e.local(method=0)),
        "a streaming reader sees stored data with a descriptor",
    )
    group.refuse(
        "central-stored-descriptor",
        code,
        zip_of(streamed("a").central(method=0, compressed=0).local(method=8)),
        "an empty body with a descriptor, deflated for streaming readers alone",
    )
    return group


def stream(change):
    return zip_of(change(streamed("a", TEXT)), stored("b", b"1"))


def two_bodies(local: int, central: int):
    """`a` is two blocks of deflate without compression; read as stored or unpacked, checksum and size fit."""

    def bodies(free: bytes) -> tuple[bytes, bytes]:
        head, tail = b"print('one reading or the other')\n#" + free, b"\n"
        return stored_block(head, final=False) + stored_block(tail), head + tail

    def difference(pair: tuple[bytes, bytes]) -> int:
        return zlib.crc32(pair[0]) ^ zlib.crc32(pair[1])

    data, body = solve(bodies, difference, 8)
    size = {0: len(data), 8: len(body)}
    entry = stored("a.py", data).but(body=body)
    return zip_of(entry.local(method=local, size=size[local]).central(method=central, size=size[central]))
