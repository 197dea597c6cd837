#!/usr/bin/env python3
"""Makes the files of this folder: reduce.py CLONE, where CLONE is a git clone of C2SP/wycheproof. README.md says what is kept."""

import json
import pathlib
import subprocess
import sys

COMMIT = "dac1dd4729fd1f8dd9e1e9f3dce51d783da6c166"
# Keys and parameters that the verifier accepts: every test is kept.
WHOLE = ["ecdsa_secp384r1_sha384", "rsa_pss_3072_sha256_mgf1_32"]
# Keys, digests, paddings or encodings that it refuses as such: only a signature that is good elsewhere can show a fault.
REFUSED = [
    "ecdsa_secp256r1_sha256",
    "ecdsa_secp384r1_sha256",
    "ecdsa_secp384r1_sha512",
    "ecdsa_secp384r1_sha384_p1363",
    "rsa_pss_2048_sha256_mgf1_32",
    "rsa_pss_4096_sha256_mgf1_32",
    "rsa_pss_3072_sha256_mgf1_32_params",
    "rsa_pss_misc",
    "rsa_signature_2048_sha256",
    "rsa_signature_3072_sha256",
    "rsa_signature_4096_sha256",
]


def main(clone):
    for name in WHOLE + REFUSED:
        path = f"testvectors_v1/{name}_test.json"
        text = subprocess.run(["git", "-C", clone, "show", f"{COMMIT}:{path}"], check=True, capture_output=True).stdout
        groups = json.loads(text)["testGroups"]
        if name == "rsa_pss_misc":
            groups = [group for group in groups if group["sha"] == "SHA-256"]
        tests = {id(group): group["tests"] if name in WHOLE else good(group["tests"]) for group in groups}
        lines = ",\n".join(shown(group, tests[id(group)]) for group in groups if tests[id(group)])
        pathlib.Path(__file__).with_name(f"{name}.json").write_text(f"[\n{lines}\n]\n")


def good(tests):
    """Of the tests that are not invalid, the first with each combination of flags."""
    first = {}
    for test in tests:
        if test["result"] != "invalid":
            first.setdefault((test["result"], *test["flags"]), test)
    return list(first.values())


def shown(group, tests):
    parameters = " ".join(str(group[key]) for key in ("sha", "mgfSha", "sLen") if key in group)
    keys = ("tcId", "result", "flags", "msg", "sig")
    rows = ",\n".join("    " + json.dumps({key: test[key] for key in keys}) for test in tests)
    head = f'{{ "parameters": "{parameters}", "key": "{group["publicKeyDer"]}",'
    return f'  {head}\n    "tests": [\n{rows}\n  ] }}'


main(*sys.argv[1:])
