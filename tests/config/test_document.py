import pytest

from pipmetrics.config.document import MAX_BYTES, Document, read


def tree(text: str):
    document, problems = read("f.yaml", text.encode())
    assert document is not None
    assert problems == []
    return document.plain()


def complaints(content: str | bytes) -> list[str]:
    _, problems = read("f.yaml", content if isinstance(content, bytes) else content.encode())
    return [str(problem).split("\n")[0] for problem in problems]


def document(text: str) -> Document:
    found, _ = read("f.yaml", text.encode())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"), ("off", "off"), ("yes", "yes"), ("NO", "NO"), ("22:22", "22:22"), ("2026-10-20", "2026-10-20"),
        ("1_000", "1_000"), ("0b1", "0b1"), ("0o17", 15), ("0x1F", 31), ("+12", 12), ("-3", -3), ("017", 17),
        ("1e3", 1000.0), (".5", 0.5), ("1.", 1.0), ("12e03", 12000.0), ("true", True), ("FALSE", False),
        ("tRue", "tRue"),
        ("null", None), ("~", None), ("", None), ("nil", "nil"), ("-.INF", float("-inf")), ("= x", "= x"),
    ],
)  # fmt: skip
def test_scalars_are_read_by_the_core_schema_of_yaml_1_2_alone(written, meant):
    assert tree(f"key: {written}") == {"key": meant}


def test_not_a_number_is_read_as_a_float():
    value = tree("key: .nan")["key"]
    assert value != value


def test_quoted_scalars_are_always_text():
    assert tree("a: '5'\nb: \"true\"\nc: |\n  1\n") == {"a": "5", "b": "true", "c": "1\n"}


def test_keys_are_text_whatever_they_look_like():
    assert tree("no: 1\n5: 2\nnull: 3\n2026-01-01: 4") == {"no": 1, "5": 2, "null": 3, "2026-01-01": 4}


def test_positions_count_lines_and_columns_from_one():
    found = document("# a comment\nplan: x\ncriteria:\n  - id: a\n    limit: 24h\n  - {id: b, limit: 2h}\n")
    assert found.at(("plan",)) == (2, 7)
    assert found.at(("plan",), key=True) == (2, 1)
    assert found.at(("criteria", 0, "limit")) == (5, 12)
    assert found.at(("criteria", 1)) == (6, 5)
    assert found.at(("criteria", 1, "limit"), key=True) == (6, 13)


def test_a_step_that_does_not_exist_points_at_what_does():
    found = document("a:\n  b: [1]\n")
    assert found.at(("a", "nothing", "b", 0)) == (2, 7)
    assert found.at(("a", "b", 9)) == (2, 6)
    assert found.value(("a", "nothing")) is None


def test_lines_are_those_of_an_editor_also_after_unicode_separators():
    found = document("a: x\u2028y\nb: 1\n")
    assert found.at(("b",), key=True) == (2, 1)


def test_comments_are_told_from_hashes_in_text():
    found = document("a: 'it # is'  # one\nb: x#y # two\nc: |\n  # text\n# three\nd: \"# no\" #four\n")
    assert [(comment.line, comment.text, comment.alone) for comment in found.comments] == [
        (1, "one", False),
        (2, "two", False),
        (5, "three", True),
        (6, "four", False),
    ]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("a: 1\nb: 2\na: 3", "f.yaml:3:1: this key stands here twice"),
        ("a:\n\tb: 1", "f.yaml:2:1: a tab stands here"),
        ("a: b: c", "f.yaml:1:5: a second `:` on one line"),
        ("a: 'x", "f.yaml:1:6: a quotation mark is never closed"),
        ("a: {b: 1", "f.yaml:1:9: a `,` or the closing bracket is missing here"),
        ("a: @b", "f.yaml:1:4: this character cannot begin a value"),
        ('a: "\\q"', "f.yaml:1:6: unknown escape in double quotes"),
        ('a: "\\uD800"', "f.yaml:1:4: an escape in this text stands for no character"),
        ('a: "\\UFFFFFFFF"', "f.yaml: the file is not YAML"),
        ('a: "\\U00110000"', "f.yaml: the file is not YAML"),
        ("a: b\n---\nc: d", "f.yaml:3:1: the file holds more than one YAML document"),
        ("- a", "f.yaml:1:1: the file must be a mapping: `key: value` lines"),
        ("text", "f.yaml:1:1: the file must be a mapping: `key: value` lines"),
        ("? [a]\n: b", "f.yaml:1:3: a key must be plain text"),
        ("'': b", "f.yaml:1:1: this key is empty"),
        ("<<: {a: b}", "f.yaml:1:1: merge keys (`<<`) are not YAML 1.2"),
        ("a: *b", "f.yaml:1:4: this alias (`*name`) stands for no anchor (`&name`) that ended before it"),
        ("a: &a [*a]", "f.yaml:1:8: this alias (`*name`) stands for no anchor (`&name`) that ended before it"),
        ("a: !!python/object/apply:os.system [ls]", "f.yaml:1:4: YAML tags (`!...`) are not used here"),
        ("a: !!str 5", "f.yaml:1:4: YAML tags (`!...`) are not used here"),
        ("a: " + "9" * 30, "f.yaml:1:4: this number is too large"),
        ("a: " + "9" * 5000, "f.yaml:1:4: this number is too large"),
        ("", "f.yaml: the file is empty"),
        (" \n\n", "f.yaml: the file is empty"),
        ("# nothing", "f.yaml: the file holds nothing but comments"),
        ("a: 1\nb: \x07", "f.yaml:2:4: a control character stands here"),
        (b"a: 1\nb: gr\xfcn", "f.yaml:2:6: the file is not UTF-8 text"),
        ("a: 1".encode("utf-16"), "f.yaml:1:1: the file is UTF-16, not UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "f.yaml:1:1: the file is not UTF-8 text"),
        (b"\x00" * 100, "f.yaml:1:1: a control character stands here"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(content, complaint):
    assert complaints(content) == [complaint]


def test_a_byte_order_mark_is_no_problem():
    assert read("f.yaml", b"\xef\xbb\xbfa: 1")[0].plain() == {"a": 1}


def test_windows_line_ends_count_as_one():
    assert document("a: 1\r\nb: 2\r\n").at(("b",)) == (2, 4)


def test_several_duplicate_keys_are_all_shown():
    assert complaints("a: 1\na: 2\nb: {c: 1, c: 2}\n") == [
        "f.yaml:2:1: this key stands here twice",
        "f.yaml:3:11: this key stands here twice",
    ]


def test_a_large_file_is_refused_unread():
    assert complaints(b"a: " + b"x" * MAX_BYTES) == ["f.yaml: the file is larger than 256 KB"]


def test_deep_nesting_is_refused_before_it_hurts():
    assert complaints("a: " + "[" * 100_000) == ["f.yaml:1:23: nested more than 20 levels deep"]


def test_billion_laughs_are_refused_before_they_unfold():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
    )
    assert len(complaints(bomb)) == 1
    assert "unfolds" in complaints(bomb)[0] or "aliases" in complaints(bomb)[0]


def test_few_aliases_that_unfold_to_much_are_refused():
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 15))
    assert "unfolds to more than" in complaints(bomb)[0]


def test_aliases_that_nest_deeper_than_the_limit_are_refused():
    chain = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 25))
    assert "nested more than 20 levels deep" in complaints(chain)[0]


def test_more_aliases_than_anybody_needs_are_refused():
    assert "more than 50 aliases" in complaints("a: &a x\n" + "".join(f"b{n}: *a\n" for n in range(60)))[0]


def test_an_alias_gives_the_same_value_again():
    assert tree("a: &a {b: [1]}\nc: *a") == {"a": {"b": [1]}, "c": {"b": [1]}}


@pytest.mark.parametrize(
    "secret",
    [
        "ghp_" + "a1B2" * 9,
        "github_pat_" + "11A" * 20,
        "glpat-" + "x_Y-" * 6,
        "ATATT3xFfGF0" + "Q" * 40,
        "xoxb-123456789012-abcdef",
        "https://hooks.slack.com/services/T0AAA/B0BBB/ccc",
        "-----BEGIN RSA PRIVATE KEY-----",
        "eyJhbGciOiJIUzI1NiIsInR5.eyJzdWIiOiIxMjM0NTY3ODkw.sig",
    ],
)
def test_a_token_anywhere_is_an_error_that_does_not_repeat_it(secret):
    found, problems = read("f.yaml", f"people:\n  ada: {{name: '{secret}'}}\n".encode())
    assert [(problem.line, problem.column) for problem in problems] == [(2, 15)]
    assert secret not in str(problems[0]) + repr(problems[0])
    assert found is not None
    assert secret not in str(found.plain())


def test_a_token_in_place_of_a_key_is_not_repeated_either():
    secret = "ghp_" + "a1B2" * 9
    found, problems = read("f.yaml", f"{secret}: x\n".encode())
    assert [str(problem).split(":")[:3] for problem in problems] == [["f.yaml", "1", "1"]]
    assert secret not in str(problems) + str(found and found.plain())
