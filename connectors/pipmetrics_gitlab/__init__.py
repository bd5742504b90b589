"""Reads GitLab: merge requests, issues and deployments become signals."""

from pipmetrics_gitlab.connector import GitlabConnector

__all__ = ["GitlabConnector"]
