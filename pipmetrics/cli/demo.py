"""demo: the whole thing over a small organisation on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from pipmetrics.cli.options import now, print_text


@click.command()
@click.option(
    "--into",
    default="pipmetrics-demo",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to make, or to make anew.",
)
@click.option("--serve", "pages", is_flag=True, help="Open the web pages afterwards, until Ctrl-C.")
def demo(into: Path, pages: bool) -> None:
    """Run everything over a small organisation on this machine.

    Starts local stand-ins that speak the HTTP APIs of GitHub, GitLab and Jira, writes a configuration folder, runs the
    very same nightly job that you would, and prints the weekly digest. Nothing leaves this machine.

    \b
    Examples:
      pipmetrics demo
      pipmetrics demo --serve
    """
    import pipmetrics
    from pipmetrics.cli.progress import pulled_text, pulling
    from pipmetrics.demo.run import live, running
    from pipmetrics.digest import html, text
    from pipmetrics.weekly import monday_of, week_end

    with running(into, now()) as started, pipmetrics.open(str(started.config)) as company:
        with pulling() as progress:
            pulled = company.pull(progress=progress)
        click.echo(pulled_text(pulled), err=True)
        live(company, week_end(monday_of(None, company), "Europe/Berlin", company.now()))
        report = company.run()
        week = company.week()
        page = into / "digest.html"
        page.write_text(html.render(week.digest, week.points), encoding="utf-8")
        print_text(text.render(week.digest))
        print_text(_where(into, page, len(report.recorded)))
        if pages:
            print_text(f"Sign in as ada, dana, petra or noor: pipmetrics link dana --config {started.config}")
            from pipmetrics.cli.service import serve_pages

            serve_pages(company)


def _where(into: Path, page: Path, recorded: int) -> str:
    config = into / "config"
    return "\n".join(
        [
            f"{recorded} evaluations are on record. Where everything lies:",
            f"  {config}/pipmetrics.yaml, people.yaml, plans/   what was configured",
            f"  {config}/pipmetrics.db   facts, evaluations, ledger",
            f"  {page}   this digest as a page",
            "Look further:",
            f"  pipmetrics explain ada-reviews-and-bugs reviews-24h --config {config}",
            f"  pipmetrics backtest ada-reviews-and-bugs --config {config}",
            f"  pipmetrics verify --config {config}",
        ]
    )
