# SPDX-License-Identifier: MIT
"""Bar charts as SVG: with a logarithmic axis, and colours for light and dark screens."""

import dataclasses
import math
from xml.sax.saxutils import escape

STYLE = """
    .paper { fill: #ffffff } .ink { fill: #1f2933 } .quiet { fill: #52606d }
    .grid { stroke: #d9e2ec } .axis, .target { stroke: #1f2933 }
    .good { fill: #2f855a } .bad { fill: #c05621 } .plain { fill: #829ab1 } .other { fill: #3e63a8 }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #0d1117 } .ink { fill: #e6edf3 } .quiet { fill: #9fb3c8 }
      .grid { stroke: #30363d } .axis, .target { stroke: #e6edf3 }
      .good { fill: #48bb78 } .bad { fill: #ed8936 } .plain { fill: #627d98 } .other { fill: #7aa2f7 }
    }
"""
WIDTH, LABELS, RESULTS, ROW, TOP = 1000, 460, 130, 40, 46


@dataclasses.dataclass(frozen=True)
class Bar:
    label: str
    below: str  # a second line, in small letters
    value: float
    text: str  # the value as people read it
    kind: str = "plain"  # good, bad, plain, other
    target: float | None = None


def _text(x: float, y: float, text: str, look: str, anchor: str = "start", size: int = 13) -> str:
    return (f'  <text class="{look}" x="{x:.0f}" y="{y:.0f}" font-size="{size}" '
            f'text-anchor="{anchor}">{escape(text)}</text>')


def _ticks(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0 ** power for power in range(first, last + 1)]


def svg(title: str, description: str, axis: str, bars: list[Bar], *, start: float | None) -> str:
    """Bars from `start` to their values; from the left edge if it is None."""
    values = [bar.value for bar in bars] + [bar.target for bar in bars if bar.target]
    ticks = _ticks(min(values), max(values))
    low, high = math.log10(ticks[0]), math.log10(ticks[-1])
    span = WIDTH - LABELS - RESULTS

    def place(value: float) -> float:
        return LABELS + (math.log10(value) - low) / (high - low) * span

    height = TOP + ROW * len(bars) + 40
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>', "<!-- SPDX-License-Identifier: MIT -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}"',
        '     font-family="Helvetica, Arial, sans-serif" role="img" '
        'aria-labelledby="title description">',
        f'  <title id="title">{escape(title)}</title>',
        f'  <desc id="description">{escape(description)}</desc>',
        f"  <style>{STYLE}  </style>",
        f'  <rect class="paper" width="{WIDTH}" height="{height}"/>',
        _text(20, 26, title, "ink", size=16)]
    bottom = height - 34
    for tick in ticks:
        x = place(tick)
        look = "axis" if tick == start else "grid"
        lines += [f'  <line class="{look}" x1="{x:.0f}" y1="{TOP}" x2="{x:.0f}" y2="{bottom}"/>',
                  _text(x, bottom + 15, f"{tick:g}", "quiet", "middle", 12)]
    lines.append(_text(LABELS + span / 2, height - 5, axis, "quiet", "middle", 12))
    left = place(start) if start else LABELS
    for number, bar in enumerate(bars):
        y = TOP + ROW * number
        x = place(bar.value)
        lines += [
            _text(LABELS - 12, y + 17, bar.label, "ink", "end"),
            _text(LABELS - 12, y + 32, bar.below, "quiet", "end", 11),
            f'  <rect class="{bar.kind}" x="{min(left, x):.1f}" y="{y + 9}" '
            f'width="{max(abs(x - left), 1):.1f}" height="20"/>',
            _text(WIDTH - 12, y + 24, bar.text, "ink", "end")]
        if bar.target:
            at = place(bar.target)
            lines.append(f'  <line class="target" x1="{at:.1f}" y1="{y + 4}" x2="{at:.1f}" '
                         f'y2="{y + 34}" stroke-width="3"/>')
    return "\n".join([*lines, "</svg>"]) + "\n"
