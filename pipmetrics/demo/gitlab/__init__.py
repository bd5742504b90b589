"""A local stand-in for GitLab: a World of native objects, and an app that serves it as REST v4 and GraphQL.

    world = World()
    ada, lee = world.user("ada"), world.user("lee")
    world.token("secret")
    core = world.project("platform/core")
    commit = core.commit(ada, at - hour, "Round half up")
    change = core.merge_request(ada, at, "Round half up", files=[File("money.py", 12, 3)], commits=[commit])
    change.request(lee, at=at + hour, by=ada)
    change.discuss(lee, at + 3 * hour, "Why not half even?")
    change.approve(lee, at + 3 * hour)
    change.merge(at + 5 * hour, by=lee)
    core.deploy(change.landed, "production", at + 6 * hour, by=lee)
    with serve(app(world)) as service:
        ...  # service.url is the base URL: REST at /api/v4, GraphQL at /api/graphql

Every act writes the system notes and state events that GitLab writes, and moves `updated` as GitLab does.
`app(world, graphql=False)` is an old instance without GraphQL.
"""

from pipmetrics.demo.gitlab.app import app, limited
from pipmetrics.demo.gitlab.work import Commit, File, Issue, Link, MergeRequest, Note, Pipeline, StateEvent, User
from pipmetrics.demo.gitlab.world import Deployment, Project, Token, World

__all__ = [
    "Commit",
    "Deployment",
    "File",
    "Issue",
    "Link",
    "MergeRequest",
    "Note",
    "Pipeline",
    "Project",
    "StateEvent",
    "Token",
    "User",
    "World",
    "app",
    "limited",
]
