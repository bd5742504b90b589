"""What can be said of the dependencies without asking anybody: pins, hashes, ranges, consistency, licences.

Run by the environment of development, which has all of them installed. Exits 1 when something is wrong.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
# What may be used beside Apache-2.0 without a condition on the code that uses it; of LGPL and MPL nothing is changed.
ALLOWED = {
    "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "HPND", "ISC", "LGPL-2.1", "LGPL-3.0",
    "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Unlicense", "ZPL-2.1", "Zlib",
}  # fmt: skip
FOUND = {
    "Apache": "Apache-2.0",
    "ISC": "ISC",
    "MIT": "MIT",
    "MPL": "MPL-2.0",
    "2-Clause": "BSD-2-Clause",
    "3-Clause": "BSD-3-Clause",
    "BSD": "BSD",
    "LGPLv3": "LGPL-3.0",
    "LGPL-3.0": "LGPL-3.0",
    "Lesser General Public License v3": "LGPL-3.0",
    "LGPL": "LGPL-2.1",
    "PSF": "PSF-2.0",
    "Python Software Foundation": "PSF-2.0",
    "Unlicense": "Unlicense",
    "Zope Public": "ZPL-2.1",
    "HPND": "HPND",
}
"""How licences are called in classifiers and in free text, the more exact first."""
READ = {
    "axe-playwright-python": "MIT", "lizard": "MIT", "pygithub": "LGPL-3.0", "pyphen": "LGPL-2.1", "resvg-py": "MIT",
}  # fmt: skip
"""Read in the licence file of the package itself, where its metadata tell nothing, too little, or offer a choice."""
Pins = dict[str, Requirement]


def pinned(path: Path, wrong: list[str]) -> Pins:
    """The requirements of a file by name; `wrong` gets what has no exact version or no hash."""
    found: Pins = {}
    for part in re.split(r"\n(?=\S)", path.read_text(encoding="utf-8").strip()):
        text, *hashes = re.split(r"\s*\\\n\s*", part)
        requirement = Requirement(text)
        if [each.operator for each in requirement.specifier] != ["=="]:
            wrong.append(f"{path.name}: {text} is not pinned")
        if not hashes or any(not re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", each.strip()) for each in hashes):
            wrong.append(f"{path.name}: {text} has no hash, or another one than SHA-256")
        found[canonicalize_name(requirement.name)] = requirement
    return found


def outside(pins: Pins, wanted: Iterator[Requirement], where: str) -> Iterator[str]:
    """Pins that pyproject.toml does not allow, and dependencies that have none."""
    for requirement in wanted:
        pin = pins.get(canonicalize_name(requirement.name))
        if pin is None:
            yield f"{where}: {requirement} has no pin"
        elif not requirement.specifier.contains(next(iter(pin.specifier)).version, prereleases=True):
            yield f"{where}: {pin} is outside of {requirement}"


def unmet() -> Iterator[str]:
    """Requirements of installed packages that what is installed does not meet."""
    here = {canonicalize_name(each.name): each.version for each in metadata.distributions()}
    for package in metadata.distributions():
        for requirement in map(Requirement, package.requires or ()):
            if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
                continue
            version = here.get(canonicalize_name(requirement.name))
            if version is None or not requirement.specifier.contains(version, prereleases=True):
                yield f"{package.name} needs {requirement}; installed is {version or 'none'}"


def licences(package: metadata.Distribution) -> set[str]:
    """The licences of a package by their SPDX names; all those of an expression count."""
    if read := READ.get(canonicalize_name(package.name)):
        return {read}
    told = package.metadata
    expression = told.get("License-Expression")
    if expression:
        return set(re.split(r"\s+(?:AND|OR|WITH)\s+", re.sub(r"[()]|-only|-or-later", "", expression)))
    classifiers = [line for line in told.get_all("Classifier") or () if line.startswith("License ::")]
    texts = [line for line in classifiers if not line.endswith("OSI Approved")] or [(told.get("License") or "")[:200]]
    return {next((spdx for word, spdx in FOUND.items() if word in text), text or "none told") for text in texts}


def run() -> int:
    wrong: list[str] = []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pins = {path.stem: pinned(path, wrong) for path in sorted((ROOT / "requirements").glob("*.txt"))}
    extras = project["project"]["optional-dependencies"]
    needed = [*project["project"]["dependencies"], *project["dependency-groups"]["run"]]
    more = [
        *needed,
        *project["dependency-groups"]["dev"],
        *(each for name in extras if name != "all" for each in extras[name]),
    ]
    wrong += outside(pins["run"], map(Requirement, needed), "run.txt")
    wrong += outside(pins["dev"], map(Requirement, more), "dev.txt")
    wrong += outside(pins["bench"], map(Requirement, [*needed, *project["dependency-groups"]["bench"]]), "bench.txt")
    wrong += unmet()
    by_licence: dict[str, list[str]] = defaultdict(list)
    for package in metadata.distributions():
        told = licences(package)
        by_licence[" and ".join(sorted(told))].append(package.name)
        if strange := told - ALLOWED:
            wrong.append(f"{package.name} {package.version}: the licence {', '.join(sorted(strange))} is not allowed")
    for licence, packages in sorted(by_licence.items(), key=lambda pair: -len(pair[1])):
        print(f"{licence}: {len(packages)}, as {', '.join(sorted(packages, key=str.lower)[:4])}")
    for each in wrong:
        print(f"■ {each}")
    if not wrong:
        print(f"{sum(map(len, pins.values()))} pins with hashes, inside their ranges; all licences allowed.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(run())
