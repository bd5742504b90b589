"""Charts as SVG text: one function a kind. No style inside, no scripts; the page's stylesheet gives the colours.

Each SVG has role="img" and a sentence as its label; the table beside it holds the same numbers. Anatomy: dots are
weeks (hollow under 5 data points), whiskers 95 % ranges (no cap: it runs off the scale), the dotted line and grey band
are the frozen baseline and its range, the solid line is the target, the diamond is the projection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

FEW = 5
LABEL_GAP = 13.0


@dataclass(frozen=True, slots=True)
class Point:
    """One week: its label, value (None: no data), 95 % range (None: unbounded) and sample."""

    label: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: float = 0.0


@dataclass(frozen=True, slots=True)
class Series:
    """What one criterion shows week by week. `weeks` are all weeks of the plan, `now` of them have begun."""

    sentence: str
    weeks: Sequence[Point]
    now: int
    low: float
    high: float
    target: float | None = None
    target_label: str = ""
    baseline: float | None = None
    baseline_label: str = ""
    band: tuple[float | None, float | None] | None = None
    projection: float | None = None
    likely: tuple[float | None, float | None] | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the plot lies in its picture, in user units; labels stand to its right."""

    width: float = 262.0
    height: float = 100.0
    left: float = 8.0
    right: float = 172.0
    top: float = 8.0
    bottom: float = 80.0
    css: str = "ch"


SMALL = Frame()
LARGE = Frame(1080.0, 288.0, 16.0, 930.0, 14.0, 244.0, "ch wide only-wide")
NARROW = Frame(360.0, 238.0, 10.0, 262.0, 12.0, 200.0, "ch slim only-narrow")


@dataclass(frozen=True, slots=True)
class _Plot:
    series: Series
    frame: Frame
    marks: list[str] = field(default_factory=list)

    def x(self, week: int) -> float:
        step = (self.frame.right - self.frame.left) / max(1, len(self.series.weeks))
        return self.frame.left + step * (week + 0.5)

    def y(self, value: float) -> float:
        """On the fixed scale; what lies outside is held at its edge."""
        span = (self.series.high - self.series.low) or 1.0
        share = min(1.0, max(0.0, (value - self.series.low) / span))
        return self.frame.bottom - share * (self.frame.bottom - self.frame.top)

    def within(self, value: float | None) -> bool:
        return value is not None and self.series.low <= value <= self.series.high


def weekly(series: Series, frame: Frame = SMALL) -> str:
    """Weekly points with whiskers, baseline band, target line and projection."""
    plot = _Plot(series, frame)
    parts = [
        head(frame, series.sentence),
        *_ground(plot),
        *_labels(plot),
        *_points(plot),
        *_projection(plot),
        *_axis(plot),
        "</svg>",
    ]
    return "".join(parts)


def head(frame: Frame, sentence: str) -> str:
    box = f"0 0 {frame.width:g} {frame.height:g}"
    return f'<svg class="{frame.css}" viewBox="{box}" role="img" aria-label="{escape(sentence)}">'


def line(css: str, left: float, right: float, y: float) -> str:
    return f'<line class="{css}" x1="{left:g}" x2="{right:g}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _ground(plot: _Plot) -> Iterator[str]:
    frame, series = plot.frame, plot.series
    edge = frame.left + (frame.right - frame.left) * series.now / max(1, len(series.weeks))
    if series.now < len(series.weeks):
        yield rect("future", edge, frame.top, frame.right - edge, frame.bottom - frame.top)
    if series.band is not None:
        low, high = series.band
        top = plot.y(series.high if high is None else high)
        bottom = plot.y(series.low if low is None else low)
        yield rect("band", frame.left, top, frame.right - frame.left, max(1.0, bottom - top))
    for css, value in (("base", series.baseline), ("target", series.target)):
        if value is not None:
            yield line(css, frame.left, frame.right, plot.y(value))


def _labels(plot: _Plot) -> Iterator[str]:
    """Target and baseline, to the right of the plot, moved apart when they would touch."""
    series = plot.series
    wanted = [
        (plot.y(value), text, css)
        for value, text, css in (
            (series.target, series.target_label, "t-strong"),
            (series.baseline, series.baseline_label, ""),
        )
        if value is not None and text
    ]
    wanted.sort()
    places = apart([y for y, _, _ in wanted], plot.frame.top + 4, plot.frame.bottom)
    for y, (_, text, css) in zip(places, wanted, strict=True):
        yield f'<text x="{plot.frame.right + 7:g}" y="{y + 3.6:.1f}" class="{css}">{escape(text)}</text>'


def apart(places: Sequence[float], top: float, bottom: float) -> list[float]:
    """Sorted places moved so that neighbours are LABEL_GAP apart, inside top..bottom where they fit."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, top, moved[-1] + LABEL_GAP) if moved else max(place, top))
    over = max(0.0, moved[-1] - bottom) if moved else 0.0
    return [place - over for place in moved]


def _points(plot: _Plot) -> Iterator[str]:
    known = [(plot.x(week), point) for week, point in enumerate(plot.series.weeks) if point.value is not None]
    if len(known) > 1:
        line = " ".join(f"{x:.1f},{plot.y(point.value or 0.0):.1f}" for x, point in known)
        yield f'<polyline class="link" points="{line}"/>'
    if known:
        whiskers = "".join(_whisker(plot, x, point.low, point.high) for x, point in known)
        yield f'<path class="wh" d="{whiskers}"/>'
    for x, point in known:
        last = (x, point) == known[-1]
        css = "pt few" if point.n < FEW else "pt"
        yield f'<circle class="{css}" cx="{x:.1f}" cy="{plot.y(point.value or 0.0):.1f}" r="{4.2 if last else 3.3}"/>'


def _whisker(plot: _Plot, x: float, low: float | None, high: float | None) -> str:
    top = plot.frame.top if high is None else plot.y(high)
    bottom = plot.frame.bottom if low is None else plot.y(low)
    path = f"M{x:.1f} {top:.1f}V{bottom:.1f}"
    path += f"M{x - 3:.1f} {top:.1f}h6" if plot.within(high) else ""
    path += f"M{x - 3:.1f} {bottom:.1f}h6" if plot.within(low) else ""
    return path


def _projection(plot: _Plot) -> Iterator[str]:
    series = plot.series
    if series.projection is None:
        return
    x, y = plot.x(len(series.weeks) - 1), plot.y(series.projection)
    if series.likely is not None:
        low, high = series.likely
        top = plot.frame.top if high is None else plot.y(high)
        bottom = plot.frame.bottom if low is None else plot.y(low)
        yield f'<path class="pjw" d="M{x:.1f} {top:.1f}V{bottom:.1f}"/>'
    yield f'<path class="pj" d="M{x:.1f} {y - 4.6:.1f}l4.6 4.6-4.6 4.6-4.6-4.6z"/>'


def _axis(plot: _Plot) -> Iterator[str]:
    frame, weeks = plot.frame, plot.series.weeks
    yield line("ax", frame.left, frame.right, frame.bottom + 0.5)
    if not weeks:
        return
    here = max(0, plot.series.now - 1)
    room = max(1, round(32 / ((frame.right - frame.left) / len(weeks))))
    for week in sorted({0, here, len(weeks) - 1}):
        if week != here and abs(week - here) < room:
            continue
        anchor, x = "middle", plot.x(week)
        if week == len(weeks) - 1 and week != here:
            anchor, x = "end", frame.right
        css = ' class="t-strong"' if week == here else ""
        label, y = escape(weeks[week].label), frame.bottom + 15
        yield f'<text{css} x="{x:.1f}" y="{y:g}" text-anchor="{anchor}">{label}</text>'


def rect(css: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{css}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


@dataclass(frozen=True, slots=True)
class Mark:
    """One measurement of the evidence strip: where in the window (0 to 1), its value, and whether it counts."""

    at: float
    value: float
    counted: bool


STRIP = Frame(1080.0, 112.0, 16.0, 930.0, 12.0, 96.0, "ch wide only-wide")
SLIM_STRIP = Frame(360.0, 132.0, 10.0, 262.0, 12.0, 116.0, "ch slim only-narrow")


def strip(
    sentence: str, marks: Sequence[Mark], limit: float | None, limit_label: str, high: float, frame: Frame = STRIP
) -> str:
    """Every single measurement of the window against the limit; left-out and pending ones are hollow.

    What lies above `high` is held at the upper edge.
    """
    plot = _Plot(Series(sentence, (), 0, 0.0, high, target=limit, target_label=limit_label), frame)
    parts = [head(frame, sentence), *_ground(plot), *_labels(plot)]
    for css, chosen in (
        ("dots out", [mark for mark in marks if not mark.counted]),
        ("dots", [mark for mark in marks if mark.counted]),
    ):
        if chosen:
            parts.append(f'<path class="{css}" d="{"".join(_dot(plot, mark) for mark in chosen)}"/>')
    return "".join([*parts, line("ax", frame.left, frame.right, frame.bottom + 0.5), "</svg>"])


def _dot(plot: _Plot, mark: Mark) -> str:
    """A stroke without length: its round ends are the dot."""
    x = plot.frame.left + min(1.0, max(0.0, mark.at)) * (plot.frame.right - plot.frame.left)
    return f"M{x:.0f} {plot.y(mark.value):.0f}h0"


SHADES = 4
"""Ways to fill a part of a stack; later parts begin anew."""


def stack(sentence: str, parts: Sequence[float]) -> str:
    """Shares of a whole in one bar, in the order given; the list beside it names them by the same fill."""
    frame = Frame(520.0, 30.0, 0.0, 520.0, 0.0, 30.0, "ch wide")
    total, x, drawn = sum(parts) or 1.0, 0.0, [head(frame, sentence)]
    for place, part in enumerate(parts):
        width = part / total * frame.right
        css = f"fill{place % SHADES + 1}"
        drawn.append(
            f'<rect class="{css}" x="{x + 1:.1f}" y="1" width="{max(1.0, width - 2):.1f}" height="28" rx="4"/>'
        )
        x += width
    return "".join([*drawn, "</svg>"])
