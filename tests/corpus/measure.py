"""Runs `PROGRAM check FILE --json` on every case of a manifest: the verdict, the time, and the peak of memory.

    python3 tests/corpus/measure.py target/release/countersign MANIFEST-DIR [--seconds 2] [--mib 64] [--top 10]

Fails where a verdict is not the expected one, or where a case of up to 10 MiB that must be refused takes more. Cases
with limits of their own are left out, and those that only signing refuses.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

SIZE_MAX = 10 * 1024 * 1024


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program")
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--seconds", type=float, default=2.0)
    arguments.add_argument("--mib", type=float, default=64.0)
    arguments.add_argument("--top", type=int, default=10, help="how many of the costliest to print")
    options = arguments.parse_args()
    rows = json.loads((options.folder / "manifest.json").read_text("utf-8"))["cases"]
    rows = [row for row in rows if "limits" not in row and "sign" not in row]
    results = [measure(options.program, options.folder, row) for row in rows]
    wrong = [result for result in results if result["verdict"] != result["expect"]]
    slow = [
        result
        for result in results
        if result["expect"] != "accept"
        and result["size"] <= SIZE_MAX
        and (result["seconds"] > options.seconds or result["mib"] > options.mib)
    ]
    for title, key in (("slowest", "seconds"), ("largest", "mib")):
        print(f"-- {title}")
        for result in sorted(results, key=lambda result: -result[key])[: options.top]:
            show(result)
    for title, chosen in (("wrong verdict", wrong), ("too slow or too large", slow)):
        for result in chosen:
            print(
                f"{title}: {result['file']}: expected {result['expect']}, got {result['verdict']} "
                f"({result['detail']}), {result['seconds']:.2f} s, {result['mib']:.0f} MiB"
            )
    print(f"{len(results)} cases, {len(wrong)} wrong verdicts, {len(slow)} too slow or too large")
    sys.exit(1 if wrong or slow else 0)


def measure(program: str, folder: Path, row: dict) -> dict:
    path = folder / row["file"]
    began = time.monotonic()
    child = subprocess.Popen([program, "check", str(path), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, messages = child.stdout.read(), child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    report = json.loads(output) if child.returncode in (0, 1) else {"detail": messages.decode(errors="replace")}
    verdict = "accept" if report.get("accepted") else report.get("code", f"exit {child.returncode}")
    return row | {
        "verdict": verdict,
        "detail": report.get("detail", ""),
        "seconds": seconds,
        "mib": usage.ru_maxrss / 1024,
        "size": path.stat().st_size,
    }


def show(result: dict) -> None:
    print(
        f"{result['seconds']:7.2f} s {result['mib']:7.1f} MiB {result['size'] / 1024 / 1024:6.2f} MiB file  "
        f"{result['file']}: {result['verdict']}"
    )


if __name__ == "__main__":
    main()
