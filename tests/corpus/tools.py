"""What the tools write that are installed here. Their bytes differ from version to version; the verdict must not.

Each recipe is a shell script that runs in the tree to pack and writes the archive to $OUT.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cases import ACCEPT, NARROW_DESCRIPTORS, OEM_NAMES, UNTYPED_MODES

STREAM = """
import os, sys, zipfile
with zipfile.ZipFile(sys.stdout.buffer, "w", zipfile.ZIP_DEFLATED) as archive:
    for top, _, names in sorted(os.walk(".")):
        for name in sorted(names):
            path = os.path.join(top, name)
            entry = zipfile.ZipInfo.from_file(path)
            entry.compress_type = zipfile.{method}
            with open(path, "rb") as body, archive.open(entry, "w", force_zip64={wide}) as out:
                out.write(body.read())
    archive.writestr("from memory", b"0600 and no type")
"""

PERL = r"""
use IO::Compress::Zip qw(:constants); my $out = IO::Compress::Zip->new($ENV{OUT}, Name => "text", %s) or die;
print $out "some text\n" x 50; $out->newStream(Name => "folder/run", ExtAttr => 0100755 << 16); print $out "#!/bin/sh\n"; $out->close;
"""


@dataclass(frozen=True)
class Recipe:
    name: str
    program: str
    script: str
    expect: str = ACCEPT
    note: str = ""
    links: bool = False
    accents: bool = False
    differs: dict[str, str] = field(default_factory=dict)


def python(code: str) -> str:
    return f"python3 -c '{code}'"


def stream(wide: bool = False, method: str = "ZIP_DEFLATED") -> str:
    return python(STREAM.format(wide=wide, method=method))


RECIPES = (
    Recipe("zip", "zip", 'zip -qr "$OUT" .'),
    Recipe("zip-links", "zip", 'zip -qry "$OUT" .', links=True),
    Recipe("zip-stored", "zip", 'zip -qr -0 "$OUT" .'),
    Recipe("zip-fast", "zip", 'zip -qr -1 "$OUT" .'),
    Recipe("zip-best", "zip", 'zip -qr -9 "$OUT" .'),
    Recipe("zip-bare", "zip", 'zip -qrXD "$OUT" .'),
    Recipe("zip-pipe", "zip", 'zip -qr - . | cat > "$OUT"'),
    Recipe("zip-fz", "zip", 'zip -qr -fz "$OUT" .'),
    Recipe("zip-comment", "zip", 'echo "a comment" | zip -qrz "$OUT" .'),
    Recipe("zip-updated", "zip", 'zip -q "$OUT" text && zip -qr "$OUT" . && zip -qd "$OUT" text'),
    Recipe("zip-grown", "zip", 'zip -q "$OUT" none && echo more > more && zip -qg "$OUT" more && rm more'),
    Recipe(
        "zip-accents",
        "zip",
        'zip -qr "$OUT" .',
        "name_flag_missing",
        "raw UTF-8 without bit 11, on Debian",
        accents=True,
    ),
    Recipe("zip-stdin", "zip", 'echo x | zip -q "$OUT" -', "special_file", "a pipe's mode"),
    Recipe("zip-encrypted", "zip", 'zip -qr -P secret "$OUT" .', "encrypted"),
    Recipe("zip-bzip2", "zip", 'zip -qr -Z bzip2 "$OUT" .', "unsupported_method"),
    Recipe("zip-fz-pipe", "zip", 'zip -qr -fz - . | cat > "$OUT"', "zip64_missing", "it forgets the zip64 end record"),
    Recipe("zip-split", "zip", 'zip -qr -s 64k split.zip . && cp split.zip "$OUT"', "multi_disk"),
    Recipe("zip-stub", "zip", 'zip -qr - . > body; (echo "#!/bin/sh"; cat body) > "$OUT"; rm body', "prefix_data"),
    Recipe(
        "zip-stub-adjusted",
        "zip",
        'zip -qr - . > body; (echo "#!/bin/sh"; cat body) > "$OUT"; rm body; zip -qA "$OUT"',
        "prefix_data",
    ),
    Recipe("jar", "jar", 'jar cf "$OUT" .'),
    Recipe("jar-stored", "jar", 'jar c0f "$OUT" .'),
    Recipe("jar-bare", "jar", 'jar cfM "$OUT" .'),
    Recipe("jar-updated", "jar", 'jar cf "$OUT" text && jar uf "$OUT" folder'),
    Recipe("jar-accents", "jar", 'jar cf "$OUT" .', accents=True, differs=OEM_NAMES),
    Recipe("7z", "7z", '7z a -tzip -bso0 "$OUT" .'),
    Recipe("7z-stored", "7z", '7z a -tzip -mx0 -bso0 "$OUT" .'),
    Recipe("7z-best", "7z", '7z a -tzip -mx9 -bso0 "$OUT" .'),
    Recipe("7z-accents", "7z", '7z a -tzip -bso0 "$OUT" .', accents=True),
    Recipe("7z-deflate64", "7z", '7z a -tzip -mm=Deflate64 -bso0 "$OUT" .', "unsupported_method"),
    Recipe("7z-lzma", "7z", '7z a -tzip -mm=LZMA -bso0 "$OUT" .', "unsupported_method"),
    Recipe("7z-encrypted", "7z", '7z a -tzip -psecret -bso0 "$OUT" .', "encrypted"),
    Recipe("7z-aes", "7z", '7z a -tzip -psecret -mem=AES256 -bso0 "$OUT" .', "encrypted"),
    Recipe("bsdtar", "bsdtar", 'bsdtar -cf "$OUT" --format zip *', links=True, accents=True),
    Recipe("bsdtar-zip64", "bsdtar", 'bsdtar -cf "$OUT" --format zip --options zip:zip64 *', links=True),
    Recipe("bsdtar-dot", "bsdtar", 'bsdtar -cf "$OUT" --format zip .', "name_traversal", "it keeps ./ in front"),
    Recipe("bsdtar-pipe", "bsdtar", 'bsdtar -cf - --format zip * | cat > "$OUT"', "trailing_data", "it pads to 10 KiB"),
    Recipe(
        "bsdtar-stored",
        "bsdtar",
        'bsdtar -cf "$OUT" --format zip --options zip:compression=store text',
        "descriptor_on_stored_data",
    ),
    Recipe(
        "bsdtar-experimental",
        "bsdtar",
        'bsdtar -cf "$OUT" --format zip --options zip:experimental *',
        "libarchive_extra",
    ),
    Recipe("python", "python3", 'python3 -m zipfile -c "$OUT" *', accents=True),
    Recipe(
        "python-make-archive",
        "python3",
        python('import os, shutil; shutil.make_archive(os.environ["OUT"][:-4], "zip", ".")'),
    ),
    Recipe("python-zipapp", "python3", 'echo "print(1)" > __main__.py; python3 -m zipapp . -o "$OUT"; rm __main__.py'),
    Recipe(
        "python-zipapp-stub",
        "python3",
        'echo "print(1)" > __main__.py; python3 -m zipapp . -p /usr/bin/python3 -o "$OUT"; rm __main__.py',
        "prefix_data",
    ),
    Recipe("python-file", "python3", stream() + ' > "$OUT"', differs=UNTYPED_MODES),
    Recipe("python-pipe", "python3", stream() + ' | cat > "$OUT"', differs=UNTYPED_MODES),
    Recipe("python-zip64", "python3", stream(wide=True) + ' > "$OUT"', differs=UNTYPED_MODES),
    Recipe(
        "python-zip64-pipe",
        "python3",
        stream(wide=True) + ' | cat > "$OUT"',
        differs=UNTYPED_MODES | NARROW_DESCRIPTORS,
    ),
    Recipe(
        "python-pipe-stored", "python3", stream(method="ZIP_STORED") + ' | cat > "$OUT"', "descriptor_on_stored_data"
    ),
    Recipe(
        "git",
        "git",
        "git init -q . && git add -A && git -c user.name=a -c user.email=a@example.org commit -qm tree && "
        'git archive --format zip --prefix repo/ -o "$OUT" HEAD && rm -rf .git',
        links=True,
        accents=True,
    ),
    Recipe("perl", "perl", f"perl -e '{PERL % ''}'"),
    Recipe("perl-minimal", "perl", f"perl -e '{PERL % 'Minimal => 1'}'"),
    Recipe("perl-zip64", "perl", f"perl -e '{PERL % 'Zip64 => 1'}'"),
)


def write(outdir: Path) -> tuple[list[dict], list[dict]]:
    """The manifest's rows, and the recipes that could not run with the reason."""
    rows, skipped = [], []
    for recipe in RECIPES:
        out = outdir.resolve() / f"tool-{recipe.name}.zip"
        out.unlink(missing_ok=True)
        reason = run(recipe, out)
        if reason:
            skipped.append({"name": f"tool-{recipe.name}", "note": reason})
            continue
        row = {"name": f"tool-{recipe.name}", "file": out.name, "class": "tool", "expect": recipe.expect}
        if recipe.differs:
            row["differs"] = recipe.differs
        rows.append(row | {"note": recipe.note or " ".join(recipe.script.split())[:100]})
    return rows, skipped


def run(recipe: Recipe, out: Path) -> str | None:
    """Why it could not run."""
    if not shutil.which(recipe.program):
        return f"{recipe.program} is not installed"
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        plant(Path(folder), recipe.links, recipe.accents)
        environment = os.environ | {"OUT": str(out), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        result = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", recipe.script],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
    if result.returncode != 0 or not out.exists():
        out.unlink(missing_ok=True)
        return f"{recipe.program} failed: {result.stderr.decode(errors='replace').strip()[-200:]}"
    return None


def plant(tree: Path, links: bool, accents: bool) -> None:
    """Files of all sizes that matter, folders full and empty, an executable; links and accents where they are wanted."""
    (tree / "folder/deeper").mkdir(parents=True)
    (tree / "nothing here").mkdir()
    files = {
        "text": b"some text, some text, some text\n" * 50,
        "none": b"",
        "folder/run": b"#!/bin/sh\n",
        "folder/deeper/noise": noise(70_000),
    }
    if accents:
        files |= {"é.txt": b"accent\n", "folder/日本.txt": b"script\n"}
    for name, body in files.items():
        (tree / name).write_bytes(body)
    (tree / "folder/run").chmod(0o755)
    if links:
        (tree / "folder/link").symlink_to("../text")
        (tree / "to-folder").symlink_to("folder")
    for path in [*tree.rglob("*"), tree]:
        os.utime(path, (1735732800, 1735732800), follow_symlinks=False)


def noise(size: int) -> bytes:
    """Bytes that do not compress, the same in every run."""
    state, out = 0x9E3779B97F4A7C15, bytearray()
    while len(out) < size:
        state ^= state << 13 & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 7
        state ^= state << 17 & 0xFFFFFFFFFFFFFFFF
        out += state.to_bytes(8, "little")
    return bytes(out[:size])
