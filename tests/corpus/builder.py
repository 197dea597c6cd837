"""A zip builder with every field open: `stored("a", b"1").local(size=3)` lies in the local header alone.

Nothing here calls a compressor, so the same call gives the same bytes everywhere. Section numbers are those of
APPNOTE.TXT 6.3.10.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace

from deflate import deflate

SENTINEL_16 = 0xFFFF
SENTINEL_32 = 0xFFFFFFFF

FLAG_ENCRYPTED = 1
FLAG_DESCRIPTOR = 1 << 3
FLAG_UTF8 = 1 << 11

DOS, UNIX, NTFS, NTFS_INFOZIP, VFAT, MACOS = 0, 3, 10, 11, 14, 19

LOCAL_HEADER = b"PK\x03\x04"
DESCRIPTOR = b"PK\x07\x08"
CENTRAL_RECORD = b"PK\x01\x02"
END_RECORD = b"PK\x05\x06"
ZIP64_END_RECORD = b"PK\x06\x06"
ZIP64_LOCATOR = b"PK\x06\x07"
DIGITAL_SIGNATURE = b"PK\x05\x05"
ARCHIVE_EXTRA_DATA = b"PK\x06\x08"
MAGICS = (
    CENTRAL_RECORD,
    LOCAL_HEADER,
    DIGITAL_SIGNATURE,
    END_RECORD,
    ZIP64_END_RECORD,
    ZIP64_LOCATOR,
    ARCHIVE_EXTRA_DATA,
    DESCRIPTOR,
)


@dataclass(frozen=True)
class Header:
    """What local header and central record both state (4.3.7, 4.3.12)."""

    name: bytes
    version: int = 20
    flags: int = 0
    method: int = 0
    time: int = 0x6000
    date: int = 0x5A21
    crc: int = 0
    compressed: int = 0
    size: int = 0
    extra: bytes = b""
    name_size: int | None = None
    extra_size: int | None = None
    signature: bytes | None = None

    def fields(self) -> bytes:
        return struct.pack(
            "<5H3I2H",
            self.version,
            self.flags,
            self.method,
            self.time,
            self.date,
            self.crc,
            self.compressed,
            self.size,
            _or(self.name_size, len(self.name)),
            _or(self.extra_size, len(self.extra)),
        )


@dataclass(frozen=True)
class Entry:
    """What lies before an entry, its local header, data and descriptor, and its central record."""

    lfh: Header
    cdh: Header
    data: bytes
    gap: bytes = b""
    descriptor: bytes = b""
    made_by: int = 0x0314
    comment: bytes = b""
    comment_size: int | None = None
    disk: int = 0
    internal: int = 0
    attributes: int = 0
    offset: int | None = None
    body: bytes = b""
    listed: bool = True

    def local(self, **changes) -> Entry:
        """Changes in the local header alone."""
        return replace(self, lfh=replace(self.lfh, **changes))

    def central(self, **changes) -> Entry:
        """Changes in the central record alone."""
        return replace(self, cdh=replace(self.cdh, **changes))

    def both(self, **changes) -> Entry:
        """The same changes in both headers."""
        return self.local(**changes).central(**changes)

    def but(self, **changes) -> Entry:
        """Changes outside the two headers."""
        return replace(self, **changes)

    def host(self, system: int) -> Entry:
        return self.but(made_by=system << 8 | self.made_by & 0xFF)

    def mode(self, mode: int, dos: int = 0) -> Entry:
        return self.but(attributes=mode << 16 | dos)

    def payload(self, data: bytes) -> Entry:
        """Other compressed data of the same body, with its true length in both headers."""
        return self.but(data=data).both(compressed=len(data))

    def local_bytes(self) -> bytes:
        header = _or(self.lfh.signature, LOCAL_HEADER) + self.lfh.fields()
        return self.gap + header + self.lfh.name + self.lfh.extra + self.data + self.descriptor

    def central_bytes(self, offset: int) -> bytes:
        tail = struct.pack(
            "<3H2I",
            _or(self.comment_size, len(self.comment)),
            self.disk,
            self.internal,
            self.attributes,
            _or(self.offset, offset),
        )
        header = _or(self.cdh.signature, CENTRAL_RECORD) + struct.pack("<H", self.made_by) + self.cdh.fields()
        return header + tail + self.cdh.name + self.cdh.extra + self.comment


@dataclass(frozen=True)
class Zip64:
    """Zip64 end record and locator (4.3.14, 4.3.15); None stands for the right value.

    `sentinels` names the fields of the end record that refer to it: disk_count, count, size, offset.
    """

    sentinels: tuple[str, ...] = ("disk_count", "count", "size", "offset")
    record: bool = True
    record_size: int = 44
    made_by: int = 45
    version: int = 45
    disk: int = 0
    directory_disk: int = 0
    disk_count: int | None = None
    count: int | None = None
    size: int | None = None
    offset: int | None = None
    extensible: bytes = b""
    gap: bytes = b""
    locator: bool = True
    locator_disk: int = 0
    locator_offset: int | None = None
    disks: int = 1

    def build(self, position: int, count: int, size: int, offset: int) -> bytes:
        record = (
            ZIP64_END_RECORD
            + struct.pack(
                "<QHHIIQQQQ",
                self.record_size,
                self.made_by,
                self.version,
                self.disk,
                self.directory_disk,
                _or(self.disk_count, _or(self.count, count)),
                _or(self.count, count),
                _or(self.size, size),
                _or(self.offset, offset),
            )
            + self.extensible
        )
        locator = ZIP64_LOCATOR + struct.pack("<IQI", self.locator_disk, _or(self.locator_offset, position), self.disks)
        return (record if self.record else b"") + self.gap + (locator if self.locator else b"")


@dataclass(frozen=True)
class Zip:
    """A zip; None stands for the right value. `shift` is added to every offset, as if a stub were in front."""

    entries: tuple[Entry, ...] = ()
    order: tuple[int, ...] | None = None
    before_directory: bytes = b""
    directory_tail: bytes = b""
    before_ends: bytes = b""
    zip64: Zip64 | None = None
    before_end: bytes = b""
    disk: int = 0
    directory_disk: int = 0
    disk_count: int | None = None
    count: int | None = None
    directory_size: int | None = None
    directory_offset: int | None = None
    comment: bytes = b""
    comment_size: int | None = None
    suffix: bytes = b""
    shift: int = 0

    def but(self, **changes) -> Zip:
        return replace(self, **changes)

    def build(self) -> bytes:
        local, offsets = bytearray(), []
        for entry in self.entries:
            offsets.append(self.shift + len(local) + len(entry.gap))
            local += entry.local_bytes()
        local += self.before_directory
        order = self.order
        if order is None:
            order = [index for index, entry in enumerate(self.entries) if entry.listed]
        directory = b"".join(self.entries[index].central_bytes(offsets[index]) for index in order)
        directory += self.directory_tail
        offset = self.shift + len(local)
        return bytes(local) + directory + self.before_ends + self.ends(len(order), len(directory), offset)

    def ends(self, count: int, size: int, offset: int) -> bytes:
        zip64 = b""
        narrow = {"disk_count": count, "count": count, "size": size, "offset": offset}
        if self.zip64:
            zip64 = self.zip64.build(offset + size + len(self.before_ends), count, size, offset)
            for name in self.zip64.sentinels:
                narrow[name] = SENTINEL_16 if "count" in name else SENTINEL_32
        end = END_RECORD + struct.pack(
            "<4H2IH",
            self.disk,
            self.directory_disk,
            _or(self.disk_count, _or(self.count, narrow["disk_count"])),
            _or(self.count, narrow["count"]),
            _or(self.directory_size, narrow["size"]),
            _or(self.directory_offset, narrow["offset"]),
            _or(self.comment_size, len(self.comment)),
        )
        return zip64 + self.before_end + end + self.comment + self.suffix


def zip_of(*entries: Entry, **fields) -> Zip:
    return Zip(entries=tuple(entries), **fields)


def stored(name: str | bytes, body: bytes = b"", mode: int = 0o100644) -> Entry:
    return _entry(name, 0, body, body, mode)


def deflated(name: str | bytes, body: bytes = b"", mode: int = 0o100644) -> Entry:
    return _entry(name, 8, body, deflate(body), mode)


def directory(name: str | bytes, mode: int = 0o040755) -> Entry:
    return _entry(name, 0, b"", b"", mode).but(attributes=mode << 16 | 0x10)


def symlink(name: str | bytes, target: str | bytes) -> Entry:
    target = _bytes(target)
    return _entry(name, 0, target, target, 0o120777)


def streamed(name: str | bytes, body: bytes = b"") -> Entry:
    """As writers do that cannot seek back: zeros in the local header, a descriptor behind the data."""
    entry = deflated(name, body)
    entry = entry.both(flags=entry.cdh.flags | FLAG_DESCRIPTOR).local(crc=0, compressed=0, size=0)
    return entry.but(descriptor=descriptor(entry))


def streamed_zip64(name: str | bytes, body: bytes = b"") -> Entry:
    """As Python streams with zip64: sentinels and zeros, a wide descriptor, 32-bit values in the directory."""
    entry = streamed(name, body).both(version=45)
    entry = entry.local(compressed=SENTINEL_32, size=SENTINEL_32, extra=extra(1, bytes(16)))
    return entry.but(descriptor=descriptor(entry, wide=True))


def forced_zip64(name: str | bytes, body: bytes = b"") -> Entry:
    """As `zip -fz` writes: zip64 without need, in the directory for the size alone."""
    entry = deflated(name, body).both(version=45)
    sizes = struct.pack("<QQ", entry.cdh.size, entry.cdh.compressed)
    entry = entry.local(compressed=SENTINEL_32, size=SENTINEL_32, extra=extra(1, sizes))
    return entry.central(size=SENTINEL_32, extra=extra(1, sizes[:8]))


def descriptor(entry: Entry, wide: bool = False, signed: bool = True) -> bytes:
    fields = struct.pack("<IQQ" if wide else "<III", entry.cdh.crc, entry.cdh.compressed, entry.cdh.size)
    return (DESCRIPTOR if signed else b"") + fields


def extra(id: int, data: bytes = b"", size: int | None = None) -> bytes:
    return struct.pack("<HH", id, _or(size, len(data))) + data


def unicode_path(name: str | bytes, header_name: str | bytes | None = None, version: int = 1) -> bytes:
    """The extra field 0x7075 (4.6.9), with the checksum of `header_name`."""
    name, header_name = _bytes(name), _bytes(name if header_name is None else header_name)
    return extra(0x7075, bytes([version]) + struct.pack("<I", zlib.crc32(header_name)) + name)


def patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _entry(name: str | bytes, method: int, body: bytes, data: bytes, mode: int) -> Entry:
    flags = FLAG_UTF8 if isinstance(name, str) and not name.isascii() else 0
    header = Header(
        name=_bytes(name), flags=flags, method=method, crc=zlib.crc32(body), compressed=len(data), size=len(body)
    )
    return Entry(lfh=header, cdh=header, data=data, body=body, attributes=mode << 16)


def _bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text


def _or(value, default):
    return default if value is None else value
