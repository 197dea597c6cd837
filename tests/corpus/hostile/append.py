"""What passes the gate and cannot be signed (FORMAT.md section 3.4). `sign` in the manifest names the platform."""

from builder import directory, stored, symlink, zip_of
from cases import Group, named

OURS, AWS = "Countersign-SHA256-RSA", "AWSLambda-SHA384-ECDSA"
P7S, SF = "META-INF/countersign.p7s", "META_INF/aws_signer_signature_v1.0.SF"
SIGNED, RESERVED = "already_signed", "reserved_name"


def cases() -> Group:
    group = Group("append")
    for platform, label in ((OURS, "ours"), (AWS, "aws")):
        for name, kind in ((P7S, "p7s"), (SF, "sf"), (P7S.upper(), "p7s-upper"), (SF.lower(), "sf-lower")):
            group.unsignable(f"{label}-{kind}", SIGNED, platform, zip_of(stored("a"), stored(name, b"x")), name)
    group.unsignable("ours-folder-is-file", RESERVED, OURS, named("META-INF"), "a file where the folder must be")
    group.unsignable("ours-folder-is-file-lower", RESERVED, OURS, named("meta-inf"), "the same in lower case")
    group.unsignable(
        "ours-folder-is-link", RESERVED, OURS, zip_of(symlink("META-INF", "x"), directory("x/")), "a link there"
    )
    group.unsignable("aws-folder", RESERVED, AWS, named("META_INF/"), "the folder that AWS adds")
    group.unsignable("aws-folder-lower", RESERVED, AWS, named("meta_inf/x"), "a file in it, in lower case")
    group.unsignable("aws-folder-is-file", RESERVED, AWS, named("META_INF"), "a file where the folder must be")
    many = named(*(f"{n:04x}" for n in range(65534)))
    group.unsignable("count", "would_change_form", OURS, many, "the 65,535th entry would need zip64")
    group.unsignable(
        "count-aws",
        "would_change_form",
        AWS,
        many.but(entries=many.entries[:65533]),
        "the 65,535th entry would need zip64, and AWS adds two",
    )
    return group
