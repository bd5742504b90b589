"""Whatever the files hold, there is a configuration or a ConfigError with places, and never anything else."""

import json
import random
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pipmetrics.config import lint, load
from pipmetrics.config.document import read
from pipmetrics.errors import ConfigError

from .conftest import PEOPLE, PLAN, SETTINGS

WHOLE_PLAN = (
    PLAN
    + """\
    guardrail: {metric: review_depth, at_most: 20%}
    exclude: [{label: dep, reason: bots}]
    expectation: "Answer within 24 hours"
    deficiency: slow
  - {id: s, criterion: streak, weeks: 4, of: {metric: lead_time, criterion: share_within, limit: 24h, target: 90%}}
  - {id: r, metric: post_deploy_bugs, criterion: reduction, target: 50%, per: changes_deployed, baseline: 90 days}
  - {id: t, metric: time_to_merge, criterion: trend, direction: down, minimum_slope: 30m}
  - {id: a, criterion: attest, by: tech-lead, at_least: 2}
deficiencies: [{id: slow, text: Slow., evidence: [x]}]
supports: [{text: Course, owner: dana, due: 2026-11-01}]
check_ins: {every: week, on: Monday}
waivers: [{code: PIP107, reason: known}]
"""
)
FILES = {"pipmetrics.yaml": SETTINGS, "people.yaml": PEOPLE, "plans/plan.yaml": WHOLE_PLAN}
QUIET = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))

words = st.sampled_from(
    [
        "no", "off", "null", "24h", "90%", "1e3", "2026-10-20", "plan", "week", "${X}", "file:x", "../x", "ada", "dana",
        "review_turnaround", "threshold", "share_within", "Mon-Fri", "09:00-17:00", "last 14 days", "2d\u00a04h", "٣h",
        "９０%", "0h", "99999999999h", "1e999%", "<<", "", "!!str", "999999.999999w", "last\u202f14 days", "²h",
        "1 ²", "#",
    ]
)  # fmt: skip
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), words, st.integers(10**14, 10**40)
)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.text(max_size=8), words), inner, max_size=4)
    ),
    max_leaves=12,
)


def written(tree: object) -> str:
    """The tree as YAML that says the same: JSON, with YAML's words for what JSON has none for."""
    return json.dumps(tree).replace("NaN", ".nan").replace("-Infinity", "-.inf").replace("Infinity", ".inf")


def loads_or_says_why(files: dict[str, str | bytes]) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        for path, content in files.items():
            target = Path(name, path)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        try:
            lint.lint(load(name))
        except ConfigError as error:
            problems = error.problems
        else:
            return []
        assert problems
        assert all(problem.file.startswith(name) and problem.what for problem in problems)
        return [str(problem) for problem in problems]


def test_the_whole_example_is_right():
    assert loads_or_says_why(dict(FILES)) == []


@QUIET
@given(st.sampled_from(sorted(FILES)), trees)
def test_arbitrary_trees(name, tree):
    loads_or_says_why({**FILES, name: written(tree)})


@QUIET
@given(st.sampled_from(sorted(FILES)), st.one_of(st.binary(max_size=300), st.text(max_size=300)))
@example("people.yaml", b"\xff\xfe\x00\x00")
@example("people.yaml", "a: &a [*a, *a]")
@example("people.yaml", "%YAML 9.9\n---\n")
@example("people.yaml", "%TAG ! tag:x,2000:\n---\n!x a: b")
@example("people.yaml", "a: !<\ud800>")
def test_arbitrary_bytes_and_text(name, content):
    loads_or_says_why({**FILES, name: content})


@QUIET
@given(st.text(alphabet="{}[],:&*!|>'\"%@`#-? \n\tab1~<", max_size=60))
def test_arbitrary_punctuation(content):
    document, problems = read("f.yaml", content.encode())
    assert document is not None or problems


@QUIET
@given(st.sampled_from(sorted(FILES)), st.integers(0, 10**6), trees)
def test_one_value_of_a_right_file_replaced_by_anything(name, seed, value):
    tree = YAML(typ="safe", pure=True).load(FILES[name])
    parents = [(parent, key) for parent, key in places(tree)]
    parent, key = random.Random(seed).choice(parents)
    parent[key] = value
    text = (
        json.dumps(tree, default=str).replace("NaN", ".nan").replace("-Infinity", "-.inf").replace("Infinity", ".inf")
    )
    loads_or_says_why({**FILES, name: text})


@QUIET
@given(st.sampled_from(sorted(FILES)), st.integers(0, 10**6), st.sampled_from(["drop", "double", "rename"]))
def test_one_key_of_a_right_file_dropped_doubled_or_renamed(name, seed, how):
    lines = FILES[name].splitlines(keepends=True)
    place = random.Random(seed).randrange(len(lines))
    changed = {"drop": "", "double": lines[place] * 2, "rename": lines[place].replace(":", "x:", 1)}[how]
    loads_or_says_why({**FILES, name: "".join([*lines[:place], changed, *lines[place + 1 :]])})


@QUIET
@given(st.sampled_from(sorted(FILES)), st.integers(0, 10**6), st.from_regex(r"zq[a-z0-9]{12}", fullmatch=True))
def test_a_secret_in_place_of_any_value_is_never_repeated(name, seed, secret):
    tree = YAML(typ="safe", pure=True).load(FILES[name])
    parent, key = random.Random(seed).choice(list(places(tree)))
    parent[key] = secret
    assert secret not in "".join(loads_or_says_why({**FILES, name: json.dumps(tree, default=str)}))


def places(tree):
    """Every value of a tree, by its parent and key."""
    steps = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)) if isinstance(tree, list) else []
    for key, value in steps:
        yield tree, key
        yield from places(value)
