"""The command line: a thin layer over `pipmetrics.api`. stdout carries results, stderr progress and logs.

Exit codes: 0 done; 1 done, but something was incomplete; 2 usage or configuration; 3 refused.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

import pipmetrics
from pipmetrics.errors import ConfigError, PipmetricsError, PluginError, Refused, SourceError, StoreError, UsageError

COMMANDS = {
    "init": ("setup", "Write a commented configuration to start from."),
    "demo": ("demo", "Run everything over a small organisation on this machine."),
    "check": ("setup", "Check the configuration, lint the plans, ask the sources."),
    "pull": ("facts", "Pull new facts from the sources."),
    "evaluate": ("scores", "Score every plan and print the result."),
    "run": ("service", "Run the nightly job once."),
    "serve": ("service", "Run the schedule and the web pages."),
    "deliver": ("service", "Send the weekly digests that are due."),
    "digest": ("scores", "Print the weekly progress digest."),
    "explain": ("scores", "Open a number down to its facts."),
    "measurements": ("facts", "Print the measured rows themselves."),
    "baseline": ("planning", "Assess the state before a plan starts."),
    "backtest": ("planning", "Try a plan's targets on peers and on the past."),
    "blame": ("blame", "Suggest which changes caused bugs, by what their fixes changed."),
    "dispute": ("acts", "Contest a data point, or decide a contest."),
    "attest": ("acts", "Attest what no tool measures."),
    "check-in": ("acts", "Record a check-in as held or missed."),
    "support": ("acts", "Record promised support as delivered, confirm or deny it."),
    "sign": ("acts", "Sign a digest, or acknowledge a plan."),
    "amend": ("acts", "Propose, sign or show an amendment of a plan."),
    "pause": ("acts", "Pause a plan, or resume it."),
    "decide": ("acts", "Record the decision on an ended plan."),
    "portfolio": ("scores", "Report how the practice goes, without names."),
    "verify": ("record", "Prove the ledger intact, or say from where it is not."),
    "ledger": ("record", "List what was recorded."),
    "runs": ("record", "List the runs of the nightly job."),
    "link": ("service", "Make a one-time link to sign in with."),
    "export": ("privacy", "Write everything held about a person."),
    "erase": ("privacy", "Erase what is held about a person, and record it."),
    "hold": ("privacy", "Keep a person's data from erasure, or end that."),
    "store": ("storing", "Copy, back up, restore or check the store."),
    "metrics": ("facts", "List the metrics and their definitions."),
    "criteria": ("facts", "List the criteria and their parameters."),
    "schema": ("setup", "Print the JSON Schemas of the configuration files."),
}
"""Name -> module that holds it and its short help, so that `--help` imports none of them."""


NEXT: dict[type[PipmetricsError], str] = {
    ConfigError: "`pipmetrics check` lists all that is wrong.",
    PluginError: "Mend or reinstall its package; `pipmetrics metrics` lists what is installed.",
    Refused: "`pipmetrics ledger` and `pipmetrics runs` list what has been recorded.",
    SourceError: "The next run tries again; `pipmetrics check --online` asks the sources.",
    StoreError: "`pipmetrics store check` says what is wrong with the store.",
    UsageError: "`pipmetrics COMMAND --help` shows how, with an example.",
    PipmetricsError: "`pipmetrics check` looks at the configuration, the sources and the store.",
}
"""What to do next, by kind, where the error itself does not say it."""


def told(error: PipmetricsError) -> str:
    """The error as the command line prints it; its last line says what to do next."""
    mends = isinstance(error, ConfigError) and all(problem.mend for problem in error.problems)
    if error.mend or mends:
        return str(error)
    return f"{error}\n  " + next(NEXT[kind] for kind in type(error).__mro__ if kind in NEXT)


class Commands(click.Group):
    """Imports a command's module when it is run, and turns our errors into a message and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = import_module(f"pipmetrics.cli.{COMMANDS[name][0]}")
        command: click.Command = getattr(module, name.replace("-", "_"))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, 1)
            ctx.fail(f"No such command {name!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        from pipmetrics.cli import logs
        from pipmetrics.transport.secrecy import mask

        logs.install()
        try:
            return super().invoke(ctx)
        except PipmetricsError as error:
            click.echo(f"pipmetrics: {mask(told(error))}", err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo(
                "pipmetrics: stopped; what was committed is kept, and the next run goes on from there.", err=True
            )
            sys.exit(130)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except OSError as error:
            click.echo(
                f"pipmetrics: {error.filename or 'the system'}: {error.strerror or error}\n"
                "  See that it exists and may be read and written, then run the same command again.",
                err=True,
            )
            sys.exit(1)
        except Exception as error:
            if os.environ.get(logs.DEBUG):
                raise
            said = mask(f"{type(error).__name__}: {error}")
            click.echo(
                f"pipmetrics: a fault of ours: {said}\n  {logs.DEBUG}=1 shows where; please report it.", err=True
            )
            sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(pipmetrics.__version__, prog_name="pipmetrics")
def main() -> None:
    """Evaluate engineering performance improvement plans from facts.

    \b
    Start here:   pipmetrics demo            a small organisation on this machine
                  pipmetrics init            a configuration of your own
                  pipmetrics check --online  is it right, and do the tokens work
                  pipmetrics run             the nightly job, once
                  pipmetrics digest          what the week brought
    """
