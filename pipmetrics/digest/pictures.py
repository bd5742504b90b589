"""Charts as pictures on their own: with their style inside, in the light colours, as SVG or PNG."""

from __future__ import annotations

import re
from functools import cache

from pipmetrics.digest.html import style
from pipmetrics.errors import UsageError

FONT = "Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif"


@cache
def _rules() -> str:
    """The stylesheet's rules for charts, with the light tokens put in: the only place where colours are said."""
    sheet = re.sub(r"/\*.*?\*/", "", str(style()), flags=re.DOTALL)
    first = sheet[sheet.index(":root {") : sheet.index("@media")]
    tokens = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", first))
    rules = re.findall(r"^\.ch [^{]+\{[^}]+\}", sheet, flags=re.MULTILINE)
    text = re.sub(r"var\((--[\w-]+)\)", lambda found: tokens[found[1]].strip(), "\n".join(rules))
    return f".ch text {{ font-family: {FONT}; }}\n{text}"


def standalone(svg: str) -> str:
    """An SVG of `charts` or `lifeline` as a document of its own; its look no longer depends on a page."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if box is None:
        raise ValueError("a chart has a viewBox")
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{box[1]}" height="{box[2]}"'
    return re.sub(r"^<svg([^>]*)>", lambda m: f"{head}{m[1]}><style>{_rules()}</style>", svg, count=1)


def png(svg: str, zoom: int = 2) -> bytes:
    """The chart as a PNG on white, `zoom` pixels a unit. UsageError when the library that draws it is missing."""
    try:
        import resvg_py
    except ImportError:
        raise UsageError(
            "pictures for e-mail need resvg-py, which is not installed", mend="Run: pip install 'pipmetrics[mail]'"
        ) from None
    drawn: bytes = resvg_py.svg_to_bytes(svg_string=standalone(svg), zoom=zoom, background="#ffffff")
    return bytes(drawn)
