"""What of a shot's row is delivered with a film, and what a delivery depends on."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines import film_stitches
from pipelines.dub import DubConfig
from pipelines.film_stitches import _facts, _unrecognisable
from tests.planned_rows import shot, track
from tests.tiny_model import save_tiny_model


def test_nothing_by_which_a_face_or_a_voice_is_recognised_is_delivered() -> None:
    voice = {"start": 0, "end": 16_000, "descriptor": [0.1] * 256}
    row = shot(track(0, descriptor=[0.1] * 128), original_voices=[voice])

    delivered = _unrecognisable(row)

    assert [one["descriptor"] for one in (*delivered["tracks"], *delivered["original_voices"])] == [[], []]
    assert delivered["original_voices"] == [voice | {"descriptor": []}]
    assert {name for name in row if delivered[name] != row[name]} == {"tracks", "original_voices"}


def test_inserts_of_another_form_are_written_anew_and_films_without_them_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = save_tiny_model(tmp_path / "tiny.safetensors")
    without = DubConfig(store_uri=str(tmp_path), out_dir=str(tmp_path), model_path=str(model))
    both = without, replace(without, inserts=True)
    before = [_facts(config) for config in both]

    monkeypatch.setattr(film_stitches, "INSERTS_VERSION", 99)

    assert [_facts(config) == facts for config, facts in zip(both, before, strict=True)] == [True, False]
