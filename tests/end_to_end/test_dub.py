"""A real face and real speech go through all stages on local Ray, with a tiny network."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from jobs.demo_lines import LINES
from jobs.dub import DubOutcome, DubRequest, run_dub
from jobs.dub_pipeline import open_pipeline
from jobs.plan_job import PlanRequest, run_plan
from pipelines.conform import ConformConfig, judged
from pipelines.conform_fit import UNKNOWN
from pipelines.media.concat import FilmFormat, Stretch, concat
from pipelines.media.sound import read_mono, write_wav
from pipelines.progress import Event
from pipelines.verify import verify_films
from tests.real_assets import real_asset
from tests.tiny_model import save_tiny_model

TALKING_FRAMES, EMPTY_FRAMES = 60, 25
DUB_RATE_HZ = 48_000
pytestmark = pytest.mark.timeout(600)  # beside other tests, on two cores, a film may take three minutes

SETTINGS = (
    "sampler.steps=2",
    "eligibility.min_doubt_score=0.0",
    "eligibility.min_speaking_score=0.0",
    "eligibility.max_enlargement=6",
    "eligibility.sure_enlargement=6",
    "gate.max_tries=0",  # what this network paints is no mouth
)


@dataclass
class Watching:
    """A display that remembers what it was told."""

    events: list[Event]

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def expect(self, stage: str, num_pieces: int, num_frames: int = 0) -> None:
        """Not needed here."""


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog of one film, 60 frames of a man who talks and 25 of a drawn sky, its dub, and a model."""
    folder = tmp_path_factory.mktemp("dub")
    talking = Stretch(path=real_asset("clip-jwp-intro"), start_s=Fraction(1, 2), num_frames=TALKING_FRAMES)
    empty = Stretch(path=real_asset("clip-face-noface"), start_s=Fraction(29, 10), num_frames=EMPTY_FRAMES)
    concat([talking, empty], folder / "film.mp4", FilmFormat(width_px=320, height_px=240))
    take = read_mono(LINES[0].take, DUB_RATE_HZ)
    length = (TALKING_FRAMES + EMPTY_FRAMES) * DUB_RATE_HZ // 25
    stem = torch.nn.functional.pad(torch.from_numpy(take)[:length], (0, max(0, length - len(take)))).numpy()
    write_wav(folder / "dub.wav", stem, DUB_RATE_HZ)
    (folder / "catalog.csv").write_text("film,language,dub_stem,title\nfilm.mp4,es,dub.wav,talk\n")
    save_tiny_model(folder / "tiny.safetensors", weight_std=0.05)
    return folder


@pytest.fixture(scope="module")
def first(material: Path, ray: ModuleType) -> tuple[DubOutcome, list[Event]]:
    return dub(material, material / "out")


def dub(material: Path, out: Path, settings: tuple[str, ...] = SETTINGS) -> tuple[DubOutcome, list[Event]]:
    """Dub the catalog into a folder."""
    request = DubRequest(
        catalog=material / "catalog.csv", out=out, model=str(material / "tiny.safetensors"), settings=settings
    )
    watching = Watching([])
    pipeline = open_pipeline(request.store_uri, out, request.model, request.settings)
    return run_dub(request, pipeline, watching), watching.events


def digest(outcome: DubOutcome) -> str:
    """Of the delivered film."""
    return hashlib.sha256(Path(outcome.films[0]["delivered_uri"]).read_bytes()).hexdigest()


def track_tables(out: Path) -> set[str]:
    """The stored tables of face tracks."""
    files = [path for path in (out / ".work").rglob("*") if path.is_file() and path.read_bytes()[:4] == b"PAR1"]
    return {path.name for path in files if "opening" in pq.read_schema(path).names}


@pytest.mark.assets
def test_a_talking_face_is_painted_and_the_film_is_proved(
    material: Path, first: tuple[DubOutcome, list[Event]]
) -> None:
    outcome, _ = first
    film: dict[str, Any] = outcome.films[0]

    assert outcome.exit_code == 0, outcome
    assert film["num_frames"] == TALKING_FRAMES + EMPTY_FRAMES
    assert (film["num_shots"], film["num_shots_dubbed"]) == (2, 1)
    assert 0 < film["num_frames_changed"] <= TALKING_FRAMES
    assert [row["reason"] for row in outcome.plan] == [None, "no_face"]
    proof = verify_films(material / "film.mp4", Path(film["delivered_uri"]))
    assert proof.holds, proof


@pytest.mark.assets
def test_the_delivery_has_all_that_people_look_at(first: tuple[DubOutcome, list[Event]]) -> None:
    folder = Path(first[0].films[0]["delivered_uri"]).parent
    assert {path.name for path in folder.iterdir()} == {
        "film.mp4",
        "manifest.json",
        "plan.parquet",
        "people.parquet",
        "shots.parquet",
        "report.html",
        "review",
        "timeline.png",
    }
    assert {path.name for path in (folder / "review").iterdir()} == {"shot0000.mp4", "shot0000-track0.png"}
    assert "data:image/png" in (folder / "report.html").read_text()


@pytest.mark.assets
def test_frames_are_told_of_while_a_long_piece_goes_on(first: tuple[DubOutcome, list[Event]]) -> None:
    """Never more of a piece than it has, and of the painting, which takes longest, some."""
    told = [event for event in first[1] if event.partial]
    assert "paint" in {event.stage for event in told}
    for stage in {event.stage for event in told}:
        frames = sum(event.num_frames for event in told if event.stage == stage)
        assert frames <= TALKING_FRAMES + EMPTY_FRAMES


@pytest.mark.assets
def test_a_second_run_does_nothing(material: Path, first: tuple[DubOutcome, list[Event]]) -> None:
    before = Path(first[0].films[0]["delivered_uri"]).stat()

    outcome, events = dub(material, material / "out")

    worked = {event.stage for event in events if not event.cached} - {"plan"}
    after = Path(outcome.films[0]["delivered_uri"]).stat()
    assert not worked
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.assets
def test_a_plan_made_after_a_dub_knows_what_all_but_painting_takes(
    material: Path, first: tuple[DubOutcome, list[Event]]
) -> None:
    out = material / "out"
    pipeline = open_pipeline(str(out / ".work"), out, str(material / "tiny.safetensors"), SETTINGS)

    outcome = run_plan(PlanRequest(catalog=material / "catalog.csv"), pipeline)

    assert first[0].exit_code == outcome.exit_code == 0
    assert outcome.cost is not None
    assert outcome.cost.cpu_hours is not None
    assert 0 < outcome.cost.cpu_hours < 1
    assert outcome.films[0]["cpu_s"] == pytest.approx(outcome.cost.cpu_hours * 3600, abs=0.3)


@pytest.mark.assets
def test_a_run_from_nothing_and_a_run_from_half_give_the_same_film(
    material: Path, first: tuple[DubOutcome, list[Event]]
) -> None:
    """Half: the store is moved, and every second object is gone, as after a crash and a lost disk."""
    expected, half = digest(first[0]), material / "half"
    half.mkdir()
    (material / "out" / ".work").rename(half / ".work")
    stored = sorted(path for path in (half / ".work").rglob("*") if path.is_file())
    for path in stored[::2]:
        path.unlink()

    outcome, _ = dub(material, half)

    assert outcome.exit_code == 0
    assert digest(outcome) == expected


@pytest.mark.assets
def test_a_shot_that_passes_no_try_is_delivered_as_it_was_filmed(
    material: Path, first: tuple[DubOutcome, list[Event]]
) -> None:
    held = material / "held"
    held.mkdir()
    shutil.copytree(material / "half" / ".work", held / ".work")
    (material / "catalog.csv").write_text("film,language,dub_stem,title\nfilm.mp4,es,dub.wav,talk\n")
    strict = (*SETTINGS, "gate.max_tries=3", "gate.max_identity_distance=0.0001")

    outcome, _ = dub(material, held, strict)
    again, events = dub(material, held, strict)

    film: dict[str, Any] = outcome.films[0]
    folder = Path(film["delivered_uri"]).parent
    shot = json.loads((folder / "manifest.json").read_text())["shots"][0]
    assert (film["num_shots_dubbed"], film["num_frames_changed"]) == (0, 0)
    assert film["num_frames_copied"] == film["num_frames"]
    assert shot["reason"] == "gate_failed"
    assert [one["how"] for one in shot["tries"]] == ["first", "other_noise", "smaller_mask"]
    assert all("identity_distance" in one["failed"] for one in shot["tries"])
    assert len({one["identity_distance"] for one in shot["tries"]}) == 3  # each was painted otherwise
    assert any("shot 0 after 3 tries" in notice for notice in outcome.notices)
    assert verify_films(material / "film.mp4", Path(film["delivered_uri"])).holds
    assert not {event.stage for event in events if not event.cached} - {"plan"}
    assert again.films[0]["delivered_uri"] == film["delivered_uri"]


@dataclass(frozen=True)
class Many:
    """What came of a catalog of one film in three languages."""

    outcome: DubOutcome
    events: list[Event]
    tables_before: set[str]
    tables: set[str]


@pytest.fixture(scope="module")
def many(material: Path, first: tuple[DubOutcome, list[Event]], whisper: None) -> Many:
    """A stem, a mix and a cue sheet. The second group is analysed while the first is painted."""
    out = material / "many"
    out.mkdir()
    shutil.copytree(material / "half" / ".work", out / ".work")
    shutil.copy(LINES[0].take, material / "take.ogg")
    (material / "sheet.csv").write_text(
        "start,end,character,text,take\n0.2,1.4,Jon,Hola,take.ogg\n2.6,3.2,Jon,No,gone.wav\n"
    )
    rows = ["film.mp4,es,dub.wav,,,talk", "film.mp4,de,,dub.wav,,talk", "film.mp4,fr,,,sheet.csv,talk"]
    (material / "catalog.csv").write_text("\n".join(["film,language,dub_stem,dub_mix,cue_sheet,title", *rows]))
    before = track_tables(out)
    outcome, events = dub(material, out)
    return Many(outcome, events, before, track_tables(out))


@pytest.mark.assets
def test_other_languages_of_a_film_run_no_detector_again(many: Many) -> None:
    """They share shots and faces; each paints its own mouths."""
    assert many.outcome.exit_code == 0
    assert many.tables_before
    assert many.tables == many.tables_before
    dubbed = {film["language"]: film["num_shots_dubbed"] for film in many.outcome.films}
    assert dubbed == {"de": 1, "es": 1, "fr": 1}


@pytest.mark.assets
def test_films_in_groups_come_out_as_they_do_alone(many: Many, first: tuple[DubOutcome, list[Event]]) -> None:
    outcome = many.outcome
    assert outcome.films[0]["language"] == "es"
    assert digest(outcome) == digest(first[0])
    stitched = {
        event.language: event.num_frames for event in many.events if event.stage == "stitch" and not event.partial
    }
    assert stitched == dict.fromkeys(("de", "es", "fr"), TALKING_FRAMES + EMPTY_FRAMES)


@pytest.mark.assets
def test_a_film_is_dubbed_whatever_its_dub_comes_as(material: Path, many: Many) -> None:
    outcome = many.outcome
    of_sheet = next(film for film in outcome.films if film["language"] == "fr")
    delivered = Path(of_sheet["delivered_uri"])
    manifest = json.loads((delivered.parent / "manifest.json").read_text())
    assert [(line["take"], line["flaw"]) for line in manifest["lines"]] == [
        ("take.ogg", None),
        ("gone.wav", "missing_take"),
    ]
    dialogue_only = "DIALOGUE ONLY: its dub track has no music and no effects; give its me_stem, or a dub_mix"
    assert sorted(outcome.notices) == [
        f"talk de: its mix is {judged(UNKNOWN, ConformConfig())[1]}",
        f"talk es: {dialogue_only}",
        f"talk fr: {dialogue_only}",
        "talk fr: line 2: missing_take, there is no file gone.wav",
    ]
    assert [(line["line_id"], line["num_words"], line["doubt"]) for line in manifest["heard_lines"]] == [
        ("1", 1, None)
    ]
    assert (manifest["words"]["lines"], manifest["heard_lines"][0]["heard"] is None) == (1, False)
    assert [sound["role"] for sound in manifest["sounds"]] == ["dub", "original", "delivered"]
    assert "<h2>Sound</h2><p>The dub track is DIALOGUE ONLY" in (delivered.parent / "report.html").read_text()
    for film in outcome.films:
        proof = verify_films(material / "film.mp4", Path(film["delivered_uri"]), Path(film["dub_uri"]))
        assert proof.holds, (film["language"], proof)
