"""ConformDub, before the cuts: a full mix that is late, or runs at another speed, is moved onto the film.

By an exact shift, and where it drifts by resampling (the SoX resampler), which changes its pitch as the speed that was
wrong had done. What is not surely found is not touched, and the row says why.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import soxr
from numpy.typing import NDArray

from pipelines.conform_fit import UNKNOWN, ConformFit, fit_conform
from pipelines.media.container import UndecodableError
from pipelines.media.dub_origin import dub_origin_s
from pipelines.media.sound import read_layout, sound_blocks
from pipelines.media.wave64 import write_wave64
from pipelines.stage import Row, RowStage
from pipelines.storage import ObjectStore, content_key, is_local, object_digest
from pipelines.stored_sound import stored_sound
from schemas.film import FILM
from schemas.timing import ANALYSIS_RATE_HZ, fraction, pts_to_sample

VERSION = 5

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConformConfig:
    """What of a mix is moved."""

    max_lag_s: float = 2.0  # later than that is another cut of the film, not a lag
    least_lag_s: float = 0.005  # nobody hears less; 0 and more
    move: bool = True  # else it is measured and told

    def __post_init__(self) -> None:
        if not 0 <= self.least_lag_s < self.max_lag_s:
            raise ValueError(
                f"0 <= least_lag_s < max_lag_s must hold, got {self.least_lag_s:g} and {self.max_lag_s:g}"
            )


class ConformDub(RowStage):
    """Moves the mix of a film where it must; other films go through as they are."""

    consumes: ClassVar[pa.Schema] = FILM
    produces: ClassVar[pa.Schema] = FILM

    def __init__(self, store_uri: str, config: ConformConfig | None = None) -> None:
        self._store = ObjectStore(store_uri)
        self._config = config or ConformConfig()

    def facts(self, row: Row) -> Row:
        if row["dub_kind"] != "dub_mix":
            return {}
        return conformed_before(row, self._store, self._config) or self._conform(row)

    def _conform(self, row: Row) -> Row:
        key, fit = conform_key(row, self._config), self._fit(row)
        moved, detail = judged(fit, self._config, has_folder=is_local(self._store.root_uri))
        told = asdict(fit) | {"moved": moved, "detail": detail, "lag_after_s": _known_lag(fit)}
        facts: Row = {"conform": told, "dub": None, "digest": None}
        del told["is_sure"], told["num_repeating"], told["far_lag_s"]
        if moved:
            dub = Path(row["dub_uri"])
            sample_rate_hz, layout = read_layout(dub)
            heard = sound_blocks(dub, sample_rate_hz, layout, dub_origin_s(dub))
            moving = conformed_blocks(heard, sample_rate_hz, fit)
            conformed = content_key("conformed", VERSION, {"conform": key})
            with self._store.draft() as draft:
                write_wave64(draft.file, moving, sample_rate_hz, layout)
                uri = draft.commit(conformed)
            facts |= {"dub": conformed, "digest": object_digest(uri)}
            told["lag_after_s"] = _known_lag(self._fit(row | {"dub_uri": uri, "dub_digest": facts["digest"]}))
        self._store.put_json(key, facts)
        return _columns(row, facts, self._store)

    def _fit(self, row: Row) -> ConformFit:
        return fit_of(self._store, row, row["dub_digest"], Path(row["dub_uri"]), self._config.max_lag_s)


def fit_of(store: ObjectStore, row: Row, digest: str, path: Path, max_lag_s: float) -> ConformFit:
    """How a sound lies on a film, by what it shares with the film's own.

    Args:
        store: where sounds are kept.
        row: FILM.
        digest: of the sound's file.
        path: that file.
        max_lag_s: the most that is looked for, either way.

    Raises:
        UndecodableError: the file has no sound that can be decoded.
    """
    zero = pts_to_sample(row["start_pts"], fraction(row["time_base"]), ANALYSIS_RATE_HZ)
    try:
        original = stored_sound(store, row["film_id"], Path(row["film_uri"])).since(max(zero, 0))
    except UndecodableError:  # a silent film shares nothing with its dub
        return UNKNOWN
    return fit_conform(original, stored_sound(store, digest, path, dub_origin_s(path)), max_lag_s)


def conformed_before(row: Row, store: ObjectStore, config: ConformConfig) -> Row | None:
    """The changed columns of a film whose mix was conformed already; None of another.

    Args:
        row: FILM with a mix.
        store: where conformed mixes lie.
        config: what is moved.
    """
    stored = store.find_facts(conform_key(row, config), "dub")
    return None if stored is None else _columns(row, stored, store)


def _known_lag(fit: ConformFit) -> float | None:
    return fit.lag_s if fit.is_sure else None


def conform_key(row: Row, config: ConformConfig) -> str:
    """Of all that the conformed mix depends on."""
    facts = {"film": row["film_id"], "start": row["start_pts"], "dub": row["dub_digest"], "config": asdict(config)}
    return content_key("conform", VERSION, facts)


def _columns(row: Row, stored: Row, store: ObjectStore) -> Row:
    if stored["dub"] is None:
        return {"conform": stored["conform"]}
    return {"conform": stored["conform"], "dub_uri": store.uri(stored["dub"]), "dub_digest": stored["digest"]}


def judged(fit: ConformFit, config: ConformConfig, *, has_folder: bool = True) -> tuple[bool, str]:
    """Whether a mix is moved, and what is said of it; without a folder a decoder could not open it."""
    found = f"{fit.num_agreeing} of {fit.num_windows} stretches of the film agree"
    if not fit.num_windows or fit.far_lag_s is not None:
        return False, _not_found(fit, config)
    if fit.repeats:
        return False, (
            f"not moved: its lag is not known, the shared sound repeats: {fit.num_repeating} of {fit.num_windows} "
            "stretches of the film lie equally well at several lags; see that it begins with the film's first frame"
        )
    if not fit.is_sure:
        return False, f"not moved: its lag is not known, {found}, {fit.num_clear - fit.num_agreeing} contradict"
    lag = lag_in_words(fit)
    if fit.rate == 1 and abs(fit.lag_s) < config.least_lag_s:
        return False, f"in time: {lag}; {found}"
    if not config.move or not has_folder:
        why = "for want of a mounted --work folder" if config.move else "as set"
        return False, f"not moved, {why}: it is {lag}; {found}"
    return True, f"moved: it was {lag}; {found}"


def _not_found(fit: ConformFit, config: ConformConfig) -> str:
    """Why a mix in which nothing was found stays, and what to do."""
    advice = "give it from the film's first frame, or raise conform.max_lag_s"
    if fit.far_lag_s is not None:
        late = f"{abs(fit.far_lag_s):.1f} s {'late' if fit.far_lag_s > 0 else 'early'}"
        return f"not moved: it seems to be {late}, beyond the {config.max_lag_s:g} s that are looked for: {advice}"
    return (
        "not moved: too little of the film's own sound is found in it to tell its lag; "
        f"where it lies more than {config.max_lag_s:g} s elsewhere {advice}"
    )


def lag_in_words(fit: ConformFit) -> str:
    """As `0.400 s late`, and how many times as long where it runs at another speed."""
    speed = "" if fit.rate == 1 else f" and {fit.name or f'{fit.rate:.6f}'} times as long"
    return f"{abs(fit.lag_s):.3f} s {'late' if fit.lag_s > 0 else 'early'}{speed}"


def conformed_blocks(blocks: Iterable[Floats], sample_rate_hz: int, fit: ConformFit) -> Iterator[Floats]:
    """A mix as it lies on the film.

    Args:
        blocks: [C, n] of the mix.
        sample_rate_hz: of both.
        fit: how it lies.

    Yields:
        [C, n] blocks, the first sample at the film's first frame.
    """
    shifted = _shifted(blocks, round(fit.lag_s * sample_rate_hz))
    if fit.rate == 1:
        yield from shifted
        return
    stream: soxr.ResampleStream | None = None
    for block in shifted:
        if stream is None:
            stream = soxr.ResampleStream(
                fit.rate * sample_rate_hz, sample_rate_hz, len(block), dtype="float32", quality="VHQ"
            )
        yield np.atleast_2d(stream.resample_chunk(_frames(block)).T)
    if stream is not None:
        yield np.atleast_2d(stream.resample_chunk(_frames(block[:, :0]), last=True).T)


def _frames(block: Floats) -> Floats:
    """[n] of one channel, [n, C] of more: as the resampler takes them."""
    return np.ascontiguousarray(block[0] if len(block) == 1 else block.T)


def _shifted(blocks: Iterable[Floats], late: int) -> Iterator[Floats]:
    """The blocks without their first samples, or behind silence where they come early."""
    for block in blocks:
        if late < 0:
            yield np.zeros((len(block), -late), np.float32)
            late = 0
        fresh = block[:, late:]
        late = max(0, late - block.shape[1])
        if fresh.shape[1]:
            yield fresh
