"""Counts what reading the three services takes, other tools beside: `python benchmarks/request_counts.py`.

The model of all three: 1,000 changes with 2 reviews, 3 review-request events, 5 commits and 3 comments each, or 1,000
issues; a night has 20 changed ones. The other tools' counts follow from their code and documentation as of November
2026. (A script called requests.py would stand in the way of the library of that name.)
"""

from __future__ import annotations

import requests_github
import requests_gitlab
import requests_jira

OTHERS_GITHUB = (
    ("issue-metrics, defaults", 4_010, 81),
    ("Perceval, pull requests", 4_110, 181),
    ("DevLake, REST", 2_201, 176),
    ("DevLake, GraphQL", 183, 8),
    ("tap-github, 5 streams", 2_091, 45),
    ("Middleware", 3_010, 61),
)


def main() -> None:
    print("GitHub")
    requests_github.main()
    print(f"{'':44}{'first pull':>12}{'night':>8}")
    for tool, first, night in OTHERS_GITHUB:
        print(f"{tool:44}{first:>12,}{night:>8}")
    print("\nGitLab")
    requests_gitlab.main()
    print("\nJira")
    requests_jira.main()


if __name__ == "__main__":
    main()
