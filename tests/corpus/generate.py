"""Writes the corpus: one zip a case, and manifest.json with the verdict that each must have.

python3 tests/corpus/generate.py OUTDIR             all cases
python3 tests/corpus/generate.py OUTDIR --no-tools  without what the installed tools write
python3 tests/corpus/generate.py OUTDIR --worst     files of up to 10 MiB that cost a reader most
"""

import argparse
import importlib
import json
import sys
from collections import Counter
from pathlib import Path

CORPUS = Path(__file__).resolve().parent
FOLDERS = ("hostile", "benign")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("outdir", type=Path)
    arguments.add_argument("--no-tools", action="store_true", help="leave out what the installed tools write")
    arguments.add_argument("--worst", action="store_true", help="write the worst cases instead")
    options = arguments.parse_args()
    options.outdir.mkdir(parents=True, exist_ok=True)
    skipped = []
    if options.worst:
        cases = list(importlib.import_module("worst").cases())
    else:
        cases = [case for module in modules() for case in module.cases()]
    rows = write(options.outdir, cases)
    if not options.worst and not options.no_tools:
        made, skipped = importlib.import_module("tools").write(options.outdir)
        rows += made
    manifest = {"cases": rows, "skipped": skipped}
    (options.outdir / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", "utf-8")
    summary(rows, skipped)


def modules():
    for folder in FOLDERS:
        for path in sorted((CORPUS / folder).glob("[!_]*.py")):
            yield importlib.import_module(f"{folder}.{path.stem}")


def write(outdir: Path, cases) -> list[dict]:
    names = Counter(case.name for case in cases)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        sys.exit(f"two cases have one name: {twice}")
    for case in cases:
        (outdir / f"{case.name}.zip").write_bytes(case.data)
    return [case.row() for case in cases]


def summary(rows: list[dict], skipped: list[dict]) -> None:
    for group, count in sorted(Counter(row["class"] for row in rows).items()):
        print(f"{group:12} {count}")
    accepted = sum(row["expect"] == "accept" for row in rows)
    print(f"{len(rows) - accepted} to refuse, {accepted} to accept, {len(skipped)} skipped")


if __name__ == "__main__":
    main()
