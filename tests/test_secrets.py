"""The tokens of the sources are found nowhere: logs, tracebacks, the store's files, pages, documents, pickles."""

from __future__ import annotations

import base64
import json
import logging
import pickle
import re
import shutil
import traceback
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from pipmetrics import sources
from pipmetrics.config import load
from pipmetrics.demo.service import Request, Response, serve
from pipmetrics.errors import PipmetricsError
from pipmetrics.transport import Wire
from pipmetrics.web import create_app, make_link
from tests.organisation import AS_OF, TOKENS, WEEK, Acme, cli, opened, settings

READER = "reader@acme.example"
FORMATS = ("text", "json", "md", "html", "eml", "csv", "pdf")


def forms(token: str) -> set[bytes]:
    """A token as it may be written: plainly, quoted for an address, and as the credentials of basic sign-in."""
    basic = base64.b64encode(f"{READER}:{token}".encode()).decode()
    return {form.encode() for form in (token, quote(token, safe=""), basic, basic.rstrip("="))}


CANARIES = {form for token in TOKENS.values() for form in forms(token)}


def assert_none(name: str, content: str | bytes) -> None:
    held = content if isinstance(content, bytes) else content.encode()
    assert not [name for canary in CANARIES if canary in held], f"a token stands in {name}"


def assert_none_in(folder: Path) -> None:
    """In no file, whatever it is: configuration, database with its journals, key, documents."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    for path in files:
        assert_none(path.name, path.read_bytes())


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


@pytest.fixture
def fresh(acme: Acme, tmp_path: Path) -> Path:
    """The organisation before its first pull."""
    shutil.copytree(acme.pulled, tmp_path / "config", ignore=shutil.ignore_patterns("*.db*"))
    return tmp_path / "config"


def said(caplog: pytest.LogCaptureFixture) -> str:
    """All records as a handler of somebody else would print them, tracebacks included."""
    plain = logging.Formatter("%(name)s %(message)s")
    return "\n".join(plain.format(record) for record in caplog.records)


def test_the_search_would_find_one(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"\0\1" + next(iter(CANARIES)) + b"\2")
    with pytest.raises(AssertionError, match=r"a token stands in store\.db"):
        assert_none_in(tmp_path)


def test_a_whole_night_leaves_no_token_anywhere(fresh: Path, caplog: pytest.LogCaptureFixture) -> None:
    for command in (["check", "--online"], ["runs"], ["verify"]):
        result = cli(*command, folder=fresh)
        assert_none(" ".join(command), result.output)
    for name in ("", "pipmetrics"):  # the commands keep to warnings
        caplog.set_level(logging.DEBUG, logger=name)
    with opened(fresh) as company:
        assert company.run().outcome == "done"
        assert {"urllib3.connectionpool", "pipmetrics.nightly"} <= {record.name for record in caplog.records}
        assert_none("the log", said(caplog))
        assert_none_in(fresh)
        for thing in (company.config, company.evaluate(AS_OF), company.measurements("review_turnaround")):
            assert_none(f"a pickled {type(thing).__name__}", pickle.dumps(thing))
            assert_none(f"a shown {type(thing).__name__}", repr(thing))


def test_no_document_holds_one(folder: Path, tmp_path: Path) -> None:
    cli("evaluate", "--record", folder=folder)
    for shape in FORMATS:
        made = cli("digest", "--week", WEEK, "--manager", "dana", "--format", shape, folder=folder)
        assert len(made.stdout_bytes) > 500
        assert_none(f"the digest as {shape}", made.stdout_bytes)
    cli("export", "--person", "ada", "--into", tmp_path / "ada", folder=folder)
    written = list((tmp_path / "ada").iterdir())
    assert written
    for path in written:
        assert_none(path.name, path.read_bytes())


def test_no_page_and_no_answer_of_the_api_holds_one(folder: Path) -> None:
    with opened(folder) as company:
        company.record(AS_OF)
        app = create_app(lambda: company, company.config.settings)
        paths = sorted(json.loads(TestClient(app).get("/api/openapi.json").text)["paths"])
        plain = [re.sub(r"\{plan\w*\}", "ada-q4", re.sub(r"\{person\w*\}", "ada", path)) for path in paths]
        plain = [re.sub(r"\{criterion\w*\}", "reviews-24h", path) for path in plain]
        pages = ["/", "/portfolio", "/ledger", "/people", "/notice", "/plans/ada-q4", "/metrics", "/healthz",
                 "/plans/ada-q4/criteria/reviews-24h", *plain]  # fmt: skip
        for person in ("ada", "dana", "petra", "sol"):
            client = TestClient(app, base_url="http://127.0.0.1:8000")
            client.get(make_link(company.config.settings, person, AS_OF), follow_redirects=False)
            seen = [client.get(page) for page in pages if "{" not in page]
            assert sum(answer.status_code == 200 for answer in seen) >= 5
            for page, answer in zip(pages, seen, strict=False):
                assert_none(f"{page} for {person}", answer.content)


# --- services that are hostile, or broken -------------------------------------------------------------------------


def echo(request: Request) -> Response:
    """Tells everybody what it was sent, as a careless proxy does."""
    return Response.of(
        {"message": f"no luck with {dict(request.headers)}", "errorMessages": [str(request.headers)]}, 403
    )


def broken(request: Request) -> Response:
    said = request.headers.get("Authorization", "none")
    return Response(500, str(dict(request.headers)).encode(), {"X-Sent": said})


def holed(request: Request) -> Response:
    """A success by its number that says no, in the words that it was sent."""
    return Response.of({"data": None, "errors": [{"type": "ODD", "message": str(dict(request.headers))}]}, 200)


@pytest.fixture(params=[echo, broken, holed], ids=lambda app: app.__name__)
def hostile(request: pytest.FixtureRequest, fresh: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The organisation with this service in the place of all three; nobody waits between two tries."""
    monkeypatch.setattr(sources, "Wire", partial(Wire, sleep=lambda _: None))
    with serve(request.param) as service:
        text = settings(dict.fromkeys(("hub", "lab", "jira"), service.url))
        (fresh / "pipmetrics.yaml").write_text(text, encoding="utf-8")
        yield fresh


def test_a_service_that_tells_what_it_was_sent_is_not_repeated(hostile: Path, caplog: pytest.LogCaptureFixture) -> None:
    for command in (["check", "--online"], ["run"], ["evaluate", "--format", "json"]):
        result = cli(*command, folder=hostile, code=1)
        assert_none(" ".join(command), result.output)
    assert_none("the log", said(caplog))
    assert_none_in(hostile)
    with opened(hostile) as company:
        assert {gap.source for gap in company.store.gaps()} == set(company.config.settings.sources)


def test_a_fault_shows_no_token_in_its_traceback_nor_pickled(hostile: Path) -> None:
    config = load(str(hostile))
    for name, source in config.settings.sources.items():
        connector, _ = sources.connect(source, str(hostile))
        try:
            pages = list(connector.pull({}, AS_OF))
            assert [page.gaps for page in pages if page.gaps], f"{name} takes it for an answer"
            assert_none(f"what {name} gives", pickle.dumps(pages))
        except PipmetricsError as error:
            assert_none(f"the traceback of {name}", "".join(traceback.format_exception(error)))
            assert_none(f"the pickled error of {name}", pickle.dumps(error))
