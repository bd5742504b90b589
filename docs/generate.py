"""Writes the pages that follow from the code: the reference of the three files, and every command with its options.

    python docs/generate.py            write them
    python docs/generate.py --check    say which ones are stale, and exit 1 if any is

`docs/commands.md` keeps what stands above its marker; the rest of it, and all of docs/reference/, is made here.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import click

from pipmetrics import registry
from pipmetrics.cli import COMMANDS, main
from pipmetrics.config import schemas

DOCS = Path(__file__).parent
MARKER = "<!-- From here on this page is made by docs/generate.py. -->"
NOTE = "<!-- Made by docs/generate.py from the JSON Schema; edit the descriptions there. -->"
Schema: TypeAlias = Mapping[str, Any]


def pages() -> dict[Path, str]:
    """Every page that is made here, and what it has to say."""
    made = schemas()
    return {
        DOCS / "reference" / "settings.md": settings_page(made["pipmetrics"]),
        DOCS / "reference" / "people.md": people_page(made["people"]),
        DOCS / "reference" / "plan.md": plan_page(made["plan"]),
        DOCS / "commands.md": commands_page((DOCS / "commands.md").read_text(encoding="utf-8")),
    }


# --- tables -------------------------------------------------------------------------------------------------------


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A Markdown table; bars inside of cells are escaped."""
    lines = [list(head), *(list(row) for row in rows)]
    text = ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines]
    return [text[0], "|" + " --- |" * len(lines[0]), *text[1:], ""]


def keys(schema: Schema, definitions: Schema, leave_out: Iterable[str] = ()) -> list[str]:
    """The table of a section's keys."""
    needed = set(schema.get("required", ()))
    rows = [
        [f"`{name}`", value(each, definitions), "yes" if name in needed else "", described(each)]
        for name, each in schema["properties"].items()
        if name not in leave_out
    ]
    return table(("key", "value", "required", "meaning"), rows)


def described(schema: Schema) -> str:
    text: str = schema.get("description", "").replace("*", "\\*")
    default = schema.get("default")
    if default is None or "default" in text:
        return text
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    return f"{text} Default: `{shown}`."


def value(schema: Schema, definitions: Schema) -> str:
    """What may stand there, in words and examples."""
    if "$ref" in schema:
        return "a section, see below"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        metrics = set(schema["enum"]) == set(registry.names("metrics"))
        return "a [metric](../numbers.md#metrics)" if metrics else listed(schema["enum"])
    if "anyOf" in schema:
        return ", or ".join(value(each, definitions) for each in schema["anyOf"] if each.get("type") != "null")
    if schema.get("examples"):
        return ", ".join(f"`{example}`" for example in schema["examples"][:3])
    return plain(schema, definitions)


def listed(names: Iterable[Any]) -> str:
    found = [f"`{name}`" for name in names]
    return ", ".join(found)


def plain(schema: Schema, definitions: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        return " or ".join("a number" if each == "number" else "text" for each in kind)
    if kind == "array":
        items = schema.get("items", {})
        if {"$ref", "allOf"} & set(items):
            return "a list of sections, see below"
        return f"a list of {value(items, definitions)}" if items else "a list"
    if kind == "object":
        return "a mapping"
    if kind == "null":
        return "`null`"
    form = {"date": "a date, `2026-10-20`", "email": "an e-mail address"}.get(schema.get("format", ""))
    words = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "`true` or `false`"}
    return form or words.get(kind or "", "anything")


def section(schema: Schema, definitions: Schema, name: str) -> list[str]:
    """A heading for a nested section, its description and its keys."""
    found = definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return [f"## {name}", "", found.get("description", ""), "", *keys(found, definitions)]


def nested(schema: Schema, definitions: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """The sections below a section, by the path under which people write them."""
    for name, each in schema["properties"].items():
        for part in (each, *each.get("anyOf", ())):
            inner = part.get("items", part)
            found = definitions[inner["$ref"].rpartition("/")[2]] if "$ref" in inner else {}
            if "properties" in found:
                place = f"{path}{name}{'[]' if 'items' in part else ''}"
                yield place, found
                yield from nested(found, definitions, f"{place}.")


def page(title: str, head: Iterable[str], lines: Iterable[str]) -> str:
    text = "\n".join([f"# {title}", "", NOTE, "", *head, "", *lines])
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


# --- the three files ----------------------------------------------------------------------------------------------


def settings_page(schema: Schema) -> str:
    definitions = schema["$defs"]
    lines = [*keys(schema, definitions)]
    for path, found in nested(schema, definitions):
        lines += section(found, definitions, path)
    names = registry.names("connectors")
    own = {name: {option.name for option in registry.connector(name).options} for name in names}
    first = definitions[f"source_{names[0]}"]
    lines += ["## sources.NAME", "", "One service. These keys are common to all connectors:", ""]
    lines += keys({**first, "required": ["connector", "url"]}, definitions, own[names[0]])
    lines[lines.index("| `connector` | `" + names[0] + "` | yes |  |")] = (
        f"| `connector` | {listed(names)}, or another plugin's | yes | Which connector reads it. |"
    )
    lines += ["### sources.NAME.bugs", "", definitions["BugsSection"]["description"], ""]
    lines += keys(definitions["BugsSection"], definitions)
    for name in names:
        variant = definitions[f"source_{name}"]
        lines += [f"### With `connector: {name}`", "", "Keys of its own:", ""]
        lines += keys(variant, definitions, set(variant["properties"]) - own[name])
    head = ["The file `pipmetrics.yaml`: where the facts come from, where they are kept, when the jobs run."]
    return page("Settings reference", head, lines)


def people_page(schema: Schema) -> str:
    definitions = schema["$defs"]
    person = definitions["PersonSection"]
    lines = [*keys(schema, definitions), "## people.NAME", "", person["description"], "", *keys(person, definitions)]
    for path, found in nested(person, definitions, "people.NAME."):
        lines += section(found, definitions, path)
    return page("People reference", ["The file `people.yaml`: who is who, and which accounts are theirs."], lines)


def plan_page(schema: Schema) -> str:
    definitions = schema["$defs"]
    lines = [*keys(schema, definitions)]
    for path, found in nested(schema, definitions):
        lines += section(found, definitions, path)
    names = registry.names("criteria")
    own = {name: {parameter.name for parameter in registry.criterion(name).parameters} for name in names}
    line, guard = definitions[f"criterion_{names[0]}"], definitions[f"guard_{names[0]}"]
    lines += ["## criteria[]", "", "One line of a plan. These keys are common to all criteria:", ""]
    common = keys({**line, "required": ["id", "criterion"]}, definitions, own[names[0]])
    lines += replaced(common, "criterion", f"{listed(names)}, or another plugin's", "yes", "The rule that scores it.")
    for name in names:
        rule, variant = registry.criterion(name), definitions[f"criterion_{name}"]
        lines += [f"### With `criterion: {name}`", "", f"{rule.title}; [how it is scored](../numbers.md#{name}).", ""]
        lines += keys(variant, definitions, set(variant["properties"]) - own[name])
    lines += ["### criteria[].exclude[]", "", definitions["ExcludeSection"]["description"], ""]
    lines += keys(definitions["ExcludeSection"], definitions)
    lines += ["### criteria[].guardrail", ""]
    lines += ["Another criterion that must not get worse. Beside the keys of its rule:", ""]
    common = keys({**guard, "required": ["metric"]}, definitions, own[names[0]])
    lines += replaced(common, "criterion", listed(names), "", "The rule it is watched by. Default: `threshold`.")
    lines += [
        "The inner criterion of a streak (`of`) takes the same keys, must name its `criterion`, and has a `minimum`"
    ]
    lines += ["of 1 by default."]
    return page("Plan reference", ["The files `plans/*.yaml`: one person's improvement plan each."], lines)


def replaced(lines: list[str], key: str, *cells: str) -> list[str]:
    """A table whose line for one key says something else."""
    return [f"| `{key}` | " + " | ".join(cells) + " |" if line.startswith(f"| `{key}` |") else line for line in lines]


# --- commands -----------------------------------------------------------------------------------------------------


def commands_page(now: str) -> str:
    head = now.partition(MARKER)[0].rstrip()
    context = click.Context(main, info_name="pipmetrics", **main.context_settings)
    lines = [head, "", MARKER, ""]
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        lines += command_section(command, click.Context(command, context, info_name=name), "##")
    return "\n".join(lines).rstrip() + "\n"


def command_section(command: click.Command, context: click.Context, level: str) -> list[str]:
    """Usage, what it does, its options and examples; the commands below it follow."""
    text, examples = told(command.help or "")
    lines = [f"{level} {context.command_path}", "", text, ""]
    lines += ["```text", f"{context.command_path} {' '.join(command.collect_usage_pieces(context))}", "```", ""]
    options = [
        parameter for parameter in command.params if isinstance(parameter, click.Option) and not parameter.hidden
    ]
    lines += table(("option", "value", "meaning"), [option_row(option, context) for option in options])[
        : None if options else 0
    ]
    lines += ["```text", *examples, "```", ""] if examples else []
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            lines += command_section(below, click.Context(below, context, info_name=name), f"{level}#")
    return lines


def option_row(option: click.Option, context: click.Context) -> list[str]:
    info = option.to_info_dict()
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    metavar = "" if option.is_flag else option.make_metavar(context).strip("[]")
    default = option.default if option.show_default and not callable(option.default) else None
    help_text = (info["help"] or "").strip()
    if option.required:
        help_text += " Required."
    if isinstance(default, str | int) and not isinstance(default, bool):
        help_text += f" Default: `{default}`."
    if option.envvar:
        help_text += f" Also read from `{option.envvar}`."
    return [names, f"`{metavar}`" if metavar else "", help_text.strip()]


def told(help_text: str) -> tuple[str, list[str]]:
    """A command's docstring as paragraphs, and the lines of its examples."""
    paragraphs, examples = [], []
    for paragraph in inspect.cleandoc(help_text).split("\n\n"):
        lines = [line for line in paragraph.splitlines() if line.strip() != "\b"]
        if lines and re.fullmatch(r"Examples?:", lines[0].strip()):
            examples = [line.strip() for line in lines[1:]]
        else:
            paragraphs.append(" ".join(line.strip() for line in lines))
    return "\n\n".join(paragraphs), examples


def run(arguments: list[str]) -> int:
    stale = {path: text for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
        print(("stale: " if "--check" in arguments else "wrote ") + str(path.relative_to(DOCS.parent)))
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
