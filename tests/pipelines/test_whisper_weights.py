"""Whisper's files come from its hub, or from packages: what lies here is used, and either form hears the same."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines import whisper_weights, whisper_words
from pipelines.asset_sources import UrlSource
from pipelines.assets import AssetUnavailableError, asset_path, list_assets
from pipelines.media.sound import read_mono
from pipelines.whisper_weights import HUB, PACKAGES, WeightsForm, whisper_digests, whisper_form
from pipelines.whisper_words import whisper_text
from schemas.timing import ANALYSIS_RATE_HZ

TAKE = Path(__file__).parents[2] / "jobs" / "demo_takes" / "psychology.ogg"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """No form is known before a test, nor one of a test after it."""
    caches = (whisper_form, whisper_words._model)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


def fetching(monkeypatch: pytest.MonkeyPatch, here: tuple[str, ...], served: tuple[str, ...]) -> list[str]:
    """A machine on which these assets lie, and to which those are served; the names that are asked for."""
    asked: list[str] = []

    def path(name: str) -> Path:
        asked.append(name)
        if name not in (*here, *served):
            raise AssetUnavailableError(name, "no network")
        return Path(name)

    monkeypatch.setattr(whisper_weights, "is_here", lambda name: name in here)
    monkeypatch.setattr(whisper_weights, "asset_path", path)
    return asked


@pytest.mark.parametrize(
    ("here", "served", "form"),
    [((), HUB.assets + PACKAGES.assets, HUB), ((), PACKAGES.assets, PACKAGES), (HUB.assets[:1], HUB.assets, HUB)],
)
def test_the_hub_is_asked_before_the_packages(
    monkeypatch: pytest.MonkeyPatch, here: tuple[str, ...], served: tuple[str, ...], form: WeightsForm
) -> None:
    fetching(monkeypatch, here, served)
    assert whisper_form() == form


@pytest.mark.parametrize("form", [HUB, PACKAGES])
def test_what_lies_here_is_used_and_nobody_is_asked(monkeypatch: pytest.MonkeyPatch, form: WeightsForm) -> None:
    asked = fetching(monkeypatch, form.assets, HUB.assets)

    assert whisper_form() == form
    assert not asked
    assert len(set(whisper_digests())) == len(form.assets)


def test_where_neither_is_to_be_had_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    fetching(monkeypatch, (), ())
    with pytest.raises(AssetUnavailableError, match="whisper-base-part1"):
        whisper_form()


def test_the_hubs_files_are_pinned_to_a_revision_and_to_their_digests() -> None:
    declared = {asset.name: asset for asset in list_assets()}
    for name in HUB.assets:
        first = declared[name].sources[0]
        assert isinstance(first, UrlSource)
        assert "/resolve/ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66/" in first.url
        assert len(declared[name].sha256) == 64


@pytest.mark.assets
@pytest.mark.usefixtures("whisper")
def test_files_in_the_hubs_form_hear_what_the_packages_hear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub cannot be reached everywhere: its form is made of the packages', one file and a list of tokens."""
    sound = read_mono(TAKE, ANALYSIS_RATE_HZ)[: 8 * ANALYSIS_RATE_HZ]
    monkeypatch.setattr(whisper_weights, "FORMS", (PACKAGES,))
    own = whisper_text(sound, "es")
    made = in_the_form_of_the_hub(tmp_path)

    monkeypatch.setattr(whisper_weights, "FORMS", (HUB,))
    monkeypatch.setattr(whisper_weights, "is_here", lambda name: True)
    monkeypatch.setattr(whisper_weights, "asset_path", made)
    whisper_form.cache_clear()
    whisper_words._model.cache_clear()

    assert own
    assert whisper_text(sound, "es") == own


def in_the_form_of_the_hub(folder: Path) -> Callable[[str], Path]:
    tokens = json.loads(asset_path("whisper-base-vocabulary").read_text(encoding="utf-8"))
    contents = {
        "whisper-base-hub": b"".join(asset_path(part).read_bytes() for part in PACKAGES.parts),
        "whisper-base-config": asset_path("whisper-base-config").read_bytes(),
        "whisper-base-hub-tokenizer": asset_path("whisper-base-tokenizer").read_bytes(),
        "whisper-base-hub-vocabulary": "\n".join(tokens).encode(),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return lambda name: folder / name
