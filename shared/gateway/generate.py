#!/usr/bin/env python3
"""Writes the tables of src/model from the service models of the installed botocore.

    generate.py FOLDER      writes FOLDER/signer.rs and FOLDER/lambda.rs

Facts only: names, places, constraints, status codes. What the tables cannot say (a member in a header, a streamed body,
an unknown type) stops the generator, so that it cannot be left out silently.
"""
import os
import re
import subprocess
import sys

import botocore
import botocore.session

# The operations of Lambda that the project answers. Signer's are all of them.
LAMBDA = """
CreateCodeSigningConfig GetCodeSigningConfig UpdateCodeSigningConfig DeleteCodeSigningConfig ListCodeSigningConfigs
ListFunctionsByCodeSigningConfig PutFunctionCodeSigningConfig GetFunctionCodeSigningConfig
DeleteFunctionCodeSigningConfig CreateFunction UpdateFunctionCode UpdateFunctionConfiguration GetFunction
GetFunctionConfiguration ListFunctions DeleteFunction PublishVersion ListVersionsByFunction CreateAlias GetAlias UpdateAlias DeleteAlias ListAliases PublishLayerVersion
GetLayerVersion GetLayerVersionByArn ListLayers ListLayerVersions DeleteLayerVersion AddLayerVersionPermission
RemoveLayerVersionPermission GetLayerVersionPolicy TagResource UntagResource ListTags GetAccountSettings
""".split()

SERVICES = {"signer": ("2017-08-25", None), "lambda": ("2015-03-31", LAMBDA)}

# Labels that take the rest of the path: ARNs of Signer hold slashes, and not every client encodes them.
TO_THE_END = {"/tags/{resourceArn}", "/2017-03-31/tags/{Resource}"}

# Types without constraints, which src/model/mod.rs has.
PLAIN = {"string": "STRING", "integer": "INTEGER", "long": "LONG", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP"}


def text(value):
    """A Rust string; raw where that reads better."""
    if '"' in value or "\\" in value:
        hashes = "#" if '"' in value else ""
        return f'r{hashes}"{value}"{hashes}'
    return f'"{value}"'


def constant(name):
    """CodeSigningConfigArn -> CODE_SIGNING_CONFIG_ARN"""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).upper()


def bound(value):
    return "None" if value is None else f"Some({value})"


class Tables:
    def __init__(self, service, version, operations):
        session = botocore.session.get_session()
        self.model = session.get_service_model(service, version)
        assert self.model.protocol == "rest-json" or "rest-json" in self.model.metadata["protocols"]
        self.service = service
        self.operations = operations or list(self.model.operation_names)
        self.shapes = {}

    def render(self):
        operations = "\n".join(self.operation(self.model.operation_model(name)) for name in sorted(self.operations))
        shapes = "\n".join(self.shapes[name] for name in sorted(self.shapes))
        errors = "\n".join(self.error(shape) for shape in sorted(self.errors(), key=lambda shape: shape.name))
        metadata = self.model.metadata
        source = f"Made by generate.py from botocore {botocore.__version__}."
        plain = sorted({name for name in PLAIN.values() if re.search(rf"&{name}\b", operations + shapes)})
        return f"""\
//! {metadata["serviceFullName"]}, API version {metadata["apiVersion"]}. {source}

use super::{{{", ".join(["ErrorClass", "Member", "Operation", "Pattern", "Segment", "Service", "Shape"] + plain)}}};

/// {metadata["serviceFullName"]}.
pub static SERVICE: Service = Service {{
    name: "{metadata["signingName"]}",
    version: "{metadata["apiVersion"]}",
    operations: &[{", ".join("&" + constant(name) for name in sorted(self.operations))}],
}};

{operations}
{errors}
{shapes}"""

    def operation(self, operation):
        assert not operation.has_streaming_input and not operation.has_streaming_output, operation.name
        path, _, query = operation.http["requestUri"].partition("?")
        find = "None"
        if query:
            name, value = query.split("=")
            find = f"Some(({text(name)}, {text(value)}))"
        output = operation.output_shape is not None
        return f"""\
/// {operation.name}.
pub static {constant(operation.name)}: Operation = Operation {{
    name: "{operation.name}",
    method: http::Method::{operation.http["method"]},
    path: &[{", ".join(self.segments(path))}],
    query: {find},
    status: {operation.http.get("responseCode", 200)},
    replies: {"true" if output and operation.http.get("responseCode") != 204 else "false"},
    input: &[{", ".join(self.members(operation.input_shape))}],
}};
"""

    def segments(self, path):
        for segment in path.strip("/").split("/"):
            label = re.fullmatch(r"\{(\w+)\+?\}", segment)
            if label and (path in TO_THE_END or segment.endswith("+}")):
                yield f"Segment::Rest({text(label[1])})"
            elif label:
                yield f"Segment::Label({text(label[1])})"
            else:
                yield f"Segment::Literal({text(segment)})"

    def members(self, structure):
        if structure is None:
            return
        assert not structure.serialization.get("payload"), structure.name
        for name, shape in structure.members.items():
            location = shape.serialization.get("location")
            wire = shape.serialization.get("name", name)
            if location == "uri":
                place = ".in_label()"
                assert wire == name, name
            elif location == "querystring":
                place = f".in_query({text(wire)})"
            else:
                assert location is None and wire == name, (structure.name, name, location)
                place = ""
            required = ".required()" if name in structure.required_members else ""
            yield f"Member::new({text(name)}, &{self.shape(shape)}){place}{required}"

    def shape(self, shape):
        """The name of the static that describes `shape`."""
        facts = dict(shape.metadata)
        if shape.type_name in PLAIN and not facts.keys() & {"min", "max", "pattern", "enum", "sensitive"}:
            return PLAIN[shape.type_name]
        name = constant(shape.name) + "_SHAPE"
        if name not in self.shapes:
            self.shapes[name] = ""
            sensitive = ".sensitive()" if facts.get("sensitive") else ""
            self.shapes[name] = f"static {name}: Shape = {self.kind(shape, facts)}{sensitive};"
        return name

    def kind(self, shape, facts):
        low, high = bound(facts.get("min")), bound(facts.get("max"))
        kind = shape.type_name
        if kind == "structure":
            assert not getattr(shape, "is_tagged_union", False), shape.name
            return f"Shape::structure(&[{', '.join(self.members(shape))}])"
        if kind == "list":
            return f"Shape::list(&{self.shape(shape.member)}, {low}, {high})"
        if kind == "map":
            return f"Shape::map(&{self.shape(shape.key)}, &{self.shape(shape.value)}, {low}, {high})"
        if kind == "string" and "enum" in facts:
            return f"Shape::one_of(&[{', '.join(text(value) for value in facts['enum'])}])"
        if kind == "string":
            pattern = f"Some(Pattern::new({text(facts['pattern'])}))" if "pattern" in facts else "None"
            return f"Shape::string({low}, {high}, {pattern})"
        if kind in ("blob", "integer", "long", "double"):
            return f"Shape::{kind}({low}, {high})"
        raise SystemExit(f"{shape.name} is a {kind} with constraints, which the tables cannot say")

    def errors(self):
        shapes = (self.model.shape_for(name) for name in self.model.shape_names)
        errors = {shape.name: shape for shape in shapes if shape.metadata.get("exception")}
        if self.service == "signer":
            return errors.values()
        used = (self.model.operation_model(name).error_shapes for name in self.operations)
        return {shape.name: shape for shapes in used for shape in shapes}.values()

    def error(self, shape):
        facts = shape.metadata["error"]
        message = next(name for name in shape.members if name.lower() == "message")
        body = ""
        if "Type" in shape.members:
            body = f".typed({text('User' if facts.get('senderFault') else 'Service')})"
        if "code" in shape.members:
            body = ".coded()"
        name = constant(shape.name.removesuffix("Exception")) + "_ERROR"
        return f"""\
/// {shape.name}, status {facts["httpStatusCode"]}.
pub static {name}: ErrorClass = ErrorClass::new("{shape.name}", {facts["httpStatusCode"]}, "{message}"){body};
"""


def main():
    folder = sys.argv[1]
    config = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    for service, (version, operations) in SERVICES.items():
        path = os.path.join(folder, f"{service}.rs")
        with open(path, "w", encoding="utf-8") as file:
            file.write(Tables(service, version, operations).render())
        subprocess.run(["rustfmt", "--edition", "2024", "--config-path", config, path], check=True)


if __name__ == "__main__":
    main()
