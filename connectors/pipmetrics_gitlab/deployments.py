"""Deployments as signals, and which of them are production. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase

from pipmetrics.model import Signal, Source
from pipmetrics_gitlab.accounts import Directory
from pipmetrics_gitlab.values import Deployment, Project


def is_production(environment: str, source: Source) -> bool:
    return any(fnmatchcase(environment, pattern) for pattern in source.production)


def signal(deployment: Deployment, project: Project, source: Source) -> Signal:
    """The one signal of a deployment that succeeded."""
    who = Directory([deployment.by]).user(deployment.by)
    return Signal(
        source=source.name,
        kind="deployed",
        subject=f"{source.name}:{project.path}@{deployment.number}",
        key=f"deployed:{deployment.id}",
        at=deployment.at,
        url=deployment.url,
        actor=who.id,
        mark=who.mark,
        detail={
            "sha": deployment.sha,
            "environment": deployment.environment,
            "repository": f"{source.name}:{project.path}",
        },
    )
