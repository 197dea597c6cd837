import os, sys, zipfile
force_zip64 = sys.argv[1] == "1"
with zipfile.ZipFile(sys.stdout.buffer, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.comment = b"made by a stream"
    for folder, _, names in sorted(os.walk(".")):
        for name in sorted(names):
            path = os.path.join(folder, name)
            entry = zipfile.ZipInfo.from_file(path)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with open(path, "rb") as body, archive.open(entry, "w", force_zip64=force_zip64) as out:
                out.write(body.read())
    archive.writestr("from memory", b"0600 and no type")
    archive.writestr("empty folder/", b"")
