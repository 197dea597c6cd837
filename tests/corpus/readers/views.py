"""How each reader sees an archive: a list of members, in the reader's order."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

FILE, DIRECTORY, LINK = "file", "directory", "symlink"
TYPES = {stat.S_IFDIR: DIRECTORY, stat.S_IFLNK: LINK}
HOST_UNIX = 3
SEVEN_ZIP_COMMAND_LINE = 7
#: Entries of an archive that is extracted to a file system; of a larger one the names are compared.
EXTRACTED_MAX = 5000


class Failed(Exception):
    """The reader refuses the archive, or complains about it."""


class UnknownOption(Exception):
    """An older version of the reader."""


@dataclass(frozen=True)
class Member:
    """One entry. None is what the reader cannot say; a link's body is its target."""

    name: str
    sha256: str | None = None
    size: int | None = None
    kind: str | None = None
    mode: int | None = None


def python(path: Path) -> list[Member]:
    """Names, bytes, and the modes that are recorded: those that a Unix host wrote."""
    members = []
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                mode = entry.external_attr >> 16 if entry.create_system == HOST_UNIX else 0
                kind = TYPES.get(stat.S_IFMT(mode), DIRECTORY if entry.filename.endswith("/") else FILE)
                body = archive.read(entry)
                members.append(Member(entry.filename, _digest(body), len(body), kind, mode & 0o777 if mode else None))
    except (zipfile.BadZipFile, NotImplementedError, OSError, UnicodeError) as error:
        raise Failed(str(error)) from error
    return members


def unzip(path: Path) -> list[Member]:
    """Names and order as zipinfo lists them; bytes, kinds and modes as unzip extracts them."""
    names = _text(_run(["unzip", "-Z1", str(path)])).splitlines()
    if len(names) > EXTRACTED_MAX:
        return [Member(name) for name in names]
    with tempfile.TemporaryDirectory(prefix="agree-") as folder:
        _run(["unzip", "-qq", "-o", "-d", folder, str(path)])
        return _extracted(Path(folder), names)


def seven_zip(path: Path) -> list[Member]:
    """Names and order as 7z lists them; bytes, kinds and modes as it extracts them."""
    names = []
    for block in _text(_run(["7z", "l", "-slt", "-ba", "-sccUTF-8", str(path)])).split("\n\n"):
        fields = dict(line.split(" = ", 1) for line in block.splitlines() if " = " in line)
        if "Path" in fields:
            folder = fields.get("Folder") == "+" or fields.get("Attributes", "").startswith("D")
            names.append(fields["Path"] + ("/" if folder else ""))
    if len(names) > EXTRACTED_MAX:
        return [Member(name) for name in names]
    with tempfile.TemporaryDirectory(prefix="agree-") as folder:
        extract = ["7z", "x", "-y", "-bso0", "-bsp0", f"-o{folder}", str(path)]
        try:
            # By itself 7-Zip 25 and later leaves out every link that goes up, also inside the folder.
            _run([*extract, "-snld20"])
        except UnknownOption:
            _run(extract)
        return _extracted(Path(folder), names)


def bsdtar(path: Path) -> list[Member]:
    """libarchive, which seeks to the directory."""
    return _tar(_run(["bsdtar", "-cf", "-", "--format=pax", f"@{path}"]))


def bsdtar_stream(path: Path) -> list[Member]:
    """libarchive from a pipe: local headers alone, so no modes, and links are files."""
    with path.open("rb") as source:
        members = _tar(_run(["bsdtar", "-cf", "-", "--format=pax", "@-"], stdin=source))
    return [Member(member.name, member.sha256, member.size) for member in members]


def java(paths: list[Path]) -> dict[str, dict[Path, list[Member] | Failed]]:
    """ZipFile, the zip file system and ZipInputStream, all archives in one start of the machine."""
    program = Path(__file__).with_name("Views.java")
    lines = _run(
        ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", str(program)], input="\n".join(map(str, paths)).encode()
    )
    views: dict[str, dict[Path, list[Member] | Failed]] = {}
    for line in lines.decode().splitlines():
        reader, path, *fields = line.split("\t")
        view = views.setdefault(reader, {}).setdefault(Path(path), [])
        if fields[0] == "!":
            views[reader][Path(path)] = Failed(fields[1])
        elif fields[0] != ".":
            name, mode, digest = fields
            view.append(Member(bytes.fromhex(name).decode(), digest, mode=None if mode == "-" else int(mode, 8)))
    return views


#: Readers that see one archive at a time, with the program that each needs.
READERS = {
    "python": (python, "python3"),
    "unzip": (unzip, "unzip"),
    "bsdtar": (bsdtar, "bsdtar"),
    "7z": (seven_zip, "7z"),
    "bsdtar-stream": (bsdtar_stream, "bsdtar"),
}


def missing() -> list[str]:
    return [
        name
        for name, program in [*((name, row[1]) for name, row in READERS.items()), ("java", "java")]
        if not shutil.which(program)
    ]


def _tar(data: bytes) -> list[Member]:
    members = []
    with tarfile.open(fileobj=BytesIO(data), mode="r:") as archive:
        for entry in archive:
            kind = DIRECTORY if entry.isdir() else LINK if entry.issym() else FILE
            body = (
                entry.linkname.encode()
                if entry.issym()
                else archive.extractfile(entry).read()
                if entry.isfile()
                else b""
            )
            name = entry.name + ("/" if entry.isdir() else "")
            members.append(Member(name, _digest(body), len(body), kind, entry.mode & 0o777))
    return members


def _extracted(folder: Path, names: list[str]) -> list[Member]:
    """What lies in `folder`: the listed members in their order, then what nobody listed."""
    found = {}
    for top, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = os.path.join(top, name)
            mode = os.lstat(path).st_mode
            relative = os.path.relpath(path, folder) + ("/" if stat.S_ISDIR(mode) else "")
            found[relative] = (path, mode)
    implied = {name[: at + 1] for name in names for at, sign in enumerate(name) if sign == "/"}
    unlisted = sorted(found.keys() - implied - set(names))
    lost = [name for name in names if name not in found]
    if unlisted or lost:
        raise Failed(f"lists {lost[:3]}, extracts {unlisted[:3]}")
    return [_on_disk(name, *found[name]) for name in names]


def _on_disk(name: str, path: str, mode: int) -> Member:
    kind = TYPES.get(stat.S_IFMT(mode), FILE)
    if kind == LINK:
        body = os.readlink(path).encode()
    elif kind == FILE:
        os.chmod(path, 0o600)
        body = Path(path).read_bytes()
    else:
        body = b""
    return Member(name, _digest(body), len(body), kind, mode & 0o777)


def _text(output: bytes) -> str:
    try:
        return output.decode()
    except UnicodeDecodeError as error:
        raise Failed(f"prints no UTF-8: {output[error.start - 8 : error.end + 8]!r}") from error


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _run(command: list[str], **options) -> bytes:
    options.setdefault("stdin", subprocess.DEVNULL) if "input" not in options else None
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, **options)
    if result.returncode == SEVEN_ZIP_COMMAND_LINE and command[0] == "7z":
        raise UnknownOption(command)
    if result.returncode != 0:
        message = (result.stderr or result.stdout).decode(errors="replace").strip().replace("\n", "; ")
        raise Failed(f"{command[0]} ends with {result.returncode}: {message[-300:]}")
    return result.stdout
