"""The colours of page and figures: one name each, a light and a dark value.

Figures are drawn in the light values. Inside the page each of these is replaced by its CSS variable, so that one rendering serves
both themes; a colour must therefore be unique in `LIGHT`.
"""

LIGHT = {
    "paper": "#fbfaf6",
    "panel": "#ffffff",
    "ink": "#1d1c1a",
    "muted": "#5f5b53",
    "line": "#dcd8cd",
    "grid": "#ece9e1",
    "accent": "#8f4a06",
    "before": "#6d7a88",
    "good": "#14703f",
    "bad": "#b02a21",
    "unknown": "#7a5c00",
    "series1": "#8f4b06",
    "series2": "#1f5fa6",
    "series3": "#1a7f6b",
    "series4": "#8a3f8f",
    "series5": "#b0402f",
    "series6": "#5b6b12",
}

DARK = {
    "paper": "#14161a",
    "panel": "#1c1f25",
    "ink": "#ebe8e1",
    "muted": "#a8a59d",
    "line": "#373b43",
    "grid": "#292d34",
    "accent": "#f2a95c",
    "before": "#93a1b1",
    "good": "#62d08f",
    "bad": "#ff8f84",
    "unknown": "#e5c25a",
    "series1": "#f2a95d",
    "series2": "#7fb5f2",
    "series3": "#5fcdb5",
    "series4": "#d793dc",
    "series5": "#f58c78",
    "series6": "#b6c95c",
}

SERIES = tuple(LIGHT[f"series{number}"] for number in range(1, 7))


def with_variables(svg: str) -> str:
    """The SVG with every colour of the palette as its CSS variable and no background of its own."""
    svg = svg.replace(f'fill="{LIGHT["paper"]}"', 'fill="none"')
    for name, colour in LIGHT.items():
        svg = svg.replace(f'"{colour}"', f'"var(--{name})"')
    return svg
