"""pipmetrics evaluates engineering performance improvement plans from facts, with the evidence for every number."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from pipmetrics.api import Organisation

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def open(config: str = "config", *, executor: Executor | None = None) -> Organisation:
    """Open a configuration folder; see `pipmetrics.api.Organisation` for what can be asked of it.

    `executor`: does the night's work instead of what the settings name.
    """
    from pipmetrics.api import open_organisation

    return open_organisation(config, executor=executor)
