"""A third witness of who speaks, where its weights are there: a lip-sync expert, which has seen people talk."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import chain
from math import ceil, floor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diff2lip.checkpoint import load_expert
from diff2lip.config import CropConfig
from diff2lip.syncnet import WINDOW_FRAMES, Expert
from pipelines.face_crop import crop_frame
from pipelines.face_frame import compose, face_to_crop, invert
from pipelines.lip_vectors import MouthVectors, expert_crop, fit_of, sound_vectors
from pipelines.media.picture import NEAR_CHROMA, frames, shrunk_rgb
from pipelines.row_table import read_columns
from pipelines.speech import SampleSpan
from pipelines.stage import Row
from pipelines.stored_sound import Sound
from schemas.timing import ANALYSIS_RATE_HZ, fraction
from schemas.training import GRID_RATE

Floats = NDArray[np.float64]
Shown = dict[int, dict[int, Floats]]  # [2, 3] film px to the expert's crop, by pts of the frame, by step of the grid


class LipWitness:
    """Asks an expert how well the speech of a shot fits its mouths. The weights are loaded with the first face."""

    def __init__(self, path: Path) -> None:
        """`path`: the expert's checkpoint."""
        self._path = path

    def fits(self, film: Row, tracks_uri: str, crop: CropConfig, sound: Sound, pieces: Sequence[SampleSpan]) -> Floats:
        """[K, P] how much better each piece fits a mouth in its place than elsewhere (`fit_of`).

        The frames in which somebody speaks are decoded once more.

        Args:
            film: its file and time base.
            tracks_uri: TRACK_FRAME of the K tracks of a shot.
            crop: where their affines lead.
            sound: of the original, sample 0 at film time 0.
            pieces: P pieces of the speech, in samples.

        Raises:
            UndecodableError: the picture cannot be decoded.
        """
        shown = self._shown(tracks_uri, crop, fraction(film["time_base"]), pieces)
        mouths = [MouthVectors(self._expert) for _ in shown]
        wanted = set(chain.from_iterable(shown))
        first, last = min(wanted, default=0), max(wanted, default=-1)
        for pts, frame in frames(Path(film["film_uri"]), first, last + 1) if wanted else ():
            if pts in wanted:
                picture = shrunk_rgb(frame, None, NEAR_CHROMA)
                for mouth, affines in zip(mouths, shown, strict=True):
                    for step, affine in affines.get(pts, {}).items():
                        mouth.add(step, crop_frame(picture, affine, self._crop.size_px))
        vectors = [mouth.done() for mouth in mouths]
        heard = sound_vectors(self._expert, sound, chain.from_iterable(vectors))
        fits = [[fit_of(of_mouth, heard, piece) for piece in pieces] for of_mouth in vectors]
        return np.array(fits).reshape(len(vectors), len(pieces))

    def _shown(self, uri: str, crop: CropConfig, time_base: Fraction, pieces: Sequence[SampleSpan]) -> list[Shown]:
        """Where each track is cut out."""
        table = read_columns(uri, ("track_index", "pts", "affine"))
        index, pts = (np.asarray(table[name]) for name in ("track_index", "pts"))
        affines = np.array(table["affine"].to_pylist(), np.float64).reshape(-1, 2, 3)
        to_expert = compose(face_to_crop(self._crop), invert(face_to_crop(crop)))
        found = []
        for track in range(int(index.max(initial=-1)) + 1):
            shown: Shown = {}
            mine = np.flatnonzero(index == track)
            times = np.array([float(int(at) * time_base) for at in pts[mine]])
            for step, place in steps_in_speech(times, pieces):
                shown.setdefault(int(pts[mine[place]]), {})[step] = compose(to_expert, affines[mine[place]])
            found.append(shown)
        return found

    @cached_property
    def _expert(self) -> Expert:
        return load_expert(self._path)

    @cached_property
    def _crop(self) -> CropConfig:
        return expert_crop(self._path, self._expert.config.face_px[1])


def steps_in_speech(times_s: Floats, pieces: Sequence[SampleSpan]) -> Iterator[tuple[int, int]]:
    """Steps of the grid of 25 fps that windows in speech are made of, each with the place of the nearest frame.

    Args:
        times_s: [F] when a face is seen, ascending.
        pieces: of the speech, in samples.
    """
    for step in range(ceil(times_s[0] * GRID_RATE), floor(times_s[-1] * GRID_RATE) + 1):
        first, last = ((step + away) * ANALYSIS_RATE_HZ // GRID_RATE for away in (-WINDOW_FRAMES, WINDOW_FRAMES))
        if any(start < last and first < end for start, end in pieces):
            yield step, int(np.abs(times_s - step / GRID_RATE).argmin())
