"""Lists that not every version, project or token has: told apart from an item that has gone out of sight."""

from __future__ import annotations

from pipmetrics.errors import SourceError
from pipmetrics.model import Json
from pipmetrics_gitlab.api import Api


def optional(api: Api, item: str, part: str) -> list[Json]:
    """A list below an item that may not be there; SourceError when it is the item that can not be seen.

    What a version does not have is not asked for again.
    """
    if part in api.absent:
        return []
    try:
        return list(api.all(f"{item}/{part}"))
    except SourceError as error:
        if error.status not in (403, 404):
            raise
        api.object(item)
        if error.status == 404:
            api.absent.add(part)
        return []
