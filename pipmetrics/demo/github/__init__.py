"""A local stand-in for GitHub: a World of native objects, and an app that serves it as GraphQL and REST.

    world = World()
    ada, lee = world.account("ada"), world.account("lee")
    world.token("secret")
    api = world.repository("acme/api")
    change = api.pull(ada, at, "Round half up", files=[File("money.py", 12, 3)])
    change.request(lee, at + hour, by=ada)
    change.review(lee, at + 3 * hour, "APPROVED", comments=2)
    change.merge(at + 5 * hour, by=lee)
    api.deploy(change.merge_sha, "production", at + 6 * hour, by=lee)
    with serve(app(world)) as service:
        ...  # service.url is the base URL: GraphQL at /graphql, REST below /

Every act moves `updated_at` as the service does. Bases ending in /api/v3 (REST) and /api/graphql work too, as on an
Enterprise Server.
"""

from pipmetrics.demo.github.app import app
from pipmetrics.demo.github.work import Account, Check, Commit, Event, File, Issue, Pull, Review, Team
from pipmetrics.demo.github.world import Deployment, Release, Repository, World

__all__ = [
    "Account",
    "Check",
    "Commit",
    "Deployment",
    "Event",
    "File",
    "Issue",
    "Pull",
    "Release",
    "Repository",
    "Review",
    "Team",
    "World",
    "app",
]
