"""The look, in one place: colours by name, for the style sheet and for charts alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif"


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of one theme. Text colours keep a contrast of 4.5 to 1 on `paper` and `card`."""

    paper: str
    card: str
    ink: str
    muted: str
    line: str
    accent: str
    second: str
    wash: str
    notice: str


THEMES: Mapping[str, Theme] = {
    "light": Theme(
        paper="#faf8f4",
        card="#ffffff",
        ink="#1d2327",
        muted="#59636b",
        line="#ddd8ce",
        accent="#b93a1e",
        second="#1f6f78",
        wash="#e7dfd1",
        notice="#fbf0cf",
    ),
    "dark": Theme(
        paper="#15191c",
        card="#1d2327",
        ink="#ebe7df",
        muted="#a3adb4",
        line="#39424a",
        accent="#ff9273",
        second="#63c5cf",
        wash="#33302a",
        notice="#3a3420",
    ),
}

# Told apart by people who do not see all colours (Okabe and Ito 2008, order changed).
CATEGORIES = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8f8f8f", "#b5a818",
)  # fmt: skip

# Errors from small to large, in nine steps whose lightness also changes.
STEPS = (
    "#0b5d3b", "#2c8a4b", "#66ad4f", "#a9c94f", "#e8d54a",
    "#f2b03a", "#ee8130", "#d9482b", "#a3122a",
)  # fmt: skip

# The same for people who do not tell green from red: viridis (van der Walt & Smith 2015), which
# every kind of sight reads from dark to light.
SEEN_BY_ALL = (
    "#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c",
    "#28ae80", "#5ec962", "#addc30", "#fde725",
)  # fmt: skip

# A value from small to large, in six shades.
SHADES: Mapping[str, tuple[str, ...]] = {
    "light": ("#d3e9e2", "#aed5cd", "#82bcbb", "#559fa8", "#2e7c8e", "#11526a"),
    "dark": ("#24404a", "#2f5c67", "#3d7c86", "#5a9fa3", "#8dc4bd", "#d3ead8"),
}


def css_variables() -> str:
    """The themes as CSS custom properties; the reader's system chooses between them."""
    light, dark = (
        "".join(f"--{name}:{colour};" for name, colour in asdict(theme).items())
        for theme in (THEMES["light"], THEMES["dark"])
    )
    dark_rule = f"@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return f":root{{color-scheme:light dark;{light}}}{dark_rule}"


def vega_config(name: str) -> dict[str, Any]:
    """The Vega-Lite configuration of a theme; charts name colours by style, never by value."""
    theme = THEMES[name]
    text = {"labelColor": theme.muted, "titleColor": theme.muted}
    return {
        "background": "transparent",
        "font": SANS,
        "padding": {"left": 4, "right": 12, "top": 6, "bottom": 4},
        "view": {"stroke": None},
        "axis": {
            **text,
            "domainColor": theme.line,
            "gridColor": theme.line,
            "gridOpacity": 0.6,
            "tickColor": theme.line,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "titlePadding": 8,
        },
        "legend": {**text, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"},
        "title": {"color": theme.ink, "fontSize": 14, "anchor": "start", "fontWeight": "bold"},
        "range": {
            "category": list(CATEGORIES),
            "ordinal": list(SHADES[name]),
            "heatmap": [theme.second, theme.wash, theme.accent],
            "ramp": [theme.second, theme.wash, theme.accent],
        },
        # Vega-Lite takes a mark's colour from its style by the name `color`, filled or not.
        "style": {
            "dot": {"color": theme.second, "stroke": theme.card},
            "marked": {"color": theme.accent, "stroke": theme.card},
            "label": {"color": theme.ink, "fontSize": 12},
            "caption": {"color": theme.ink, "fontSize": 12.5},
            "up": {"color": theme.accent},
            "down": {"color": theme.second},
            "trace": {"color": theme.second},
            "zero": {"color": theme.muted},
            "pointer": {"color": theme.accent},
            "band": {"color": theme.second},
            "land": {"color": theme.wash, "stroke": theme.card},
            "region": {"stroke": theme.card},
            "outline": {"stroke": theme.accent, "color": theme.accent},
        },
    }
