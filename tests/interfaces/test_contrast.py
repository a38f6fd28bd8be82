"""Words and plots can be read on both themes: contrast by WCAG 2.1."""

from __future__ import annotations

import colorsys
import re
import tomllib
from pathlib import Path

import plotly.graph_objects as go
import pytest

from optimizer.interfaces import marks
from optimizer.interfaces.cli.serve_command import SAFE_OPTIONS
from optimizer.interfaces.web import frame, plots

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"
PAGES = {"light": ("#FFFFFF", "#31333F"), "dark": ("#171614", "#FAFAFA")}
"""Background and text as Streamlit draws them where a theme says nothing else."""
CAPTION = 0.6
"""How much of the text's colour Streamlit gives to captions."""


def luminance(colour: str) -> float:
    """Relative luminance of #RRGGBB (WCAG 2.1)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def palette() -> list[str]:
    """The colours of creatives, read from the page: importing it would draw it."""
    page = Path(plots.__file__).with_name("creatives_page.py").read_text(encoding="utf-8")
    return re.findall(r"#[0-9A-F]{6}", page.split("PALETTE = (", 1)[1].split(")", 1)[0])


def themes() -> dict[str, dict[str, str]]:
    return dict(tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"])


def test_black_on_white_is_the_known_21() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_theme_can_be_read(mode: str) -> None:
    theme = themes()[mode]
    background = theme.get("backgroundColor", PAGES[mode][0])
    aside = theme.get("secondaryBackgroundColor", background)
    text = theme.get("textColor", PAGES[mode][1])
    assert contrast(text, background) >= 4.5
    assert contrast(text, aside) >= 4.5
    assert contrast(theme["primaryColor"], background) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_captions_and_words_in_plots_can_be_read(mode: str) -> None:
    theme = themes()[mode]
    background = theme.get("backgroundColor", PAGES[mode][0])
    text = theme.get("textColor", PAGES[mode][1])
    faded = "#" + "".join(
        f"{round(CAPTION * int(text[at : at + 2], 16) + (1 - CAPTION) * int(background[at : at + 2], 16)):02X}"
        for at in (1, 3, 5)
    )
    assert contrast(faded, background) >= 4.5
    assert contrast(frame.INK[mode], background) >= 4.5


def test_installed_program_has_the_same_theme() -> None:
    told = {
        f"theme.{mode}.{key}": value
        for mode, theme in themes().items()
        for key, value in theme.items()
    }
    assert {key: SAFE_OPTIONS[key] for key in told} == told


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_plots_can_be_seen(mode: str) -> None:
    """Three to one is asked of what is no text (WCAG 2.1, 1.4.11)."""
    background = themes()[mode].get("backgroundColor", PAGES[mode][0])
    drawn = (plots.BLUE, plots.ORANGE, plots.GREY, *palette())
    assert {colour: contrast(colour, background) for colour in drawn if
            contrast(colour, background) < 3} == {}  # fmt: skip


def test_all_words_of_a_plot_have_the_ink_and_no_axis_says_15k() -> None:
    drawn = go.Figure(go.Bar(x=["a"], y=[15000])).update_layout(
        xaxis_title="x", yaxis_title="y", annotations=[{"text": "above"}]
    )
    layout = plots.inked(drawn, "#123456").layout
    for axis in (layout.xaxis, layout.yaxis):
        assert (axis.tickfont.color, axis.title.font.color) == ("#123456", "#123456")
        assert (axis.exponentformat, axis.separatethousands) == ("none", True)
    assert [each.font.color for each in layout.annotations] == ["#123456"]
    assert layout.legend.font.color == layout.font.color == "#123456"


def test_more_and_less_are_not_red_and_green() -> None:
    for colour in (*marks.COLOURS.values(), plots.BLUE, plots.ORANGE):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        hue, _, saturation = colorsys.rgb_to_hls(*parts)
        red, green = abs((hue + 0.5) % 1 - 0.5) < 0.05, 0.2 < hue < 0.45
        assert saturation < 0.1 or not (red or green), colour
