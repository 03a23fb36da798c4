"""How well a mouth's likeness to a sound tells its own from others', in real people and in synthetic speech.

    python -m benchmarks.speaking_evidence --data DIR

DIR is a data set of `diff2lip voxceleb2` (`jobs.portrait_tree`), whose mouths follow the visemes that the expected
opening was fitted to: of its synthetic people too much is to be hoped for. The real people are two men in three clips.
Tells for pieces of running speech of each length the share of pairs, one of own and one of another's sound, that are
told apart (the area under the ROC curve) by each of the three likenesses and by their mean in several weights; real
people are compared with real voices, synthetic ones with synthetic. Then means and deviations as `pipelines.speaking`
weighs them, and a logistic fit of its three constants, in which both kinds of people count alike.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import rankdata

from pipelines.assets import asset_path
from pipelines.expected_opening import GRID_HZ
from pipelines.face_config import DetectorConfig
from pipelines.face_detector import FaceDetector
from pipelines.face_frame import mouth_opening
from pipelines.face_mesh import FaceMesh
from pipelines.face_scan import scan_faces
from pipelines.face_tracks import link_faces
from pipelines.heard_sound import HeardSound, heard_sound
from pipelines.media.picture import rgb_frames
from pipelines.media.probe import probe_film
from pipelines.media.sound import read_mono
from pipelines.speaking import LIKENESS_WEIGHTS, Evidence, Mouth, piece_evidence
from pipelines.stored_sound import Sound
from pipelines.training_set import open_training_set
from schemas.timing import ANALYSIS_RATE_HZ
from schemas.training import GRID_RATE, MARGIN_SAMPLES

Floats = NDArray[np.float64]

SPEAKERS = {  # who speaks in a clip, and which face from the left it is
    "clip-obama-speech": ("president", 1),
    "clip-jwp-intro": ("lecturer", 0),
    "clip-test-movie": ("lecturer", 0),
}
LENGTHS_S = (0.8, 1.1, 1.5)
WEIGHINGS = {  # of loudness, expected opening and speed
    "loudness": (1.0, 0.0, 0.0),
    "expected": (0.0, 1.0, 0.0),
    "speed": (0.0, 0.0, 1.0),
    "1:1:1": (1.0, 1.0, 1.0),
    "1:1.5:1": (1.0, 1.5, 1.0),
    "1:2:1": (1.0, 2.0, 1.0),
}
OTHERS = 3  # foreign sounds for each stretch
STEP_S = 0.5
AUDIBLE_DB = 25.0  # below the loudest, for half of a stretch at least


@dataclass(frozen=True, slots=True)
class Person:
    """A mouth and the sound that it makes."""

    name: str
    mouth: Mouth
    heard: HeardSound
    duration_s: float
    real: bool


def real_people() -> Iterator[Person]:
    """Whoever speaks in the clips of `SPEAKERS`."""
    detector, mesh = FaceDetector(), FaceMesh()
    for clip, (name, place) in SPEAKERS.items():
        path = asset_path(clip)
        tick_s = float(probe_film(path).time_base)
        found = scan_faces(rgb_frames(path, 0, 1 << 60), detector, mesh, DetectorConfig().detect_every)
        tracks = sorted(link_faces(found, round(0.5 / tick_s), 0.25), key=lambda track: float(track.faces[0].box[0]))
        openings = np.array([mouth_opening(face.landmarks) for face in tracks[place].faces])
        yield person_of(
            name, np.array(tracks[place].pts) * tick_s, openings, read_mono(path).astype(np.float32), real=True
        )


def synthetic_people(data: str) -> Iterator[Person]:
    """A stretch of each portrait of a data set."""
    training = open_training_set(data)
    for shard in training.shards:
        row = next(training.rows(shard, ["identity", "video", "openings", "sound"]))
        if row["video"] == "portrait":
            sound = (np.frombuffer(row["sound"], np.int16) / 32768).astype(np.float32)
            times = np.arange(len(row["openings"])) / float(GRID_RATE) + MARGIN_SAMPLES / ANALYSIS_RATE_HZ
            openings = np.array(row["openings"], np.float64)
            yield person_of(row["identity"], times, openings, sound, real=False)


def person_of(name: str, times: Floats, openings: Floats, sound: Sound, *, real: bool) -> Person:
    """A mouth of [F] openings at times in seconds, and the sound, mono at 16 kHz."""
    return Person(name, Mouth(times, openings), heard_sound(sound), len(sound) / ANALYSIS_RATE_HZ, real)


def evidence(person: Person, other: Person, start_s: float, other_s: float, length_s: float) -> Evidence | None:
    """A piece of running speech of a mouth against as much of somebody's sound; None where little is heard there."""
    mouth = Mouth(person.mouth.times_s + other_s - start_s, person.mouth.openings)
    loud, _ = other.heard.around(round(other_s * GRID_HZ), round((other_s + length_s) * GRID_HZ))
    if np.median(loud) < other.heard.loud.max() - AUDIBLE_DB:
        return None
    edges = [round((other_s + place * length_s) * ANALYSIS_RATE_HZ) for place in (-1, 0, 1, 2)]
    return piece_evidence(mouth, other.heard, list(pairwise(edges)))[1]  # the others lie around it


def samples(people: list[Person], length_s: float, rng: np.random.Generator) -> Iterator[tuple[bool, bool, Floats]]:
    """Real or not, own sound or not, and the three likenesses, of pieces of all people."""
    for person in people:
        strangers = [other for other in people if other.real == person.real and other.name != person.name]
        first, last = person.mouth.times_s[[0, -1]].tolist()
        for start in np.arange(first, last - length_s, STEP_S):
            chosen = [strangers[int(place)] for place in rng.integers(len(strangers), size=OTHERS)]
            for other in [person, *chosen]:
                free_s = max(0.1, other.duration_s - length_s - STEP_S)
                other_s = start if other is person else rng.uniform(0, free_s)
                found = evidence(person, other, start, other_s, length_s)
                if found is not None:
                    yield person.real, other is person, np.array(found.likenesses)


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
    """Print the tables and the fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    people = [*real_people(), *synthetic_people(parser.parse_args().data)]
    if len({person.name for person in people if not person.real}) < 2:
        parser.error("the data set has fewer than two portraits: make it of the tree of jobs.portrait_tree")
    rng, parts = np.random.default_rng(0), []
    print(f"{'':<10}{'s':>5}{'own':>6}{'others':>8}" + "".join(f"{name:>10}" for name in WEIGHINGS))
    for length_s in LENGTHS_S:
        found = list(samples(people, length_s, rng))
        real, own = (np.array([one[place] for one in found]) for place in range(2))
        likenesses = np.stack([one[2] for one in found])
        for name, mine in (("real", real), ("synthetic", ~real)):
            _print_row(f"{name:<10}{length_s:>5}", likenesses[mine], own[mine])
        parts.append((np.full(len(found), length_s), likenesses @ LIKENESS_WEIGHTS / sum(LIKENESS_WEIGHTS), own, real))
    following, half, chance_s = fit(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    print(f"fit: FOLLOWING {following:.2f}, HALF_LIKENESS {half:.3f}, CHANCE_S {chance_s:.3f}")


def _print_row(name: str, likenesses: Floats, own: NDArray[np.bool_]) -> None:
    areas = [told_apart(likenesses @ weights, own) for weights in WEIGHINGS.values()]
    ours = likenesses @ LIKENESS_WEIGHTS / sum(LIKENESS_WEIGHTS)
    spread = ", ".join(f"{ours[of].mean():.2f} ({ours[of].std():.2f})" for of in (own, ~own))
    counts = f"{int(own.sum()):>6}{int((~own).sum()):>8}"
    print(name + counts + "".join(f"{area:>10.3f}" for area in areas) + f"   own, others: {spread}")


if __name__ == "__main__":
    main()
