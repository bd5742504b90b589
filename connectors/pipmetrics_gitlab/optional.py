"""Lists that not every version, project or token has: told apart from a project that has gone out of sight."""

from __future__ import annotations

from pipmetrics.errors import SourceError
from pipmetrics.model import Json
from pipmetrics_gitlab.api import Api, project_path

OFTEN = 3
"""So many items without a list, and the version does not have it: then it is not asked for any more."""


def optional(api: Api, project: str, what: str, iid: int, part: str) -> list[Json]:
    """A list below a merge request or issue that may be kept private (403) or not be there (404).

    SourceError when it is the project that can not be seen.
    """
    if api.absent[part] >= OFTEN:
        return []
    try:
        return list(api.all(project_path(project, what, iid, part)))
    except SourceError as error:
        if error.status not in (403, 404):
            raise
        api.object(project_path(project))
        api.absent[part] += error.status == 404
        return []
