"""Draws curves as an SVG picture: both axes logarithmic, panels side by side.  No I/O."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH, HEIGHT = 400, 300
"""Pixels of one panel."""
LEFT, RIGHT, TOP, BOTTOM = 64, 28, 40, 48
"""Pixels around the square in which the curves are."""
LEGEND = 32
"""Pixels below all panels."""
COLORS = ("#1668b0", "#c2570c", "#2f7d32", "#7b3fa0")


class Curve(NamedTuple):
    """One curve: its name, and (x, y) of each point; both are above 0."""

    name: str
    points: Sequence[tuple[float, float]]


class Panel(NamedTuple):
    """One square: what its axes say, and its curves."""

    title: str
    across: str
    curves: Sequence[Curve]


def draw(panels: Sequence[Panel]) -> str:
    """The picture; curves with the same place in each panel have one colour and one name."""
    width, height = WIDTH * len(panels), HEIGHT + LEGEND
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" font-family="sans-serif" font-size="12" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, panel in enumerate(panels):
        parts += [f'<g transform="translate({number * WIDTH} 0)">', *_panel(panel), "</g>"]
    for number, curve in enumerate(panels[0].curves):
        x, y = LEFT + number * 160, HEIGHT + LEGEND // 2
        parts += [
            f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{COLORS[number]}"/>',
            _text(x + 10, y, curve.name),
        ]
    return "\n".join((*parts, "</svg>", ""))


def decades(values: Sequence[float]) -> tuple[int, int]:
    """The powers of ten between which `values` are, at least one apart."""
    low = floor(log10(min(values)))
    return low, max(low + 1, ceil(log10(max(values))))


def _panel(panel: Panel) -> Iterator[str]:
    points = [point for curve in panel.curves for point in curve.points]
    x_axis, y_axis = (decades(values) for values in zip(*points, strict=True))
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x(value: float) -> float:
        return round(LEFT + (right - LEFT) * _share(value, x_axis), 1)

    def y(value: float) -> float:
        return round(bottom - (bottom - TOP) * _share(value, y_axis), 1)

    yield _text(LEFT, 20, panel.title, ' font-weight="bold"')
    yield _text((LEFT + right) / 2, HEIGHT - 8, panel.across, ' text-anchor="middle"')
    for power in range(x_axis[0], x_axis[1] + 1):
        at = x(10.0**power)
        yield f'<path d="M{at} {TOP}V{bottom}" stroke="#ddd"/>'
        yield _text(at, bottom + 16, f"{10.0**power:,g}", ' text-anchor="middle"')
    for power in range(y_axis[0], y_axis[1] + 1):
        at = y(10.0**power)
        yield f'<path d="M{LEFT} {at}H{right}" stroke="#ddd"/>'
        yield _text(LEFT - 6, at + 4, f"{10.0**power:,g}", ' text-anchor="end"')
    for color, curve in zip(COLORS, panel.curves, strict=False):
        line = " ".join(f"{x(across)},{y(up)}" for across, up in curve.points)
        yield f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>'
        for across, up in curve.points:
            yield f'<circle cx="{x(across)}" cy="{y(up)}" r="3" fill="{color}"/>'


def _share(value: float, axis: tuple[int, int]) -> float:
    return (log10(value) - axis[0]) / (axis[1] - axis[0])


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}"{more}>{escape(text)}</text>'
