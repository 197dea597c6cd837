"""Rule 6: flags, methods, versions and hosts that readers understand differently or not at all."""

from builder import stored, zip_of
from cases import Group, ab, first

#: APPNOTE 4.4.5, and what 7-Zip and WinZip added.
METHODS = {
    1: "shrunk",
    2: "reduced",
    6: "imploded",
    9: "deflate64",
    10: "PKWARE's old implode",
    12: "bzip2",
    14: "LZMA",
    16: "z/OS CMPSC",
    18: "TERSE",
    19: "LZ77",
    20: "an old number of zstd",
    93: "zstd",
    94: "MP3",
    95: "xz",
    96: "JPEG",
    97: "WavPack",
    98: "PPMd",
    99: "AES",
    255: "nothing",
    0xFFFF: "nothing",
}


def cases() -> Group:
    group = Group("rule-6", "r6")
    for bit in (4, 5, 7, 8, 9, 10, 12, 14, 15):
        group.refuse(f"flag-{bit}", "unsupported_flags", first(lambda e: e.both(flags=1 << bit)), f"bit {bit}")
    for method, name in METHODS.items():
        group.refuse(f"method-{method}", "unsupported_method", first(lambda e: e.both(method=method)), name)
    group.refuse("method-central", "unsupported_method", first(lambda e: e.central(method=12)), "central record alone")
    for version in (0, 9, 12, 21, 25, 27, 50, 0x0314, 0xFFFF):
        group.refuse(
            f"version-{version}",
            "unsupported_version",
            first(lambda e: e.both(version=version)),
            f"version {version} needed",
        )
    for host in (1, 2, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 18, 20, 30, 255):
        entry = ab().entries[0].host(host).mode(0)
        group.refuse(f"host-{host}", "unsupported_host", zip_of(entry, stored("b")), f"made on system {host}")
    return group
