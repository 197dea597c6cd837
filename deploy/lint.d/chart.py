"""Lints the chart with Helm's own library, renders it with its defaults and with everything turned on, and holds what comes out
against the schemas of Kubernetes and against what the chart promises.

    chart.py CHART
"""

import sys

import helm_python as helm
import kubernetes_validate
import yaml

KUBERNETES = "1.33"
EVERYTHING = {
    "image": {"registry": "registry.example.com/platform", "pullSecrets": [{"name": "registry"}]},
    "secrets": {"ca": "ca", "awsSigner": "aws-signer", "awsDeployer": "aws-deployer"},
    "signer": {"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/signer"}}},
    "deployer": {"functionsClaim": "functions", "nodeSelector": {"pool": "build"}},
    "networkPolicy": {
        "healthFrom": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}],
        "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 5671}]}],
    },
}
WRONG = [{"signer": {"replicas": "two"}}, {"singer": {}}, {"setup": {"profiles": []}}]


def main(path):
    problems = [f"lint: {message}" for message in lint_messages(path)]
    with helm.Chart.load(path) as chart:
        for name, values in ("defaults", {}), ("everything", EVERYTHING):
            documents = render(chart, values)
            problems += [f"{name}: {problem}" for document in documents for problem in check(document)]
            problems += [f"{name}: {problem}" for problem in promises(documents)]
            print(f"{name}: {len(documents)} objects")
        problems += [f"values.schema.json accepts {values}" for values in WRONG if accepts(chart, values)]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def lint_messages(path):
    for message in helm.lint(path).get("messages") or []:
        severity = message.get("severity", message.get("Severity"))
        # 1 is for information, such as that an icon is recommended.
        if severity not in (0, 1, "INFO", "UNKNOWN"):
            yield message


def render(chart, values):
    rendered = chart.render(values, name="release", namespace="default")
    texts = [text for name, text in sorted(rendered.items()) if name.endswith(".yaml")]
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


def accepts(chart, values):
    try:
        render(chart, values)
    except helm.HelmError:
        return False
    return True


def check(document):
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{document['kind']} {document['metadata']['name']}: {error}"


def promises(documents):
    """What stands in the chart's README, and in SECURITY.md: who deploys never holds a key."""
    for document in documents:
        template = document.get("spec", {}).get("template", {}).get("spec")
        if template is None:
            continue
        name = document["metadata"]["name"]
        for container in template["containers"] + template.get("initContainers", []):
            security = container["securityContext"]
            if not (security["readOnlyRootFilesystem"] and security["capabilities"]["drop"] == ["ALL"]):
                yield f"{name}: {container['name']} is not hardened"
            if security["allowPrivilegeEscalation"] or not template["securityContext"]["runAsNonRoot"]:
                yield f"{name}: {container['name']} may become root"
        if name.endswith("-deployer") and "countersign-keys" in yaml.safe_dump(template):
            yield f"{name}: the deployer reaches the secret with the keys"


sys.exit(main(sys.argv[1]))
