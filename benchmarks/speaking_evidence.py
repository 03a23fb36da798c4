"""How well a mouth's likeness to a sound tells its own from others', in real people and in synthetic speech.

    python -m benchmarks.speaking_evidence --data DIR

DIR is a data set of `diff2lip voxceleb2` (`jobs.portrait_tree`), whose mouths follow the visemes that the expected
opening was fitted to: of its synthetic people too much is to be hoped for. The real people are clips with one speaker.
Tells for stretches of each length the share of pairs, one of own and one of another's sound, that are told apart (the
area under the ROC curve) by each of the three likenesses and by all as `pipelines.speaking` weighs them. Then a
logistic fit of its three constants, in which both kinds of people count alike.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import rankdata

from pipelines.assets import asset_path
from pipelines.face_detector import DetectorConfig, FaceDetector
from pipelines.face_frame import mouth_opening
from pipelines.face_mesh import FaceMesh
from pipelines.face_scan import scan_faces
from pipelines.face_tracks import link_faces
from pipelines.heard_sound import HeardSound, heard_sound
from pipelines.media.picture import rgb_frames
from pipelines.media.probe import probe_film
from pipelines.media.sound import read_mono
from pipelines.speaking import Evidence, Mouth, piece_evidence
from pipelines.stored_sound import Sound
from pipelines.training_set import open_training_set
from schemas.timing import ANALYSIS_RATE_HZ
from schemas.training import GRID_RATE, MARGIN_SAMPLES

Floats = NDArray[np.float64]

SPEAKERS = {"clip-obama-speech": 1, "clip-jwp-intro": 0, "clip-test-movie": 0}  # which face from the left it is
LENGTHS_S = (0.5, 0.8, 1.1, 1.5)
OTHERS = 3  # foreign sounds for each stretch
STEP_S = 0.5
AUDIBLE_DB = 25.0  # below the loudest, for half of a stretch at least


@dataclass(frozen=True, slots=True)
class Person:
    """A mouth and the sound that it makes."""

    mouth: Mouth
    heard: HeardSound
    duration_s: float
    real: bool


def real_people() -> Iterator[Person]:
    """Whoever speaks in the clips of `SPEAKERS`."""
    detector, mesh = FaceDetector(), FaceMesh()
    for name, place in SPEAKERS.items():
        path = asset_path(name)
        tick_s = float(probe_film(path).time_base)
        found = scan_faces(rgb_frames(path, 0, 1 << 60), detector, mesh, DetectorConfig().detect_every)
        tracks = sorted(link_faces(found, round(0.5 / tick_s), 0.25), key=lambda track: float(track.faces[0].box[0]))
        openings = np.array([mouth_opening(face.landmarks) for face in tracks[place].faces])
        yield _person(np.array(tracks[place].pts) * tick_s, openings, read_mono(path).astype(np.float32), real=True)


def synthetic_people(data: str) -> Iterator[Person]:
    """A stretch of each portrait of a data set."""
    training = open_training_set(data)
    for shard in training.shards:
        row = next(training.rows(shard))
        if row["video"] == "portrait":
            sound = (np.frombuffer(row["sound"], np.int16) / 32768).astype(np.float32)
            times = np.arange(len(row["openings"])) / float(GRID_RATE) + MARGIN_SAMPLES / ANALYSIS_RATE_HZ
            yield _person(times, np.array(row["openings"], np.float64), sound, real=False)


def _person(times: Floats, openings: Floats, sound: Sound, *, real: bool) -> Person:
    return Person(Mouth(times, openings), heard_sound(sound), len(sound) / ANALYSIS_RATE_HZ, real)


def evidence(person: Person, other: Person, start_s: float, other_s: float, length_s: float) -> Evidence | None:
    """A stretch of a mouth against a stretch of somebody's sound; None where little is heard there."""
    mouth = Mouth(person.mouth.times_s + other_s - start_s, person.mouth.openings)
    loud, _ = other.heard.around(round(other_s * 50), round((other_s + length_s) * 50))
    if np.median(loud) < other.heard.loud.max() - AUDIBLE_DB:
        return None
    span = round(other_s * ANALYSIS_RATE_HZ), round((other_s + length_s) * ANALYSIS_RATE_HZ)
    return piece_evidence(mouth, other.heard, [span])[0]


def samples(people: list[Person], length_s: float, rng: np.random.Generator) -> Iterator[tuple[bool, bool, Floats]]:
    """Real or not, own sound or not, and the three likenesses, of stretches of all people."""
    for person in people:
        first, last = person.mouth.times_s[[0, -1]]
        for start in np.arange(first, last - length_s, STEP_S):
            strangers = [other for other in people if other is not person]
            chosen = [strangers[int(place)] for place in rng.integers(len(strangers), size=OTHERS)]
            for other in [person, *chosen]:
                free_s = max(0.1, other.duration_s - length_s - STEP_S)
                other_s = start if other is person else rng.uniform(0, free_s)
                found = evidence(person, other, start, other_s, length_s)
                if found is not None:
                    yield person.real, other is person, np.array([*found.likenesses, found.likeness])


def told_apart(scores: Floats, own: NDArray[np.bool_]) -> float:
    """The area under the ROC curve."""
    ranks, positive = rankdata(scores)[own].sum(), int(own.sum())
    return float((ranks - positive * (positive + 1) / 2) / (positive * (len(own) - positive)))


def fit(lengths_s: Floats, likeness: Floats, own: NDArray[np.bool_], real: NDArray[np.bool_]) -> Floats:
    """FOLLOWING, HALF_LIKENESS and CHANCE_S of `pipelines.speaking`; all four groups count alike."""
    group = 2 * real + own
    weights = 1 / np.bincount(group, minlength=4)[group]

    def loss(constants: Floats) -> float:
        following, half, chance_s = constants
        odds = following * (lengths_s * (likeness - half) - chance_s)
        return float(weights @ np.logaddexp(0, np.where(own, -odds, odds)))

    return np.asarray(minimize(loss, np.array([5.0, 0.3, 0.1]), method="Nelder-Mead").x)


def main() -> None:
    """Print the table and the fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    args = parser.parse_args()
    people = [*real_people(), *synthetic_people(str(args.data))]
    rng, parts = np.random.default_rng(0), []
    print(f"{'':<12}{'s':>5}{'own':>6}{'others':>8}{'loudness':>10}{'expected':>10}{'speed':>8}{'all':>8}")
    for length_s in LENGTHS_S:
        found = list(samples(people, length_s, rng))
        real, own = (np.array([one[place] for one in found]) for place in range(2))
        likenesses = np.stack([one[2] for one in found])
        for name, mine in (("real", real), ("synthetic", ~real)):
            areas = [told_apart(column, own[mine]) for column in likenesses[mine].T]
            counts = int(own[mine].sum()), int((~own[mine]).sum())
            print(f"{name:<12}{length_s:>5}{counts[0]:>6}{counts[1]:>8}" + "".join(f"{area:>9.3f}" for area in areas))
        parts.append((np.full(len(found), length_s), likenesses[:, 3], own, real))
    following, half, chance_s = fit(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    print(f"fit: FOLLOWING {following:.2f}, HALF_LIKENESS {half:.3f}, CHANCE_S {chance_s:.3f}")


if __name__ == "__main__":
    main()
