"""What a lip-sync expert adds to the opening of a mouth when it is asked who speaks.

    python -m benchmarks.expert_evidence --expert diff2lip/weights/small_expert.safetensors [--films FILM ...]

The people are those of `benchmarks.speaking_evidence` who are real, and whoever is seen longest in each FILM, who must
be the one who speaks there. Tells, for pieces of running speech of each length, the share of pairs, one of own and one
of another's sound, that are told apart (the area under the ROC curve) by the mouth's opening, by the expert, and by
both as `pipelines.speaking` adds them; then a logistic fit of its two constants beside the opening's log-odds. An
expert that has seen these people in training flatters itself.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.speaking_evidence import LENGTHS_S, SPEAKERS, Person, evidence, person_of, told_apart
from diff2lip.checkpoint import load_expert
from diff2lip.config import CropConfig
from diff2lip.syncnet import Expert
from pipelines.assets import asset_path
from pipelines.face_config import DetectorConfig, TrackConfig
from pipelines.face_crop import crop_frame
from pipelines.face_detector import FaceDetector
from pipelines.face_frame import mouth_opening
from pipelines.face_mesh import FaceMesh
from pipelines.face_scan import scan_faces
from pipelines.face_tracks import FaceTrack, link_faces, smooth_track
from pipelines.lip_vectors import REACH, MouthVectors, Vectors, expert_crop, fit_of, sound_vectors
from pipelines.lip_witness import steps_in_speech
from pipelines.media.picture import rgb_frames
from pipelines.media.probe import probe_film
from pipelines.media.sound import read_mono
from pipelines.speaking import sync_log_odds
from schemas.timing import ANALYSIS_RATE_HZ
from schemas.training import GRID_RATE

Floats = NDArray[np.float64]

STEP_S = 0.25
OTHERS = 2  # foreign sounds of each other person for each stretch
EVERYWHERE = 1 << 60


@dataclass(frozen=True, slots=True)
class Watched:
    """A person, and what the expert makes of the mouth and of the sound."""

    person: Person
    mouth: Vectors
    sound: Vectors


def watched(path: Path, name: str, place: int | None, expert: Expert, crop: CropConfig) -> Watched:
    """Whoever speaks in a clip: the face at a place from the left, or the one that is seen longest."""
    time_base = probe_film(path).time_base
    frames = list(rgb_frames(path, 0, EVERYWHERE))
    found = scan_faces(frames, FaceDetector(), FaceMesh(), DetectorConfig().detect_every)
    tracks = link_faces(found, round(0.5 / time_base), 0.25)
    track = _chosen(tracks, place)
    smooth = smooth_track(track, [pts for pts, _ in frames], time_base, crop, TrackConfig())
    times, pictures = np.array([float(pts * time_base) for pts in smooth.pts]), dict(frames)
    mouth = MouthVectors(expert)
    for step, index in steps_in_speech(times, [(0, EVERYWHERE)]):
        mouth.add(step, crop_frame(pictures[smooth.pts[index]], smooth.affines[index], crop.size_px))
    sound = read_mono(path).astype(np.float32)
    openings = np.array([mouth_opening(face.landmarks) for face in track.faces])
    person = person_of(name, np.array([float(pts * time_base) for pts in track.pts]), openings, sound, real=True)
    return Watched(
        person, mouth.done(), sound_vectors(expert, sound, range(len(sound) * GRID_RATE // ANALYSIS_RATE_HZ))
    )


def _chosen(tracks: list[FaceTrack], place: int | None) -> FaceTrack:
    if place is None:
        return max(tracks, key=lambda track: len(track.pts))
    return sorted(tracks, key=lambda track: float(track.faces[0].box[0]))[place]


def samples(people: list[Watched], length_s: float, rng: np.random.Generator) -> Iterator[tuple[bool, float, float]]:
    """Own sound or not, log-odds of the opening, and the expert's fit, of pieces of all people."""
    for one in people:
        first, last = one.person.mouth.times_s[[0, -1]].tolist()
        for start in np.arange(first, last - length_s, STEP_S):
            for other in people:
                is_own = other is one
                if not is_own and other.person.name == one.person.name:
                    continue
                free_s = max(0.5, other.person.duration_s - length_s - STEP_S)
                for other_s in [start] if is_own else rng.uniform(0, free_s, OTHERS).tolist():
                    found = evidence(one.person, other.person, start, other_s, length_s)
                    fit = _fit(one, other, start, other_s, length_s)
                    if found is not None and np.isfinite(fit):
                        yield is_own, found.log_odds, fit


def _fit(one: Watched, other: Watched, start_s: float, other_s: float, length_s: float) -> float:
    """The expert's, of a mouth from `start_s` on with somebody's sound from `other_s` on."""
    away = round((other_s - start_s) * GRID_RATE)
    moved = {step + away: vector for step, vector in one.mouth.items()}
    known = {
        step: vector for step, vector in moved.items() if step - REACH in other.sound and step + REACH in other.sound
    }
    return fit_of(
        known, other.sound, (round(other_s * ANALYSIS_RATE_HZ), round((other_s + length_s) * ANALYSIS_RATE_HZ))
    )


def fitted(odds: Floats, fits: Floats, own: NDArray[np.bool_]) -> tuple[float, float]:
    """SYNC and HALF_SYNC of `pipelines.speaking`; own and others count alike."""
    weights = np.where(own, 1 / own.sum(), 1 / (~own).sum())

    def loss(constants: Floats) -> float:
        both = odds + constants[0] * (fits - constants[1])
        return float(weights @ np.logaddexp(0, np.where(own, -both, both)))

    sync, half = minimize(loss, np.array([1.0, 1.5]), method="Nelder-Mead").x.tolist()
    return sync, half


def main() -> None:
    """Print the table and the fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--expert", type=Path, required=True)
    parser.add_argument("--films", type=Path, nargs="*", default=[])
    chosen = parser.parse_args()
    expert = load_expert(chosen.expert)
    crop = expert_crop(chosen.expert, expert.config.face_px[1])
    clips = [(asset_path(clip), name, place) for clip, (name, place) in SPEAKERS.items()]
    people = [watched(*clip, expert, crop) for clip in [*clips, *((film, film.stem, None) for film in chosen.films)]]
    rng, found = np.random.default_rng(0), []
    print(f"{'s':<5}{'own':>6}{'others':>8}{'opening':>10}{'expert':>10}{'both':>10}")
    for length_s in LENGTHS_S:
        part = np.array(list(samples(people, length_s, rng)))
        own = part[:, 0] > 0
        areas = [
            told_apart(values, own) for values in (part[:, 1], part[:, 2], part[:, 1] + sync_log_odds(part[:, 2]))
        ]
        print(f"{length_s:<5}{own.sum():>6}{(~own).sum():>8}" + "".join(f"{area:>10.3f}" for area in areas))
        found.append(part)
    every = np.concatenate(found)
    sync, half = fitted(every[:, 1], every[:, 2], every[:, 0] > 0)
    print(f"fit: SYNC {sync:.2f}, HALF_SYNC {half:.2f}")


if __name__ == "__main__":
    main()
