"""A setting replaces one field of a frozen configuration, in its own type, or is refused by name."""

from dataclasses import dataclass, field
from fractions import Fraction

import pytest

from jobs.overrides import OverrideError, override, override_keys
from jobs.recipes import paper_simple, small


@dataclass(frozen=True, kw_only=True, slots=True)
class Inner:
    steps: int = 6
    margin: Fraction = Fraction(1, 8)

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}")


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: str = "a"
    fast: bool = False
    share: float = 0.5
    inner: Inner = field(default_factory=Inner)


def test_settings_reach_nested_fields_in_their_own_type() -> None:
    settings = ["inner.steps=3", "inner.margin=3/25", "fast=true", "share=1e-2", "name=b=c"]
    expected = Outer(name="b=c", fast=True, share=0.01, inner=Inner(steps=3, margin=Fraction(3, 25)))
    assert override(Outer(), settings) == expected


def test_a_number_that_happens_to_be_whole_stays_what_its_field_is() -> None:
    """A recipe says `gan=0`, and a person `--set painter.weights.gan=0.25`."""
    assert override(Outer(share=0), ["share=0.25"]).share == 0.25
    for recipe in (small(), paper_simple()):
        for name in ("l2", "sync", "perceptual", "gan"):
            changed = override(recipe, [f"painter.weights.{name}=0.25"])
            assert getattr(changed.painter.weights, name) == 0.25


def test_keys_are_dotted() -> None:
    assert override_keys(Outer()) == ["fast", "inner.margin", "inner.steps", "name", "share"]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("steps", "not key=value"),
        ("steps=3", "known are fast, inner.margin"),
        ("inner.steps=many", "invalid literal"),
        ("inner.steps=0", "at least 1"),
        ("inner.margin=1/0", "inner.margin"),
        ("fast=yes", "true or false"),
        ("inner=3", "unknown key"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused(setting: str, words: str) -> None:
    with pytest.raises(OverrideError, match=words):
        override(Outer(), [setting])
