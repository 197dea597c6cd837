"""Holds IAM policies against AWS's own list of actions, resources and conditions.

    policies.py FILE...
"""

import sys

from parliament import analyze_policy_string

# What a deployer of functions cannot do without; ../iam/README.md says how far it goes.
INTENDED = {
    ("deployer.json", "PRIVILEGE_ESCALATION"),
    ("deployer-create.json", "PERMISSIONS_MANAGEMENT_ACTIONS"),
    # Of Countersign's own principals, whose functions run nowhere here.
    ("deploy-functions.json", "PRIVILEGE_ESCALATION"),
}

found = 0
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        findings = analyze_policy_string(file.read(), path, include_community_auditors=True).findings
    for finding in findings:
        if (path.rsplit("/", 1)[-1], finding.issue) not in INTENDED:
            found += 1
            print(f"{path}: {finding.issue} {finding.detail} {finding.location}", file=sys.stderr)
sys.exit(1 if found else 0)
