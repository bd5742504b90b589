"""GitHub and GitHub Enterprise Server as a source of signals."""

from pipmetrics_github.connector import GithubConnector

__all__ = ["GithubConnector"]
