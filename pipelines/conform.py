"""ConformDub, before the cuts: a full mix, or music and effects, late or at another speed, is moved onto the film.

By an exact shift, and where it drifts by resampling (the SoX resampler), which changes its pitch as the speed that was
wrong had done. What is not surely found is not touched, and the row says why.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from pipelines.conform_fit import MIN_AGREEING, UNKNOWN, ConformFit, fit_conform
from pipelines.conformed_blocks import conformed_blocks
from pipelines.media.container import UndecodableError
from pipelines.media.dub_origin import dub_origin_s
from pipelines.media.sound import sound_blocks, sound_format
from pipelines.media.wave64 import write_wave64
from pipelines.stage import Row, RowStage
from pipelines.storage import ObjectStore, content_key, is_local, object_digest
from pipelines.stored_sound import dub_facts, place_facts, stored_original, stored_sound
from schemas.film import CONFORM, FILM
from schemas.timing import ANALYSIS_RATE_HZ, fraction, pts_to_sample

VERSION = 10
NOT_FOUND = "not moved: too little"
IN_TIME = "in time: "  # and nothing else is to be told
SAME_CUT = "see that it is of the same cut as the film"
INVERTED = "its polarity is inverted against the film's: invert it where it is to be mixed with sounds of the film"
GIVE = "give it from the film's first frame, or raise conform.max_lag_s"

TOLD = {field.name for field in CONFORM}


@dataclass(frozen=True, slots=True)
class Shared:
    """A sound that shares music and effects with the film's own: the columns of FILM that tell of it."""

    uri: str
    digest: str
    conform: str

    def place(self, row: Row) -> int:
        """Of the sound among those of its file, from 0, of a row of FILM."""
        return row["dub_place"] if self.uri == "dub_uri" else 0


MIX = Shared("dub_uri", "dub_digest", "conform")
EFFECTS = Shared("me_uri", "me_digest", "me_conform")


def shared_sound(row: Row) -> Shared | None:
    """Which sound of a film is looked for in it; None of one whose dub is dialogue alone.

    Args:
        row: FILM.
    """
    if row["dub_kind"] == "dub_mix":
        return MIX
    return EFFECTS if row["me_uri"] else None


@dataclass(frozen=True, kw_only=True, slots=True)
class ConformConfig:
    """What of a mix, or of music and effects, is moved."""

    max_lag_s: float = 2.0  # later than that is another cut of the film, not a lag
    least_lag_s: float = 0.005  # nobody hears less, be it late throughout or by drift; 0 and more
    move: bool = True  # else it is measured and told

    def __post_init__(self) -> None:
        if not 0 <= self.least_lag_s < self.max_lag_s:
            raise ValueError(
                f"0 <= least_lag_s < max_lag_s must hold, got {self.least_lag_s:g} and {self.max_lag_s:g}"
            )


class ConformDub(RowStage):
    """Moves the mix, or music and effects, of a film where it must; other films go through as they are."""

    consumes: ClassVar[pa.Schema] = FILM
    produces: ClassVar[pa.Schema] = FILM

    def __init__(self, store_uri: str, config: ConformConfig | None = None) -> None:
        self._store = ObjectStore(store_uri)
        self._config = config or ConformConfig()

    def facts(self, row: Row) -> Row:
        shared = shared_sound(row)
        if shared is None:
            return {}
        return conformed_before(row, self._store, self._config) or self._conform(row, shared)

    def _conform(self, row: Row, shared: Shared) -> Row:
        path = Path(row[shared.uri])
        key, place = conform_key(row, shared, self._config), shared.place(row)
        fit = self._fit(row, row[shared.digest], path, place)
        moved, detail = judged(fit, self._config, has_folder=is_local(self._store.root_uri))
        told = {name: value for name, value in asdict(fit).items() if name in TOLD}
        told |= {"moved": moved, "detail": detail, "lag_after_s": _known_lag(fit)}
        facts: Row = {"conform": told, "dub": None, "digest": None}
        if moved:
            form, damaged = sound_format(path, place), list[str]()
            heard = sound_blocks(path, form.sample_rate_hz, form.layout, dub_origin_s(path), damaged, place)
            moving = conformed_blocks(heard, form.sample_rate_hz, fit)
            conformed = content_key("conformed", VERSION, {"conform": key})
            with self._store.draft() as draft:
                write_wave64(draft.file, moving, form.sample_rate_hz, form.layout)
                uri = draft.commit(conformed)
            facts |= {"dub": conformed, "digest": object_digest(uri)}
            told["lag_after_s"] = _known_lag(self._fit(row, facts["digest"], Path(uri)))
            told["detail"] += _damage(damaged)
        self._store.put_json(key, facts)
        return _columns(shared, facts, self._store)

    def _fit(self, row: Row, digest: str, path: Path, place: int = 0) -> ConformFit:
        """How a sound lies on a film, by what it shares with the film's own."""
        zero = pts_to_sample(row["start_pts"], fraction(row["time_base"]), ANALYSIS_RATE_HZ)
        try:
            original = stored_original(self._store, row).since(max(zero, 0))
        except UndecodableError:  # a silent film shares nothing with its dub
            return UNKNOWN
        sound = stored_sound(self._store, digest, path, dub_origin_s(path), place)
        return fit_conform(original, sound, self._config.max_lag_s)


def conformed_before(row: Row, store: ObjectStore, config: ConformConfig) -> Row | None:
    """The changed columns of a film whose shared sound was conformed already; None of another.

    Args:
        row: FILM.
        store: where conformed sounds lie.
        config: what is moved.
    """
    if (shared := shared_sound(row)) is None:
        return None
    stored = store.find_facts(conform_key(row, shared, config), "dub")
    return None if stored is None else _columns(shared, stored, store)


def _known_lag(fit: ConformFit) -> float | None:
    return fit.lag_s if fit.is_sure else None


def conform_key(row: Row, shared: Shared, config: ConformConfig) -> str:
    """Of all that a conformed sound depends on; not what it is to the film."""
    facts = {"film": row["film_id"], "start": row["start_pts"], "dub": row[shared.digest], "config": asdict(config)}
    facts |= place_facts(row["sound_place"]) | (dub_facts(row) if shared is MIX else {})
    return content_key("conform", VERSION, facts)


def _columns(shared: Shared, stored: Row, store: ObjectStore) -> Row:
    if stored["dub"] is None:
        return {shared.conform: stored["conform"]}
    moved = {shared.conform: stored["conform"], shared.uri: store.uri(stored["dub"]), shared.digest: stored["digest"]}
    return moved | ({"dub_place": 0} if shared is MIX else {})


def _damage(damaged: list[str]) -> str:
    """What of a moved sound did not decode: its file says nothing of it any more."""
    return f"; damaged in {len(damaged)} places, which are silent: {damaged[0]}" if damaged else ""


def conform_notice(what: str, conform: Row | None) -> list[str]:
    """A line of what was done with a sound, and why; none of one in time, and none where it was not looked for.

    Args:
        what: its name and verb, as `its mix is`.
        conform: that column of FILM.
    """
    is_told = conform and (conform["moved"] or not conform["detail"].startswith(IN_TIME))
    return [f"{what} {conform['detail']}"] if conform and is_told else []


def is_found(conform: Row) -> bool:
    """Whether anything of the film's own sound was found in a sound, be it elsewhere.

    Args:
        conform: that column of FILM.
    """
    return not conform["detail"].startswith(NOT_FOUND)


def beside_effects(row: Mapping[str, Any]) -> list[str]:
    """What is to be looked at where music and effects were moved beside a stem: it shares nothing with the film.

    Args:
        row: FILM or a manifest.
    """
    effects = row.get("me_conform")
    if not effects or not effects["moved"] or row["dub_kind"] != "dub_stem":
        return []
    return ["its dub_stem is not moved with its me_stem: where both are of one session, it is off by as much"]


def judged(fit: ConformFit, config: ConformConfig, *, has_folder: bool = True) -> tuple[bool, str]:
    """Whether a sound is moved, and what is said of it; without a folder a decoder could not open it."""
    found = f"{fit.num_agreeing} of {fit.num_windows} stretches of the film agree"
    if fit.far_lag_s is not None or (fit.num_clear < MIN_AGREEING and not fit.repeats):
        return False, _not_found(fit, config)
    if fit.repeats:
        return False, (
            f"not moved: its lag is not known, the shared sound repeats: {fit.num_repeating} of {fit.num_windows} "
            "stretches of the film lie equally well at several lags; see that it begins with the film's first frame"
        )
    if not fit.is_sure:
        return False, f"not moved: its lag is not known, {found}, {_unsure(fit, config)}"
    lag, found = lag_in_words(fit), found + _exceptions(fit)
    if fit.most_lag_s < config.least_lag_s:
        end = "" if fit.rate == 1 else f", {_late(fit.end_lag_s)} at its end"
        return False, f"{_in_time(fit)}{_late(fit.lag_s)}{end}; {found}"
    if not config.move or not has_folder:
        why = "for want of a mounted --work folder" if config.move else "as set"
        return False, f"not moved, {why}: it is {lag}; {found}"
    return True, f"moved: it was {lag}; {found}"


def _in_time(fit: ConformFit) -> str:
    if fit.astray:
        return "in time but for a part: "
    return "in time but inverted: " if fit.is_inverted else IN_TIME


def _exceptions(fit: ConformFit) -> str:
    """Which parts of the film lie elsewhere than the rest, and whether all is inverted, and what to do."""
    parts = "".join(f"; {part.in_words()}" for part in fit.astray) + (f": {SAME_CUT}" if fit.astray else "")
    return f"{parts}; {INVERTED}" if fit.is_inverted else parts


def _unsure(fit: ConformFit, config: ConformConfig) -> str:
    """Why what was found of a sound is not believed, and what to do."""
    if fit.is_astray:
        astray = f"{fit.num_clear - fit.num_agreeing} contradict"
        return "; ".join([astray, *(part.in_words() for part in fit.astray), SAME_CUT])
    if fit.num_agreeing > MIN_AGREEING and abs(fit.lag_s) > config.max_lag_s:
        return f"that it is {lag_in_words(fit)}; {_advice(config)}"
    return "too few or too uneven; see that it begins with the film's first frame, and runs at its speed"


def _advice(config: ConformConfig) -> str:
    return f"where it lies more than {config.max_lag_s:g} s elsewhere {GIVE}"


def _not_found(fit: ConformFit, config: ConformConfig) -> str:
    """Why a sound in which nothing was found stays, and what to do."""
    if fit.far_lag_s is not None:
        late = f"{abs(fit.far_lag_s):.1f} s {'late' if fit.far_lag_s > 0 else 'early'}"
        return f"not moved: it seems to be {late}, beyond the {config.max_lag_s:g} s that are looked for: {GIVE}"
    return f"{NOT_FOUND} of the film's own sound is found in it to tell its lag; {_advice(config)}"


def lag_in_words(fit: ConformFit) -> str:
    """As `0.400 s late`, and how many times as long where it runs at another speed."""
    speed = "" if fit.rate == 1 else f" and {fit.name or f'{fit.rate:.6f}'} times as long"
    return f"{_late(fit.lag_s)}{speed}"


def _late(lag_s: float) -> str:
    return f"{abs(lag_s):.3f} s {'late' if lag_s > 0 else 'early'}"
