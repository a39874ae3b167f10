# SPDX-License-Identifier: Apache-2.0
"""Curves as SVG: panels beside each other, the sizes on a logarithmic axis, values from zero up. No library: a line, some points,
words."""
import html
import math

WIDTH, HEIGHT = 420, 260
LEFT, RIGHT, TOP, BOTTOM = 58, 18, 44, 46
STYLE = ("text{font:12px system-ui,sans-serif;fill:#57606a}.title{font-size:13px;font-weight:600;fill:#24292f}"
         ".axis{stroke:#d0d7de}.first{stroke:#8c959f;stroke-dasharray:4 4}.line{fill:none;stroke:#0969da;stroke-width:2}"
         ".point{fill:#0969da}.value{fill:#24292f}")


def short(size):
    """100000 as 100 000."""
    return f"{size:,}".replace(",", " ")


def step_of(most):
    """The largest of 1, 2, 5 times a power of ten that divides the axis into four parts or more."""
    power = 10 ** math.floor(math.log10(most / 4))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= most / 4)


def word(x, y, text, anchor="middle", kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{html.escape(text)}</text>'


def rule(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


class Panel:
    """`points`: (size, value), at least two, by size; a size of 0 stands one decade left of the next one."""

    def __init__(self, left, title, across, points, digits):
        self.left, self.title, self.across, self.points, self.digits = left + LEFT, title, across, points, digits
        self.most = max(value for _, value in points) * 1.2
        logs = [math.log10(size) if size else math.log10(points[1][0]) - 1 for size, _ in points]
        self.places = [self.left + (WIDTH - LEFT - RIGHT) * (log - logs[0]) / (logs[-1] - logs[0]) for log in logs]

    def height_of(self, value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.most

    def draw(self):
        right = self.left + WIDTH - LEFT - RIGHT
        yield word(self.left, 24, self.title, "start", "title")
        step = step_of(self.most)
        for number in range(int(self.most / step) + 1):
            y = self.height_of(number * step)
            yield rule(self.left, y, right, y, "axis")
            yield word(self.left - 8, y + 4, f"{number * step:g}", "end")
        first = self.height_of(self.points[0][1])
        yield rule(self.left, first, right, first, "first")
        heights = [self.height_of(value) for _, value in self.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(self.places, heights))
        yield f'<polyline points="{path}" class="line"/>'
        for x, y, (size, value) in zip(self.places, heights, self.points):
            anchor = "start" if x == self.places[0] else "end" if x == self.places[-1] else "middle"
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" class="point"/>'
            yield word(x, y - 9, f"{value:.{self.digits}f}", anchor, "value")
            yield word(x, HEIGHT - BOTTOM + 18, short(size), anchor)
        yield word((self.left + right) / 2, HEIGHT - 8, self.across)


def svg(path, description, panels):
    """panels: (title, what stands on the x axis, points, digits of the values)."""
    width = WIDTH * len(panels)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}" role="img">',
             f"<title>{html.escape(description)}</title><style>{STYLE}</style>", f'<rect width="{width}" height="{HEIGHT}" fill="#fff"/>']
    for number, panel in enumerate(panels):
        lines += Panel(number * WIDTH, *panel).draw()
    path.write_text("\n".join(lines) + "\n</svg>\n")
