"""export, erase, hold: everything that is held about one person, handed out, removed, or kept from removal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipmetrics.cli.acts import by_option, why_option
from pipmetrics.cli.options import config_option, format_option, now, organisation, print_json, print_text
from pipmetrics.errors import UsageError

if TYPE_CHECKING:
    from pipmetrics.api import Organisation
    from pipmetrics.model import Person


def person_option(command: click.decorators.FC) -> click.decorators.FC:
    return click.option("--person", required=True, help="A person of people.yaml.")(command)


@click.command()
@config_option
@person_option
@click.option(
    "--into", type=click.Path(file_okay=False, path_type=Path), help="The folder to make. Default: export-PERSON."
)
@by_option
@format_option("text", "json")
def export(config: str, person: str, into: Path | None, by: str, form: str) -> None:
    """Write everything held about a person into a folder, as JSON and CSV; the ledger notes who took it.

    \b
    Example:
      pipmetrics export --person ada --by petra
    """
    folder = into or Path(f"export-{person}")
    if folder.exists():
        raise UsageError(f"{folder} exists already", mend="Name a new folder with --into.")
    with organisation(config) as company:
        files = company.store.export_person(person_of(company, person), by, now())
    folder.mkdir(parents=True, mode=0o700)
    for name, content in files.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)
    if form == "json":
        print_json({"folder": str(folder), "files": sorted(files)})
    else:
        print_text("\n".join(f"wrote {folder / name} ({len(files[name])} bytes)" for name in sorted(files)))


@click.command()
@config_option
@person_option
@why_option
@by_option
@click.option("--yes", is_flag=True, help="Do not ask; what is erased cannot be brought back.")
@format_option("text", "json")
def erase(config: str, person: str, why: str, by: str, yes: bool, form: str) -> None:
    """Erase what is held about a person; the ledger keeps that it was done, by whom and why, and still verifies.

    \b
    Example:
      pipmetrics erase --person ada --by root --why "Asked for it on 3 March; approved by HR." --yes
    """
    with organisation(config) as company:
        whose = person_of(company, person)
        if not yes and not click.confirm(f"Erase what is held about {person}? It cannot be brought back", err=True):
            raise UsageError("nothing was erased", mend="Confirm, or give --yes.")
        emptied = company.store.erase_person(whose, by, why, now())
    if form == "json":
        print_json({"person": person, "entries": emptied})
    else:
        print_text(
            f"erased: {len(emptied)} entries of the ledger are empty now\n"
            f"Remove {person} from people.yaml and from the plans too; backups keep what they have."
        )


@click.command()
@config_option
@person_option
@click.option("--release", is_flag=True, help="End the hold.")
@why_option
@by_option
def hold(config: str, person: str, release: bool, why: str, by: str) -> None:
    """Keep what is held about a person from being erased, as a legal hold demands; or end that.

    \b
    Examples:
      pipmetrics hold --person ada --by petra --why "Claim 2027-14"
      pipmetrics hold --person ada --by petra --why "The claim was settled." --release
    """
    from pipmetrics import acts

    with organisation(config) as company:
        whose = person_of(company, person)
        entry = acts.hold(company.store, whose, by=by, why=why, now=now(), release=release)
    print_text(f"recorded as entry {entry} of the ledger")


def person_of(company: Organisation, name: str) -> Person:
    """Somebody of people.yaml; UsageError that says who there is."""
    from difflib import get_close_matches

    people = company.config.people
    if name not in people:
        near = get_close_matches(name, people, 1)
        mend = f"Did you mean {near[0]!r}?" if near else "Whose data is held must stand in people.yaml."
        raise UsageError(f"there is no person {name!r} in people.yaml", mend=mend)
    return people[name]
