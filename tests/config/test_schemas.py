import json
import re
from pathlib import Path

import pytest

from pipmetrics.config import schemas
from pipmetrics.config.document import read

from .conftest import PEOPLE, PLAN, SETTINGS

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "docs/schemas"
NAMES = ("pipmetrics", "people", "plan")
TYPES = {
    "string": str, "array": list, "object": dict, "boolean": bool, "integer": int, "number": (int, float),
    "null": type(None),
}  # fmt: skip


@pytest.fixture(scope="module")
def known():
    return schemas()


def errors(schema, value, root=None, path=""):
    """What a JSON Schema validator would say, for the keywords that the published schemas use."""
    root = root or schema
    unknown = set(schema) - {
        "$schema", "$defs", "$ref", "title", "description", "examples", "default", "format", "type", "enum", "const",
        "pattern", "minLength", "minimum", "minItems", "items", "properties", "required", "additionalProperties",
        "anyOf", "oneOf", "allOf", "if", "then", "propertyNames",
    }  # fmt: skip
    assert not unknown, f"teach this validator {unknown}"
    found = []
    if "$ref" in schema:
        found += errors(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], value, root, path)
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        right = [
            kind
            for kind in kinds
            if isinstance(value, TYPES[kind]) and (kind == "boolean" or value not in (True, False))
        ]
        right += (
            ["number"]
            if isinstance(value, int) and not isinstance(value, bool) and {"integer", "number"} & {*kinds}
            else []
        )
        if not right:
            return [f"{path}: not {kinds}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path}: not one of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{path}: not {schema['const']}")
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"{path}: does not match {schema['pattern']}")
        if len(value) < schema.get("minLength", 0):
            found.append(f"{path}: too short")
    if isinstance(value, (int, float)) and value < schema.get("minimum", value):
        found.append(f"{path}: too small")
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            found.append(f"{path}: too few")
        for place, each in enumerate(value):
            found += errors(schema.get("items", {}), each, root, f"{path}/{place}")
    if isinstance(value, dict):
        found += [f"{path}: {key} is missing" for key in schema.get("required", ()) if key not in value]
        found += [each for key in value for each in errors(schema.get("propertyNames", {}), key, root, f"{path}/{key}")]
        more = schema.get("additionalProperties", {})
        for key, each in value.items():
            inner = schema.get("properties", {}).get(key, more)
            found += [f"{path}: unknown {key}"] if inner is False else errors(inner, each, root, f"{path}/{key}")
    for each in schema.get("allOf", ()):
        found += errors(each, value, root, path)
    for choice in (schema.get("anyOf"), schema.get("oneOf")):
        if choice and all(errors(each, value, root, path) for each in choice):
            found.append(f"{path}: fits none")
    if "if" in schema and not errors(schema["if"], value, root, path):
        found += errors(schema["then"], value, root, path)
    return found


def plain(text: str):
    document, problems = read("f", text.encode())
    assert problems == []
    return document.plain()


@pytest.mark.parametrize("name", NAMES)
def test_the_published_schemas_are_fresh(known, name):
    """When this fails, `pipmetrics schema NAME > docs/schemas/NAME.schema.json` mends it."""
    assert json.loads((PUBLISHED / f"{name}.schema.json").read_text(encoding="utf-8")) == known[name]


def test_there_is_one_schema_a_file(known):
    assert tuple(known) == NAMES
    assert {path.name for path in PUBLISHED.iterdir()} == {f"{name}.schema.json" for name in NAMES}


def test_the_example_configuration_fits_the_schemas(known):
    folder = ROOT / "config"
    for name, paths in {
        "pipmetrics": [folder / "pipmetrics.yaml"],
        "people": [folder / "people.yaml"],
        "plan": sorted((folder / "plans").iterdir()),
    }.items():
        for path in paths:
            assert errors(known[name], plain(path.read_text(encoding="utf-8"))) == [], path


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("pipmetrics", SETTINGS + "stor: x", "unknown stor"),
        ("pipmetrics", SETTINGS.replace("connector: jira", "connector: jirra"), "not one of"),
        ("pipmetrics", SETTINGS.replace('"${GITHUB_TOKEN}"', "hunter2"), "fits none"),
        ("pipmetrics", SETTINGS.replace("repositories", "repos"), "unknown repos"),
        ("pipmetrics", SETTINGS + "history: 180", "not ['string']"),
        ("pipmetrics", SETTINGS.replace("user:", "resolutions: {fix: [Done]}, user:"), "not one of"),
        ("pipmetrics", SETTINGS.replace("user:", "releases: [acme/app], user:"), "unknown releases"),
        ("people", PEOPLE.replace("roles", "role"), "unknown role"),
        ("people", PEOPLE.replace("name: Ben Example, ", ""), "name is missing"),
        ("people", PEOPLE.replace("hub: ben", "hub: 5"), "fits none"),
        ("plan", PLAN.replace("limit: 24h", "limt: 24h"), "limit is missing"),
        ("plan", PLAN.replace("limit: 24h", "limt: 24h"), "unknown limt"),
        ("plan", PLAN.replace("90%", "0.9"), "not ['string']"),
        ("plan", PLAN.replace("review_turnaround", "review_time"), "not one of"),
        ("plan", PLAN.replace("share_within", "share_in"), "not one of"),
        ("plan", PLAN + "    guardrail: {metric: review_depth, at_mos: 5%}", "unknown at_mos"),
        ("plan", PLAN + "    guardrail: {metric: review_depth, criterion: increase}", "target is missing"),
        ("plan", PLAN + "  - {id: s, criterion: streak, weeks: 4, of: {metric: lead_time}}", "criterion is missing"),
        ("plan", PLAN.replace("kind: pip", "kind: pop"), "not one of"),
        ("plan", PLAN.replace("person: ada\n", ""), "person is missing"),
    ],
)
def test_what_the_loader_refuses_an_editor_marks(known, name, text, wrong):
    assert [each for each in errors(known[name], plain(text)) if wrong in each]


@pytest.mark.parametrize("name", NAMES)
def test_every_key_has_a_description_for_the_reference(known, name):
    def walk(node, path):
        if isinstance(node, dict):
            for key, each in node.get("properties", {}).items():
                if "const" not in each and not path.endswith("/if"):
                    assert each.get("description"), f"{path}/{key}"
            for key, each in node.items():
                walk(each, f"{path}/{key}")
        elif isinstance(node, list):
            for place, each in enumerate(node):
                walk(each, f"{path}/{place}")

    walk(known[name], name)


def test_defaults_are_written_as_people_write_them(known):
    text = json.dumps(known)
    assert '"default": "P' not in text
    assert known["plan"]["$defs"]["criterion_share_within"]["properties"]["minimum"]["default"] == 5
