"""A stand-in for Jira, Cloud or Data Center, that speaks its HTTP API: `serve(Jira(world))`."""

from pipmetrics.demo.jira.service import Jira
from pipmetrics.demo.jira.world import (
    Comment,
    Issue,
    Item,
    Link,
    LinkType,
    Project,
    Resolution,
    Sprint,
    Status,
    User,
    World,
)

__all__ = [
    "Comment",
    "Issue",
    "Item",
    "Jira",
    "Link",
    "LinkType",
    "Project",
    "Resolution",
    "Sprint",
    "Status",
    "User",
    "World",
]
