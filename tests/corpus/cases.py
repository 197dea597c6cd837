"""What a case is, and the small archives that most hostile cases are one change away from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Iterator

from builder import Entry, Zip, deflated, directory, stored, zip_of

ACCEPT = "accept"
#: UnZip 6.00 honours flag bit 11 only where the header has an extra field, and translates other names of MS-DOS.
OEM_NAMES = {"unzip": "takes UTF-8 names of other hosts than Unix for a code page, where no extra field follows them"}
#: 7-Zip sets the modes of links, files and directories that say which they are.
UNTYPED_MODES = {"7z": "sets no mode that has no type"}
#: JDK 17's ZipInputStream takes every descriptor for a narrow one, which fits where the body is empty.
NARROW_DESCRIPTORS = {"java-stream": "ends behind an empty body with a wide descriptor, without an error"}


@dataclass(frozen=True)
class Case:
    """A file and the verdict it must have."""

    name: str
    group: str
    expect: str
    note: str
    data: bytes
    limits: dict[str, int] = field(default_factory=dict)
    sign: str | None = None
    differs: dict[str, str] = field(default_factory=dict)

    def row(self) -> dict:
        row = {"name": self.name, "file": f"{self.name}.zip", "class": self.group, "expect": self.expect}
        if self.limits:
            row["limits"] = self.limits
        if self.sign:
            row["sign"] = self.sign
        if self.differs:
            row["differs"] = self.differs
        return row | {"note": self.note}


class Group:
    """Cases of one class; their names begin with `prefix`."""

    def __init__(self, group: str, prefix: str | None = None) -> None:
        self.group, self.prefix, self.cases = group, prefix or group.lower(), []

    def refuse(self, name: str, code: str, data: bytes | Zip, note: str, limits: dict[str, int] | None = None) -> None:
        self._add(name, code, data, note, limits)

    def accept(
        self, name: str, data: bytes | Zip, note: str, limits: dict[str, int] | None = None, **differs: str
    ) -> None:
        """`differs`: readers that are known to see it otherwise, each with the reason."""
        self._add(name, ACCEPT, data, note, limits, None, differs)

    def unsignable(self, name: str, code: str, platform: str, data: bytes | Zip, note: str) -> None:
        """The gate passes it; signing on `platform` ends with `code`."""
        self._add(name, code, data, note, None, platform)

    def _add(self, name, expect, data, note, limits, sign=None, differs=None) -> None:
        data = data.build() if isinstance(data, Zip) else data
        case = Case(f"{self.prefix}-{name}", self.group, expect, note, data, limits or {}, sign, differs or {})
        self.cases.append(case)

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)


TEXT = b"some text, some text, some text, some text\n"


def ab(**fields) -> Zip:
    """A stored `a` and a deflated `b`."""
    return zip_of(stored("a", b"1234"), deflated("b", TEXT), **fields)


def first(change: Callable[[Entry], Entry]) -> Zip:
    """`ab` with the stored entry changed."""
    a, b = ab().entries
    return zip_of(change(a), b)


def second(change: Callable[[Entry], Entry]) -> Zip:
    """`ab` with the deflated entry changed."""
    a, b = ab().entries
    return zip_of(a, change(b))


def named(*names: str | bytes) -> Zip:
    """Empty files of these names, and directories where a name ends with a slash."""

    def entry(name):
        return directory(name) if name[-1:] in ("/", b"/") else stored(name)

    return zip_of(*map(entry, names))
