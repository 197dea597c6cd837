"""A4: a file for one reader and a directory for another."""

from builder import DOS, MACOS, NTFS, NTFS_INFOZIP, UNIX, VFAT, deflated, directory, stored, symlink, zip_of
from cases import TEXT, Group

HOSTS = {"dos": DOS, "unix": UNIX, "ntfs": NTFS, "ntfs-infozip": NTFS_INFOZIP, "vfat": VFAT, "macos": MACOS}


def cases() -> Group:
    group = Group("A4")
    for label, host in HOSTS.items():
        group.refuse(
            f"dos-bit-{label}",
            "directory_mismatch",
            zip_of(stored("test", b"1").host(host).mode(0, 0x10)),
            "the DOS directory bit without a slash",
        )
        has_modes = host in (UNIX, MACOS)
        group.refuse(
            f"s-ifdir-{label}",
            "directory_mismatch" if has_modes else "foreign_mode",
            zip_of(stored("test", b"1").host(host).mode(0o040755)),
            "S_IFDIR without a slash",
        )
        group.refuse(
            f"backslash-{label}",
            "name_forbidden_character",
            zip_of(stored("test\\").host(host).mode(0)),
            "a backslash at the end is a slash for some readers",
        )
        group.refuse(
            f"slash-data-{label}",
            "directory_with_data",
            zip_of(stored("test/", b"content").host(host).mode(0)),
            "a slash, and content",
        )
    group.refuse(
        "dos-bit-empty",
        "directory_mismatch",
        zip_of(stored("test").mode(0o100644, 0x10)),
        "an empty file with the DOS directory bit",
    )
    group.refuse(
        "both-bits-no-slash",
        "directory_mismatch",
        zip_of(stored("test").mode(0o040755, 0x10)),
        "a directory for all but the name",
    )
    group.refuse(
        "backslash-directory",
        "name_forbidden_character",
        zip_of(stored("test\\").mode(0o040755, 0x10)),
        "a directory but for the slash",
    )
    group.refuse("slash-regular", "directory_mismatch", zip_of(stored("test/").mode(0o100644)), "S_IFREG and a slash")
    group.refuse(
        "slash-regular-data",
        "directory_mismatch",
        zip_of(stored("test/", b"1").mode(0o100644)),
        "S_IFREG, a slash, and content",
    )
    group.refuse("slash-symlink", "directory_mismatch", zip_of(symlink("test/", "x")), "a link whose name has a slash")
    group.refuse(
        "slash-data-directory",
        "directory_with_data",
        zip_of(directory("test/").but(data=b"1").both(crc=stored("x", b"1").cdh.crc, compressed=1, size=1)),
        "S_IFDIR, a slash, and content",
    )
    group.refuse(
        "slash-data-deflated",
        "directory_with_data",
        zip_of(deflated("test/", TEXT).mode(0o040755)),
        "S_IFDIR, a slash, and deflated content",
    )
    group.refuse(
        "slash-local-only",
        "cd_lfh_name_mismatch",
        zip_of(stored("test").local(name=b"test/").mode(0)),
        "a slash in the local header alone",
    )
    group.refuse(
        "slash-central-only",
        "cd_lfh_name_mismatch",
        zip_of(directory("test/").local(name=b"test")),
        "a slash in the directory alone",
    )
    group.refuse(
        "file-and-directory", "duplicate_name", zip_of(stored("test", b"1"), directory("test/")), "both kinds, one path"
    )
    group.refuse(
        "directory-and-file",
        "duplicate_name",
        zip_of(directory("test/"), stored("test", b"1")),
        "both kinds, one path, in the other order",
    )
    return group
