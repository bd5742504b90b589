import hashlib
import os
import pickle
import stat
import sys
from datetime import date, timedelta

import pytest

from pipmetrics.config import load, parse_plan
from pipmetrics.errors import ConfigError
from pipmetrics.model import Retention, Secret

from .conftest import PEOPLE, PLAN, SETTINGS, spot


def test_a_folder_becomes_frozen_values(folder):
    config = folder.load()
    assert config.settings.timezone == "Europe/Berlin"
    assert list(config.settings.sources) == ["hub", "jira"]
    assert list(config.people) == ["ada", "ben", "dana"]
    assert [plan.id for plan in config.plans] == ["ada-q4"]
    assert pickle.loads(pickle.dumps(config)) == config


def test_the_content_hash_of_a_plan_is_that_of_its_bytes(folder):
    plan = folder.load().plans[0]
    assert plan.digest == hashlib.sha256((folder.path / "plans/plan.yaml").read_bytes()).hexdigest()


def test_a_locked_version_is_read_from_its_bytes(folder):
    config = folder.load()
    content = config.documents[config.plans[0].file].content
    assert content == (folder.path / "plans/plan.yaml").read_bytes()
    assert parse_plan(content, config, config.plans[0].file) == config.plans[0]
    assert parse_plan(content.replace(b"90%", b"80%"), config).criteria[0].parameters["target"] == 0.8
    with pytest.raises(ConfigError, match=r"^old:3:9: there is no such person"):
        parse_plan(content.replace(b"person: ada", b"person: gone"), config, "old")
    with pytest.raises(ConfigError, match=r"^old: the file is empty"):
        parse_plan(b"", config, "old")


def test_references_to_secrets_are_kept_and_not_read(folder, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "hunter2")
    source = folder.load().settings.sources["hub"]
    assert source.token == Secret("${GITHUB_TOKEN}")
    assert "hunter2" not in repr(folder.load())


def test_a_folder_without_plans_is_fine(folder):
    (folder.path / "plans/plan.yaml").unlink()
    (folder.path / "plans").rmdir()
    assert folder.load().plans == ()


def test_files_may_end_in_yml_and_plans_may_lie_in_folders(folder):
    (folder.path / "people.yaml").rename(folder.path / "people.yml")
    (folder.path / "plans/plan.yaml").unlink()
    folder.write("plans/2026/a.yml", PLAN).write("plans/.swap.yaml", "{").write("plans/.git/x.yaml", "{").write(
        "plans/n.txt", "{"
    )
    assert [plan.file for plan in folder.load().plans] == [str(folder.path / "plans/2026/a.yml")]


def test_files_are_named_as_the_folder_was_given(folder, monkeypatch):
    folder.plan(PLAN.replace("kind: pip", "kind: pop"))
    monkeypatch.chdir(folder.path.parent)
    with pytest.raises(ConfigError, match=r"^config/plans/plan.yaml:2:7: one of pip, coaching is expected here"):
        load("config")
    monkeypatch.chdir(folder.path)
    with pytest.raises(ConfigError, match=r"^plans/plan.yaml:2:7: "):
        load(".")


def test_all_problems_of_all_files_are_shown_at_once(folder):
    folder.settings(SETTINGS.replace("Europe/Berlin", "Europe/Berln"))
    folder.people(PEOPLE.replace("roles: [manager]", "role: manager"))
    folder.plan(PLAN.replace("limit: 24h", "limit: 24").replace("kind: pip", "kind: pop"))
    folder.plan("plan: [\n", name="broken")
    assert folder.problems() == [
        "people.yaml:4:55: unknown key `role` | Did you mean `roles`?",
        "pipmetrics.yaml:1:11: unknown time zone | Did you mean `Europe/Berlin`?",
        "plans/broken.yaml:2:1: a value is missing here",
        "plans/plan.yaml:2:7: one of pip, coaching is expected here | Did you mean `pip`?",
        "plans/plan.yaml:11:12: a duration (24h) is expected here, not a bare number | It is compared with hours.",
    ]


def test_the_error_ends_with_exit_code_2(folder):
    with pytest.raises(ConfigError) as caught:
        load(folder.path / "nowhere")
    assert caught.value.exit_code == 2
    assert "there is no such folder" in str(caught.value)
    assert "pipmetrics init" in str(caught.value)


def test_a_file_in_place_of_the_folder(folder):
    with pytest.raises(ConfigError, match="this is not a folder"):
        load(folder.path / "people.yaml")


def test_missing_files_are_named(folder):
    (folder.path / "people.yaml").unlink()
    (folder.path / "pipmetrics.yaml").unlink()
    assert folder.problems() == [
        "people.yaml: this file is missing | `pipmetrics init` writes one.",
        "pipmetrics.yaml: this file is missing | `pipmetrics init` writes one.",
    ]


def test_one_file_under_two_endings_is_an_error(folder):
    folder.write("people.yml", PEOPLE)
    assert folder.problems() == ["people.yml: people.yaml is there too | Keep one of them."]


def test_folders_and_devices_in_place_of_files(folder):
    (folder.path / "people.yaml").unlink()
    (folder.path / "people.yaml").mkdir()
    (folder.path / "plans/more.yaml").mkdir()
    os.mkfifo(folder.path / "plans/pipe.yaml")
    assert folder.problems() == [
        "people.yaml: this is a folder, not a file",
        "plans/more.yaml: this is a folder, not a file",
        "plans/pipe.yaml: this is not a regular file",
    ]


def test_plans_must_be_a_folder(folder):
    (folder.path / "plans/plan.yaml").unlink()
    (folder.path / "plans").rmdir()
    folder.write("plans", "x")
    assert folder.problems() == ["plans: `plans` must be a folder of plan files"]


def test_a_file_that_cannot_be_read_says_why(folder, monkeypatch):
    (folder.path / "plans/gone.yaml").symlink_to("nowhere.yaml")
    assert folder.problems() == ["plans/gone.yaml: this file cannot be read: No such file or directory"]


def test_a_large_plan_is_refused_and_many_people_are_not(folder):
    people = "".join(f"  p{n}: {{name: Person {n} {'x' * 900}}}\n" for n in range(400))
    folder.people(PEOPLE + people)
    folder.plan("plan: " + "x" * 300_000, name="large")
    assert folder.problems() == ["plans/large.yaml: the file is larger than 256 KB"]


@pytest.mark.parametrize("name", ["pipmetrics.yaml", "people.yaml", "plans/plan.yaml"])
@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02", b"\x89PNG\r\n", b"a: \xff", b"[]", b"5", b"null", b"{", b"\t"]
)
def test_nonsense_in_any_file_is_one_problem_of_that_file(folder, name, content):
    folder.write(name, content)
    assert len([line for line in folder.problems() if line.startswith(name)]) == 1


def test_two_plans_of_one_name(folder):
    folder.plan(PLAN.replace("person: ada", "person: ben"), name="second")
    assert folder.problems() == [
        f"plans/second.yaml:1:7: another plan has this name | It is at {folder.path}/plans/plan.yaml:1:7.".replace(
            f"{folder.path}/", ""
        )
    ]


def test_importing_the_configuration_imports_nothing_heavy():
    import subprocess

    heavy = "pandas numpy scipy sqlalchemy github gitlab jira fastapi holidays icalendar"
    code = f"import sys, pipmetrics.config; print([m for m in {heavy.split()!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


# --- settings -----------------------------------------------------------------------------------------------------


def test_settings_have_defaults(folder):
    settings = folder.load().settings
    assert (settings.store, settings.executor, settings.history) == (
        "sqlite:///pipmetrics.db",
        "",
        timedelta(days=180),
    )
    assert (settings.retention, settings.signing_key) == (Retention(), "ledger.key")
    assert settings.schedule == {"nightly": "02:30", "digest": "Mon 07:00"}
    assert (settings.met_at, settings.at_risk_at) == (0.8, 0.5)
    assert settings.sources["hub"].production == ("production",)
    assert settings.sources["jira"].caused_by == ("is caused by",)
    assert settings.delivery == {}
    assert settings.access == {}


def test_jobs_can_be_switched_off_and_are_written_as_people_do(folder):
    folder.settings(SETTINGS + 'schedule: {nightly: off, digest: "monday 07:00"}\n')
    assert folder.load().settings.schedule == {"digest": "Mon 07:00"}


@pytest.mark.parametrize(
    ("more", "needle", "problem"),
    [
        ("stor: x", "stor:", "unknown key `stor` | Did you mean `store`?"),
        ("store: postgresql+psycopg://pip:hunter2@db/pip", "postgresql", "a password stands here in the clear"),
        ("history: 180", "180", "a bare number is no duration: its unit is missing"),
        ("history: 36h", "36h", "whole days are expected here"),
        ('schedule: {nightly: "2:30"}', '"2:30', "a time of day is expected here"),
        ("schedule: {nightly: 230}", "230", "a time of day is expected here"),
        ("schedule: {digest: weekly}", "weekly", "a day and a time are expected here"),
        ("schedule: often", "often", "a mapping is expected here, not text"),
        ("delivery: {urls: [https://example.com/hook]}", "https://example.com", "a secret stands here in the clear"),
        ("delivery: {urls: '${URL}'}", "'${URL}'", "a list is expected here, not text"),
        ("delivery: {smtp: 'smtp://u:hunter2@mail'}", "'smtp:", "credentials stand here in the clear"),
        ("delivery: {mail_from: nobody}", "nobody", "an e-mail address is expected here"),
        ("access: {mode: ldap}", "ldap", "one of links, oidc, proxy is expected here"),
        ("access: {mode: proxy}", "access:", "`trusted` is missing"),
        ("access: {mode: oidc}", "access:", "`issuer` is missing"),
        ("access: {mode: proxy, trusted: [10.0.0.0/33]}", "10.0.0.0/33", "an address or a network is expected here"),
        ("access: {client_secret: hunter2}", "hunter2", "a secret stands here in the clear"),
        ("access: {subjects: {abc: nobody}}", "nobody", "there is no such person"),
        ("scoring: {met_at: 0.8}", "0.8", "a bare number is no percentage"),
        ("scoring: {met_at: 50%, at_risk_at: 55%}", "55%", "`at_risk_at` must be less than `met_at`"),
        ("executor: spark", "spark", "the executor is `local` or a Dask scheduler"),
        ("executor: dask://sched:8786", "dask://", "the workers of a Dask cluster cannot reach an SQLite file"),
        ("retention: {facts: 90 days}", "90 days", "facts must be kept at least as long as `history` reads back"),
        ("retention: {evaluations: 99 days, plans: 98 days}", "99 days", "evaluations cannot be kept longer than"),
        ("retention: {signals: 1 day}", "signals", "unknown key `signals`"),
        ("calendar: {country: Narnia}", "Narnia", "no public holidays are known for this country"),
        ("calendar: {country: HolidayBase}", "HolidayBase", "no public holidays are known for this country"),
        ("calendar: {country: de}", "de}", "no public holidays are known for this country | Did you mean `DE`?"),
        ("calendar: {country: DE, subdivision: QQ}", "QQ", "no public holidays are known for this part of the country"),
        ("calendar: {subdivision: BE}", "BE}", "a subdivision without a country"),
        ('calendar: {hours: "17:00-09:00"}', '"17:', "working hours must end after they begin, on the same day"),
        ("calendar: {days: Mo-Fr}", "Mo-Fr", "a day of the week is expected here"),
    ],
)
def test_wrong_settings(folder, more, needle, problem):
    text = SETTINGS + more + "\n"
    found = folder.settings(text).problems()
    assert [line for line in found if line.startswith(f"pipmetrics.yaml:{spot(text, needle)}: {problem}")], found
    assert "hunter2" not in "".join(found)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{connector: github}", "pipmetrics.yaml:2:3: `url` is missing"),
        ("{connector: gitub, url: https://x}", "pipmetrics.yaml:2:20: unknown connector | Did you mean `github`?"),
        (
            "{connector: github, url: https://x, token: hunter2}",
            "pipmetrics.yaml:2:51: a secret stands here in the clear",
        ),
        ("{connector: github, url: https://u:hunter2@x}", "pipmetrics.yaml:2:33: a URL with credentials"),
        ("{connector: github, url: x}", "pipmetrics.yaml:2:33: an http:// or https:// URL is expected here"),
        (
            "{connector: github, url: https://x, projects: PAY}",
            "pipmetrics.yaml:2:54: a list is expected here, not text",
        ),
        (
            "{connector: github, url: https://x, projects: [5]}",
            "pipmetrics.yaml:2:55: text is expected here, not a number",
        ),
        ("{connector: github, url: https://x, bugs: {label: [a]}}", "pipmetrics.yaml:2:51: unknown key `label`"),
        ("{connector: jira, url: https://x, bugs: {filter: 'type ='}}", "pipmetrics.yaml:2:57: "),
        ("hub", "pipmetrics.yaml:2:8: a mapping is expected here, not text"),
    ],
)
def test_wrong_sources(folder, source, problem):
    folder.settings(f"sources:\n  hub: {source}\n  jira: {{connector: jira, url: https://jira.example.com}}\n")
    found = folder.problems()
    assert [line for line in found if line.startswith(problem)], found
    assert "hunter2" not in "".join(found)


def test_a_source_without_a_usable_name(folder):
    folder.settings(SETTINGS.replace("hub:", '"h:b":')).people(PEOPLE.replace("hub:", '"h:b":'))
    assert "pipmetrics.yaml:3:3: a name is expected here" in "".join(folder.problems())


# --- people -------------------------------------------------------------------------------------------------------


def test_a_person_has_the_company_calendar_with_their_own_over_it(folder):
    folder.settings(SETTINGS + 'calendar: {country: DE, subdivision: BE, days: Mon-Thu, hours: "08:00-16:00"}\n')
    folder.people(PEOPLE.replace("timezone: Europe/London", "timezone: Europe/London, calendar: {country: GB}"))
    config = folder.load()
    ada, ben = config.people["ada"].calendar, config.people["ben"].calendar
    assert (ada.timezone, ada.country, ada.subdivision, ada.days) == ("Europe/London", "GB", None, frozenset(range(4)))
    assert (ben.timezone, ben.country, ben.subdivision) == ("Europe/Berlin", "DE", "BE")


def test_accounts_keep_former_names_and_declared_absence(folder):
    folder.people(PEOPLE.replace("hub: ada-l", "hub: ['@ada-l', ada.old]"))
    config = folder.load()
    assert config.people["ada"].accounts["hub"] == ("ada-l", "ada.old")
    assert config.people["ben"].accounts == {"hub": ("ben",), "jira": None}


@pytest.mark.parametrize(
    ("old", "new", "needle", "problem"),
    [
        ("hub: ben", "hub: ADA-L", "ADA-L", "this account is listed twice: `ada` has it too"),
        ("hub: ben", "hub: [ben, Ada-l]", "Ada-l", "this account is listed twice: `ada` has it too"),
        ("hub: ben", "hub: [ben, BEN]", "BEN", "this account is listed twice: this person has it too"),
        ("hub: ben", "hub: 12", "12", "an account is a name, a list of names, or null"),
        ("hub: ben", "hub: []", "[]", "an account needs at least one name"),
        ("hub: ben", "hib: ben", "hib", "there is no such source | Did you mean `hub`?"),
        ("  dana:", "  ada:", "ada: {name: Dana", "this key stands here twice"),
        ("Ben Example, manager: dana", "Ben, manager: dona", "dona", "there is no such person | Did you mean `dana`?"),
        ("Ben Example, manager: dana", "Ben, manager: ben", "ben, accounts", "nobody manages themselves"),
        ("[manager]", "[Manager]", "Manager", "this is nearly a known role"),
        ("[manager]", "managing", "managing", "a list is expected here, not text"),
        ("name: Ben Example, ", "", "ben: {", "`name` is missing"),
        ("Ben Example", "[Ben]", "[Ben]", "text is expected here, not a list"),
        ("  ben:", "  b n:", "b n:", "a name is expected here"),
        ("dana@example.com", "nomail", "nomail", "an e-mail address is expected here"),
        ("Europe/London", "London", "London", "unknown time zone"),
        ("hub: ada-l,", "hub: ada-l, jira: x,", "jira: ada", "this key stands here twice"),
    ],
)
def test_wrong_people(folder, old, new, needle, problem):
    text = PEOPLE.replace(old, new, 1)
    found = folder.people(text).problems()
    assert [line for line in found if line.startswith(f"people.yaml:{spot(text, needle)}: {problem}")], found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("people: [ada]\n", "people.yaml:1:9: a mapping is expected here, not a list"),
        ("people:\n", "people.yaml:1:1: a mapping is expected here, not nothing"),
        ("folks: {}\n", "people.yaml:1:1: `people` is missing"),
    ],
)
def test_a_file_without_people(folder, text, problem):
    found = folder.people(text).problems()
    assert problem in found


def test_an_account_of_two_people_names_both_places(folder):
    found = folder.people(PEOPLE.replace("hub: ben", "hub: ada-l")).problems()
    assert found[0].endswith(f"The first one is at people.yaml:{spot(PEOPLE, 'ada-l')}.")


def test_the_same_login_on_two_sources_is_two_accounts(folder):
    folder.people(PEOPLE.replace("hub: ben", "hub: ada@example.com"))
    assert folder.problems() == []


# --- plans --------------------------------------------------------------------------------------------------------


def test_the_last_day_is_included(folder):
    assert folder.load().plans[0].end == date(2026, 12, 18)


def test_a_plan_takes_the_zone_and_the_manager_of_its_person(folder):
    plan = folder.plan(PLAN.replace("manager: dana\n", "")).load().plans[0]
    assert (plan.manager, plan.timezone) == ("dana", "Europe/London")
    plan = folder.plan(PLAN.replace("person: ada", "person: ben")).load().plans[0]
    assert plan.timezone == "Europe/Berlin"
    plan = folder.plan(PLAN + "timezone: Asia/Tokyo\n").load().plans[0]
    assert plan.timezone == "Asia/Tokyo"


def test_a_plan_with_everything(folder):
    plan = folder.plan(
        PLAN
        + """\
check_ins: {every: 2 weeks, on: Thursday}
preceded_by: ada-coaching
consequences: "Ada and Dana decide."
attribution: [link, revert]
follow_up: 14 days
draft: true
supports: [{text: Pairing, owner: lee, due: 2026-11-06}]
deficiencies: [{id: slow, text: Reviews are slow., evidence: [INC-88]}]
waivers: [{code: PIP107, reason: "HR knows."}]
"""
    )
    plan = plan.load().plans[0]
    assert (plan.check_in_weekday, plan.check_in_weeks, plan.preceded_by, plan.draft) == (3, 2, "ada-coaching", True)
    assert (plan.attribution, plan.follow_up) == (("link", "revert"), timedelta(days=14))
    assert plan.supports[0].due == date(2026, 11, 6)
    assert plan.deficiencies[0].evidence == ("INC-88",)
    assert (plan.waivers[0].code, plan.waivers[0].reason) == ("PIP107", "HR knows.")


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        (PLAN.replace("days: 60", "end: 2026-10-19"), "plans/plan.yaml:6:6: the plan ends before it starts"),
        (PLAN.replace("days: 60", "end: 2099-10-19"), "plans/plan.yaml:6:6: a plan lasts from 1 to 3660 days"),
        (PLAN.replace("days: 60", "days: 0"), "plans/plan.yaml:6:7: a plan lasts from 1 to 3660 days"),
        (PLAN.replace("days: 60", "days: 999999999999"), "plans/plan.yaml:6:7: a plan lasts from 1 to 3660 days"),
        (
            PLAN.replace("days: 60", "days: 60\nend: 2026-12-18"),
            "plans/plan.yaml:6:1: `end` and `days` say the same twice",
        ),
        (PLAN.replace("days: 60\n", ""), "plans/plan.yaml:1:1: neither `end` nor `days` is there"),
        (PLAN.replace("2026-10-20", "20.10.2026"), "plans/plan.yaml:5:8: a date is expected here"),
        (
            PLAN.replace("person: ada", "person: adda"),
            "plans/plan.yaml:3:9: there is no such person | Did you mean `ada`?",
        ),
        (
            PLAN.replace("manager: dana", "manager: dona"),
            "plans/plan.yaml:4:10: there is no such person | Did you mean `dana`?",
        ),
        (PLAN.replace("manager: dana", "manager: ada"), "plans/plan.yaml:4:10: nobody manages their own plan"),
        (
            PLAN.replace("person: ada", "person: dana").replace("manager: dana\n", ""),
            "plans/plan.yaml:1:1: `manager` is missing | people.yaml names no manager of this person.",
        ),
        (PLAN.replace("plan: ada-q4\n", ""), "plans/plan.yaml:1:1: `plan` is missing"),
        (PLAN.replace("ada-q4", "ada q4"), "plans/plan.yaml:1:7: a name is expected here"),
        (PLAN + "check_ins: weekly\n", "plans/plan.yaml:13:12: a mapping is expected here, not text"),
        (PLAN + "check_ins: {every: day}\n", "plans/plan.yaml:13:20: check-ins are held every `week` or `N weeks`"),
        (PLAN + "attribution: [luck]\n", "plans/plan.yaml:13:15: one of link, revert, fix is expected here"),
        (PLAN + "draft: no\n", "plans/plan.yaml:13:8: true or false is expected here, not text"),
        (PLAN + "preceded_by: ada-q4\n", "plans/plan.yaml:13:14: a plan cannot come before itself"),
        (
            PLAN + "deficiencies: [{id: a, text: b}, {id: a, text: c}]\n",
            "plans/plan.yaml:13:39: this id stands here twice",
        ),
        (PLAN + "supports: [{text: a, owner: b}]\n", "plans/plan.yaml:13:12: `due` is missing"),
        (PLAN + "waivers: [{code: PIP107}]\n", "plans/plan.yaml:13:11: `reason` is missing"),
        (PLAN + "waivers: [{code: PIP999, reason: x}]\n", "plans/plan.yaml:13:18: there is no lint rule of this code"),
        (PLAN + "# pip: noqa PIP107\n", "plans/plan.yaml:13:1: a waiver needs a reason"),
        (PLAN + "# pip: noqa\n", "plans/plan.yaml:13:1: a waiver must name what it waives"),
        (PLAN + "# pip: noqa PIP777 because\n", "plans/plan.yaml:13:1: there is no lint rule of this code"),
        (PLAN[: PLAN.index("criteria")] + "criteria: []\n", "plans/plan.yaml:7:1: this list is empty"),
        (PLAN[: PLAN.index("criteria")] + "criteria: all\n", "plans/plan.yaml:7:11: a list is expected here, not text"),
        (
            PLAN[: PLAN.index("criteria")] + "criteria: [all]\n",
            "plans/plan.yaml:7:12: a mapping is expected here, not text",
        ),
        (PLAN.replace("days: 60\n", "days: 60\nfollow_up: 30\n"), "plans/plan.yaml:7:12: a bare number is no duration"),
    ],
)
def test_wrong_plans(folder, plan, problem):
    found = folder.plan(plan).problems()
    assert [line for line in found if line.startswith(problem)], found


def test_a_plan_of_one_day_and_a_plan_in_the_future_are_plans(folder):
    plan = folder.plan(PLAN.replace("days: 60", "days: 1").replace("2026", "2199")).load().plans[0]
    assert plan.start == plan.end


def test_people_that_could_not_be_read_are_not_held_against_plans(folder):
    folder.people(PEOPLE.replace("name: Ben Example", "nam: Ben Example"))
    assert all(line.startswith("people.yaml") for line in folder.problems())


def test_a_world_readable_file_is_no_problem_of_ours(folder):
    (folder.path / "people.yaml").chmod(stat.S_IRUSR | stat.S_IROTH)
    assert folder.problems() == []
