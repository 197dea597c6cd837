"""Shows that every reader sees each accepted archive alike: the same names, in the same order, bytes, kinds and modes.

    python3 tests/corpus/agree.py MANIFEST-DIR [--json] [--require-all]

With --json the agreed listing of each archive is printed, for other readers to be compared with. What a reader cannot
say is not compared: java-zipfile and the two streams show no modes; java-zipfs no kinds and no order; where no Unix
host recorded a mode, each reader chooses one, and none is compared. A stream may fail, since some forms cannot be read
without the directory, but if it succeeds it must agree. Differences that the manifest names under `differs` are a
reader's own, and are printed as known.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from readers.views import LINK, READERS, Failed, Member, java, missing

STREAMS = ("bsdtar-stream", "java-stream")
#: Readers whose order says nothing, and that show folders which no entry names.
UNORDERED = ("java-zipfs",)
#: The reader that the others are compared with.
REFERENCE = "python"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--json", action="store_true", help="print the agreed listings")
    arguments.add_argument("--require-all", action="store_true", help="fail where a reader is not installed")
    options = arguments.parse_args()
    os.umask(0)
    rows = json.loads((options.folder / "manifest.json").read_text("utf-8"))["cases"]
    rows = [row for row in rows if row["expect"] == "accept"]
    names = [row["file"] for row in rows]
    absent = missing()
    views = collect([options.folder / name for name in names], absent)
    problems, known, listings = [], [], []
    for row, name in zip(rows, names):
        found, differs = views[options.folder / name], row.get("differs", {})
        for reader, problem in disagreements(found):
            (known if reader in differs else problems).append(f"{name}: {reader}: {problem}")
        if not isinstance(found[REFERENCE], Failed):
            listings.append(listing(name, found))
    if options.json:
        print(json.dumps(listings, indent=1, ensure_ascii=False))
    report(problems, known, absent, len(names), sys.stderr if options.json else sys.stdout)
    sys.exit(1 if problems or (absent and options.require_all) else 0)


def collect(paths: list[Path], absent: list[str]) -> dict[Path, dict[str, list[Member] | Failed]]:
    """Every reader's view of every archive."""
    views: dict[Path, dict] = {path: {} for path in paths}

    def see(job: tuple[str, Path]) -> None:
        reader, path = job
        try:
            views[path][reader] = READERS[reader][0](path)
        except Failed as error:
            views[path][reader] = error

    with ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        machine = pool.submit(java, paths) if "java" not in absent else None
        jobs = [(reader, path) for path in paths for reader in READERS if reader not in absent]
        list(pool.map(see, jobs))
        for reader, found in (machine.result() if machine else {}).items():
            for path, view in found.items():
                views[path][reader] = view
    return views


def disagreements(found: dict[str, list[Member] | Failed]) -> list[tuple[str, str]]:
    """Reader and problem."""
    reference = found[REFERENCE]
    if isinstance(reference, Failed):
        return [(REFERENCE, str(reference))]
    return [
        (reader, problem)
        for reader, view in found.items()
        if reader != REFERENCE
        for problem in differences(reader, reference, view)
    ]


def differences(reader: str, reference: list[Member], view: list[Member] | Failed) -> list[str]:
    if isinstance(view, Failed):
        return [] if reader in STREAMS else [str(view)]
    expected, seen = [member.name for member in reference], [member.name for member in view]
    if reader in UNORDERED:
        listed = set(expected)
        expected, seen = sorted(expected), sorted(name for name in seen if name in listed or not name.endswith("/"))
    if expected != seen:
        pairs = next(((a, b) for a, b in zip(expected, seen) if a != b), (len(expected), len(seen)))
        return [f"other names, first {pairs[0]!r} and {pairs[1]!r}"]
    by_name = {member.name: member for member in view}
    return [problem for member in reference for problem in compare(member, by_name[member.name])]


def compare(expected: Member, seen: Member) -> list[str]:
    problems = []
    if seen.sha256 and seen.sha256 != expected.sha256:
        problems.append(f"{expected.name!r} has another body")
    if seen.kind and seen.kind != expected.kind:
        problems.append(f"{expected.name!r} is a {seen.kind}, not a {expected.kind}")
    if None not in (expected.mode, seen.mode) and expected.kind != LINK and expected.mode != seen.mode:
        problems.append(f"{expected.name!r} has mode {seen.mode:04o}, not {expected.mode:04o}")
    return problems


def listing(name: str, found: dict[str, list[Member] | Failed]) -> dict:
    """The reference's view, and who else has it. The mode is null where none is recorded."""
    entries = [
        {
            "name": member.name,
            "kind": member.kind,
            "size": member.size,
            "sha256": member.sha256,
            "mode": None if member.mode is None else f"{member.mode:04o}",
        }
        for member in found[REFERENCE]
    ]
    readers = [reader for reader, view in found.items() if not isinstance(view, Failed)]
    return {"file": name, "readers": sorted(readers), "entries": entries}


def report(problems: list[str], known: list[str], absent: list[str], count: int, out) -> None:
    for problem in problems:
        print(problem, file=out)
    for problem in known:
        print(f"known: {problem}", file=out)
    for reader in absent:
        print(f"not installed, not compared: {reader}", file=out)
    print(f"{count} archives, {len(problems)} disagreements, {len(known)} known", file=out)


if __name__ == "__main__":
    main()
