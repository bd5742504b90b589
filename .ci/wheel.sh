#!/bin/sh
# Builds the wheel, installs it into two new environments by nothing but its own metadata (versions are those of the
# requirements), uses it there, and writes the bill of materials of the larger one. Leaves both files in dist/.
set -eu
cd "$(dirname "$0")/.."
bin="$PWD/.venv/bin"
new="$PWD/build/installed"
rm -rf dist "$new"
mkdir -p dist "$new"
"$bin/hatchling" build -t wheel -d dist
wheel="$(ls "$PWD"/dist/pipmetrics-*.whl)"
sed -nE 's/^([A-Za-z0-9._-]+)(\[[^]]*\])?(==[^\\]*[^\\ ]).*/\1\3/p' requirements/dev.txt >"$new/versions.txt"

for extras in "" "[all]"; do
    there="$new/${extras:+all}"
    [ -n "$extras" ] || there="$new/alone"
    "$bin/python" -m venv --without-pip "$there"
    "$bin/python" -m pip --python "$there" -qq --disable-pip-version-check install --no-compile --only-binary :all: \
        --constraint "$new/versions.txt" "$wheel$extras"
    "$bin/python" -m pip --python "$there" -q --disable-pip-version-check check
    (
        cd "$new"
        "$there/bin/pipmetrics" --help >/dev/null
        "$there/bin/pipmetrics" metrics >/dev/null
        "$there/bin/pipmetrics" criteria >/dev/null
        "$there/bin/pipmetrics" schema >/dev/null
        "$there/bin/pipmetrics" init --config "$there/config" --github https://api.github.com --repository acme/api >/dev/null
        "$there/bin/pipmetrics" check --config "$there/config"
    )
done

# Without extras a command that needs one names it; with all of them every module can be imported.
if refused="$("$new/alone/bin/pipmetrics" serve --config "$new/alone/config" --port 0 2>&1)"; then
    echo "serve ran without the extra that it needs" >&2 && exit 1
fi
case "$refused" in
*"pip install 'pipmetrics[web]'"*) ;;
*) echo "$refused" >&2 && exit 1 ;;
esac
(cd "$new" && "$new/all/bin/python" -P -c '
import importlib, pkgutil
tops = "pipmetrics", "pipmetrics_github", "pipmetrics_gitlab", "pipmetrics_jira", "pipmetrics_criteria"
names = [m.name for top in tops for m in pkgutil.walk_packages(importlib.import_module(top).__path__, f"{top}.")]
names = [name for name in names if not name.startswith(("pipmetrics.testing", "pipmetrics.store.migrations."))]
print(len([importlib.import_module(name) for name in names]), "modules of the wheel imported")
')
"$bin/cyclonedx-py" environment "$new/all" --pyproject pyproject.toml --output-reproducible --of JSON -o dist/pipmetrics.cdx.json
"$bin/python" - dist/pipmetrics.cdx.json <<'END'
import json, sys
told = json.load(open(sys.argv[1], encoding="utf-8"))
print(f"{sys.argv[1]}: CycloneDX {told['specVersion']}, {len(told['components'])} components")
END
