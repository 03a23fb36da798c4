"""Films are watched once for all their languages, on Ray; where that fails they are looked at later."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest

from pipelines.dub import DubConfig
from pipelines.progress import Event
from pipelines.shots import DetectShots, ShotConfig
from pipelines.watching import watch_films
from tests.film_rows import film_row
from tests.real_assets import real_asset
from tests.synthetic import FilmSpec, SyntheticFilm, make_film
from tests.tiny_model import save_tiny_model

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> SyntheticFilm:
    real_asset("retinaface-mobilenet025")
    return make_film(tmp_path_factory.mktemp("film") / "film.mp4", FilmSpec(num_frames=60, cuts=(25,)))


def configured(folder: Path, detector: str = "content") -> DubConfig:
    save_tiny_model(folder / "tiny.safetensors")
    paths = {
        "store_uri": str(folder / "store"),
        "out_dir": str(folder),
        "model_path": str(folder / "tiny.safetensors"),
    }
    return DubConfig(**paths, shots=ShotConfig(detector=detector))


def told(films: Rows, config: DubConfig) -> list[tuple[bool, int]]:
    """Whether it was done before, and frames, of each event."""
    events: list[Event] = []
    watch_films(films, config, events.append)
    return sorted((event.cached, event.num_frames) for event in events if not event.partial)


def languages(film: SyntheticFilm) -> Rows:
    return [film_row(film), film_row(film, language="fr", dub_id="e" * 64)]


def detected(films: Rows, config: DubConfig) -> int:
    return DetectShots(config.store_uri)(pa.Table.from_pylist(films, schema=DetectShots.consumes)).num_rows


@pytest.mark.assets
def test_a_film_is_watched_once_for_two_languages(
    film: SyntheticFilm, tmp_path: Path, ray: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured(tmp_path)

    assert told(languages(film), config) == [(False, 60), (True, 60)]
    assert told(languages(film), config) == [(True, 60), (True, 60)]

    monkeypatch.setattr("pipelines.shots.rgb_frames", pytest.fail)
    assert detected(languages(film), config) == 4


@pytest.mark.assets
def test_films_whose_shots_are_known_are_not_watched(film: SyntheticFilm, tmp_path: Path) -> None:
    config = configured(tmp_path)
    detected([film_row(film)], config)

    assert told(languages(film), config) == [(True, 60), (True, 60)]  # and no Ray is asked


@pytest.mark.assets
def test_transnet_knows_cuts_at_the_end_alone(film: SyntheticFilm, tmp_path: Path) -> None:
    assert told(languages(film), configured(tmp_path, "transnet")) == [(True, 60), (True, 60)]


@pytest.mark.assets
def test_a_film_that_cannot_be_watched_ends_nothing(film: SyntheticFilm, tmp_path: Path, ray: ModuleType) -> None:
    gone = film_row(film) | {"film_uri": str(tmp_path / "gone.mp4"), "film_id": "a" * 64}

    assert (False, 60) in told([gone, film_row(film)], configured(tmp_path))
