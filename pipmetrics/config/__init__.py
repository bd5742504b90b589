"""Settings, people and plans from files: read, checked, linted, described, and written to start from."""

from __future__ import annotations

from pipmetrics.config import lint
from pipmetrics.config.configuration import Config
from pipmetrics.config.lint import Finding, Outlook, explain
from pipmetrics.config.load import load, parse_plan
from pipmetrics.config.reports import report
from pipmetrics.config.schemas import schemas
from pipmetrics.config.start import write_starting_config

__all__ = [
    "Config",
    "Finding",
    "Outlook",
    "explain",
    "lint",
    "load",
    "parse_plan",
    "report",
    "schemas",
    "write_starting_config",
]
