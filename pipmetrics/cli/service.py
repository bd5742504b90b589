"""run, deliver, serve, link: the job, its schedule, the pages and who gets in."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipmetrics.cli.options import config_option, format_option, now, organisation, print_json, print_text
from pipmetrics.errors import UsageError

if TYPE_CHECKING:
    from pipmetrics.api import Organisation
    from pipmetrics.pull import Progress
    from pipmetrics.runner import RunReport


@click.command()
@config_option
@format_option("text", "json")
def run(config: str, form: str) -> None:
    """Run the nightly job once: check, pull, evaluate, record, deliver what is due.

    For cron, systemd timers and Kubernetes; two runs on one store never overlap (the second one is refused, exit 3).
    On a terminal it draws its progress, elsewhere it logs one JSON line a step to stderr. SIGTERM ends it after the
    commit it is at, with exit code 143; the next run goes on from there.

    \b
    Example:
      pipmetrics run
    """
    from pipmetrics import nightly
    from pipmetrics.pull import Stop

    with organisation(config) as company, _progress() as progress, _terminable() as pause:
        try:
            report = nightly.run(company, progress=progress, pause=pause)
        except Stop:
            click.echo("pipmetrics: stopped after a commit; the next run goes on from there.", err=True)
            sys.exit(128 + signal.SIGTERM)
        head = str(company.store.head())
    print_json(_json(report, head)) if form == "json" else print_text(_text(report, head))
    sys.exit(report.exit_code)


@contextmanager
def _terminable() -> Iterator[Callable[[], None]]:
    """Gives a function that raises Stop once this process was asked to end."""
    from pipmetrics.pull import Stop

    asked = threading.Event()

    def pause() -> None:
        if asked.is_set():
            raise Stop

    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield pause
        return
    former = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield pause
    finally:
        signal.signal(signal.SIGTERM, former)


@contextmanager
def _progress() -> Iterator[Progress | None]:
    from pipmetrics.cli import logs
    from pipmetrics.cli.progress import pulling

    if sys.stderr.isatty():
        with pulling() as progress:
            yield progress
    else:
        logs.install(as_json=True)
        yield None


def _json(report: RunReport, head: str) -> dict[str, Any]:
    from pipmetrics.cli.progress import pulled_json

    return {
        "run": report.run,
        "outcome": report.outcome,
        "checked": list(report.checked),
        "pulled": [pulled_json(pulled) for pulled in report.pulled],
        "recorded": [seq for _, seq in report.recorded],
        "baselines": report.baselines,
        "delivered": report.delivered.sent,
        "incomplete": list(report.incomplete),
        "expired": list(report.expired),
        "fell_back": list(report.fell_back),
        "ledger": head,
    }


def _text(report: RunReport, head: str) -> str:
    from pipmetrics.cli.progress import pulled_text

    counted = f"{len(report.recorded)} evaluations and {report.baselines} baselines recorded"
    sent = f", {report.delivered.sent} digests sent" if report.delivered.sent else ""
    lines = [f"run {report.run}: {report.outcome}", *report.checked, pulled_text(report.pulled), counted + sent]
    lines += [f"incomplete: {missing}" for missing in report.incomplete]
    lines += [f"expired: {what}" for what in report.expired]
    lines += [f"evaluated in this process after all: {why}" for why in report.fell_back]
    return "\n".join([*(line for line in lines if line), f"ledger head {head}"])


@click.command()
@config_option
@click.option("--dry-run", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write the messages here.")
@format_option("text", "json")
def deliver(config: str, folder: Path | None, form: str) -> None:
    """Send the weekly digests that are due and were not sent yet; `run` and `serve` do it by themselves.

    \b
    Examples:
      pipmetrics deliver
      pipmetrics deliver --dry-run outbox
    """
    from pipmetrics import nightly

    with organisation(config) as company:
        if folder is not None:
            written = nightly.rehearse(company, folder)
            print_json({"written": written}) if form == "json" else print_text(
                "\n".join(f"wrote {name}" for name in written) or "nothing is due"
            )
            return
        report = nightly.send(company)
    if form == "json":
        print_json({"sent": report.delivered.sent, "failed": list(report.delivered.failed)})
    else:
        print_text("\n".join([f"{report.delivered.sent} digests sent", *report.incomplete]))
    sys.exit(report.exit_code)


# --- serve --------------------------------------------------------------------------------------------------------


@click.command()
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen here; this machine alone by default.")
@click.option("--port", default=8000, show_default=True, help="0: a free one.")
@click.option("--pages/--no-pages", default=True, show_default=True, help="Serve the web pages and the API too.")
def serve(config: str, host: str, port: int, pages: bool) -> None:
    """Run the schedule (the nightly job, the weekly digest) and the web pages, until SIGTERM or Ctrl-C.

    What was missed while it was down is caught up with, once. The work under way ends with its next commit.

    \b
    Examples:
      pipmetrics serve
      pipmetrics serve --no-pages            the schedule alone
    """
    from pipmetrics.cli import logs

    logs.install(as_json=True)
    with organisation(config) as company:
        serve_all(company, host, port, pages=pages)


def serve_all(company: Organisation, host: str, port: int, *, pages: bool = True, jobs: bool = True) -> None:
    """Serves until a signal; UsageError when the address is taken."""
    from pipmetrics import nightly
    from pipmetrics.schedule import serving, wait_for_signal

    stopping = threading.Event()
    schedule = nightly.schedule_of(company, stopping, jobs=jobs)
    with serving(schedule):
        if not pages:
            wait_for_signal(stopping)
            return
        with _pages(company, host, port, stopping):
            wait_for_signal(stopping)


@contextmanager
def _pages(company: Organisation, host: str, port: int, stopping: threading.Event) -> Iterator[None]:
    """The pages in a thread of their own; when they cannot go on, everything stops."""
    try:
        from pipmetrics.web.app import server
    except ImportError as error:
        raise UsageError(
            f"the pages need a package that is not installed: {error.name}",
            mend="Run: pip install 'pipmetrics[web]', or serve with --no-pages.",
        ) from error
    listening = _listen(host, port)
    served = server(company, host, listening.getsockname()[1])

    def work() -> None:
        try:
            served.run(sockets=[listening])
        finally:
            stopping.set()

    thread = threading.Thread(target=work, name="pages")
    thread.start()
    click.echo(f"pages at http://{host}:{listening.getsockname()[1]}/", err=True)
    try:
        yield
    finally:
        served.should_exit = True
        thread.join()
        listening.close()


def _listen(host: str, port: int) -> socket.socket:
    """A socket on which people may knock at once, though the server answers them a moment later."""
    listening = None
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        if listening is not None:
            listening.close()
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror}", mend="Choose another with --host or --port."
        ) from error
    return listening


def serve_pages(company: Organisation, port: int = 8000) -> None:
    """The pages alone, for the demo; prints a link to sign in with for each side."""
    from pipmetrics.web import make_link

    people = company.config.people.values()
    managers = [person.id for person in people if "manager" in person.roles]
    persons = [plan.person for plan in company.plans()]
    hr = [person.id for person in people if "hr" in person.roles]
    print_text("Sign in once within 15 minutes, as")
    for who in dict.fromkeys([*managers[:1], *persons[:1], *hr[:1]]):
        link = make_link(company.config.settings, who, company.now())
        print_text(f"  {who}: http://127.0.0.1:{port}{link}")
    print_text("Ctrl-C ends it.")
    serve_all(company, "127.0.0.1", port, jobs=False)


@click.command()
@config_option
@click.argument("person")
@click.option("--base", default="http://127.0.0.1:8000", show_default=True, help="Where the pages are served.")
def link(config: str, person: str, base: str) -> None:
    """Make a one-time link with which a person signs in on this machine; it lasts 15 minutes.

    \b
    Example:
      pipmetrics link dana
    """
    from pipmetrics.cli.privacy import person_of
    from pipmetrics.web import make_link

    with organisation(config) as company:
        settings = company.config.settings
        if settings.access.get("mode", "links") != "links":
            raise UsageError("people sign in elsewhere", where="access.mode", mend="Links are for `mode: links` alone.")
        path = make_link(settings, person_of(company, person).id, now())
    print_text(f"{base.rstrip('/')}{path}")
