#!/bin/sh
# Installs what the tests need and pip cannot bring: a browser, the libraries of the PDF, fonts. Debian and its kin.
set -eu
missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
for library in libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core poppler-utils; do
    dpkg-query --show --showformat='${db:Status-Status}' "$library" 2>/dev/null | grep --quiet '^installed$' ||
        missing="$missing $library"
done
[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null 2>&1 || {
    echo "The tests need:$missing. Install them with your system's packages." >&2
    exit 1
}
echo "Installing what the tests need:$missing" >&2
root=""
[ "$(id -u)" = 0 ] || root="sudo"
export DEBIAN_FRONTEND=noninteractive
$root apt-get update --quiet=2
# shellcheck disable=SC2086 # a list of names
$root apt-get install --quiet=2 --yes --no-install-recommends $missing >/dev/null
