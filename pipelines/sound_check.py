"""What the sounds of a dub measure, and what is wrong with them: told before anything is painted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.dub_language import other_language
from pipelines.given_dub import given_dub
from pipelines.media.channel_pair import PairMeter
from pipelines.media.channels import channels_of, holds, nearest_layout
from pipelines.media.coded_layouts import kept_layouts
from pipelines.media.container import UndecodableError
from pipelines.media.dub_origin import dub_origin_s
from pipelines.media.dub_track import dub_track
from pipelines.media.loudness import Loudness, LoudnessMeter
from pipelines.media.muxer import delivered_suffix
from pipelines.media.regular_blocks import regular_blocks
from pipelines.media.sound import BEGINNING, sound_blocks, sound_format, tells_lead
from pipelines.speech import SpeechConfig, dub_speech, original_speech
from pipelines.stage import Row
from pipelines.stem_channel import BLOCK_SAMPLES, PAIR
from pipelines.stem_lag import stem_lag
from pipelines.storage import ObjectStore, content_key, read_table
from pipelines.stored_sound import dub_facts, dub_where, sound_facts
from pipelines.whisper_words import has_whisper
from schemas.mix import StemChannel
from schemas.reason import SoundFlaw
from schemas.sound import SOUND
from schemas.timing import ANALYSIS_RATE_HZ, clock, fraction, pts_to_sample

VERSION = 8
SILENCE_DBFS = -60.0
LEAST_OVER_DB = 0.1  # lossy codecs overshoot by less than anybody hears
MAX_LAG_S = 2.0  # that a stem is looked for at
LENGTH_TOLERANCE_S = 0.5  # a codec pads, and a stem may end with its last word
DEAD_BESIDE = {StemChannel.LEFT: "FR", StemChannel.RIGHT: "FL"}
PAIRS = (("FL", "FR"), ("BL", "BR"), ("SL", "SR"))


@dataclass(frozen=True, kw_only=True, slots=True)
class SoundMeasure:
    """What a sound stream of a file measures; nothing in it depends on the film."""

    codec: str
    sample_rate_hz: int
    layout: str
    length_s: float
    tells_lead: bool
    damaged: tuple[str, ...]  # what does not decode
    loudness: Loudness
    alone: str | None = None  # of stereo: which channel holds the voice where the other is dead, or opposed
    opposed: bool = False


def measure_sound(path: Path, start_s: Fraction = BEGINNING, place: int = 0) -> SoundMeasure:
    """The measures of a sound stream of a file; what does not decode of it is noted, and is silent.

    Args:
        path: the file.
        start_s: where it is heard from, in its own time.
        place: of the stream among the file's sounds, from 0.

    Raises:
        UndecodableError: it has none that can be decoded.
    """
    form, damaged = sound_format(path, place), list[str]()
    meter, num_samples = LoudnessMeter(form.sample_rate_hz, form.layout), 0
    pair = PairMeter(form.sample_rate_hz)
    blocks = sound_blocks(path, form.sample_rate_hz, form.layout, start_s, damaged, place)
    for block in regular_blocks(blocks, BLOCK_SAMPLES):
        meter.hear(block)
        if form.layout == PAIR:
            pair.hear(block)
        num_samples += block.shape[1]
    choice = pair.choice()
    return SoundMeasure(
        codec=form.codec,
        sample_rate_hz=form.sample_rate_hz,
        layout=form.layout,
        length_s=num_samples / form.sample_rate_hz,
        tells_lead=tells_lead(path, place),
        damaged=tuple(damaged),
        loudness=meter.measured(),
        alone=None if choice.channel is StemChannel.MEAN else choice.channel.value,
        opposed=choice.opposed,
    )


def checked_sounds(store: ObjectStore, row: Row, speech: SpeechConfig, *, hear: bool = False) -> str:
    """The uri of the SOUND table of a film's own sound, its dub, and its music and effects.

    Args:
        store: where measures are kept, once for each sound.
        row: FILM or wider, its dub made ready.
        speech: when somebody speaks.
        hear: whether the language of the dub is compared with the catalog's.
    """
    sounds = dict(_sounds(row))
    facts = {"speech": asdict(speech), "hear": hear and has_whisper(), "language": row["language"]}
    facts |= {name: row[name] for name in ("start_pts", "end_pts", "sound_place")} | {"suffix": _suffix(row)}
    facts |= dub_facts(row)
    digests = {role: digest for role, (_, digest) in sounds.items()}
    key = content_key("sounds", VERSION, facts | {"sounds": digests, "dub_kind": row["dub_kind"]})
    if not store.has(key):
        rows = [_checked(store, row, role, path, digest, speech) for role, (path, digest) in sounds.items()]
        rows[0] = rows[0] and rows[0] | {
            "flaws": [*rows[0]["flaws"], *_flaws_of_speech(store, row, speech, hear=hear)]
        }
        store.put_table(key, pa.Table.from_pylist([one for one in rows if one], schema=SOUND))
    return store.uri(key)


def stored_sounds(uri: str | None) -> list[Row]:
    """The rows of a SOUND table; none where there is none."""
    rows: list[Row] = read_table(uri).to_pylist() if uri else []
    return rows


def delivered_sound(film: Path, start_s: Fraction) -> Row:
    """The measures of the dub track of a delivered film, as a row of SOUND has them.

    Args:
        film: the film.
        start_s: its first moment.

    Raises:
        UndecodableError: it has no sound.
    """
    return _row(asdict(measure_sound(film, start_s)), "delivered") | {"speech_s": None, "flaws": []}


def sounds_in_words(sounds: list[Row]) -> list[str]:
    """One line for each flaw."""
    names = {"dub": "its dub", "music_and_effects": "its music and effects", "original": "its own sound"}
    return [f"{names[one['role']]} is {flaw['detail']}" for one in sounds for flaw in one["flaws"]]


def _sounds(row: Row) -> Iterator[tuple[str, tuple[Path, str]]]:
    yield "dub", (Path(row["dub_uri"]), row["dub_digest"])
    if row["me_uri"] and row["dub_kind"] != "dub_mix":
        yield "music_and_effects", (Path(row["me_uri"]), row["me_digest"])
    yield "original", (Path(row["film_uri"]), row["film_id"])


def _checked(store: ObjectStore, row: Row, role: str, path: Path, digest: str, config: SpeechConfig) -> Row | None:
    """The SOUND row of one sound; None where there is none."""
    is_own = role == "original"
    measure = _stored_measure(store, path, digest, *_where(row, role, path))
    if measure is None:
        return None
    spoken_s = None if role == "music_and_effects" else _spoken_s(store, row, config, is_own=is_own)
    film_s = float((row["end_pts"] - row["start_pts"]) * fraction(row["time_base"]))
    heard = StemChannel(row["dub_channel"] if role == "dub" else StemChannel.MEAN)
    track = dub_track(given_dub(row), _suffix(row))
    kept = kept_layouts(track.codec, _suffix(row))
    own = (*_damage(measure), *_relaid(measure["layout"], track.layout, kept))
    flaws = own if is_own else _flaws(measure, film_s, spoken_s, heard, kept)
    told = [{"flaw": flaw.value, "detail": detail} for flaw, detail in flaws]
    return _row(measure, role) | {"speech_s": spoken_s, "flaws": told}


def _where(row: Row, role: str, path: Path) -> tuple[Fraction, int]:
    """From when on a sound is heard in its file, in seconds, and which of the file's sounds it is."""
    if role == "original":
        return row["start_pts"] * fraction(row["time_base"]), row["sound_place"]
    return dub_where(row)[:2] if role == "dub" else (dub_origin_s(path), 0)


def _suffix(row: Row) -> str:
    return f".{delivered_suffix(Path(row['film_uri']))}"


def _relaid(layout: str, delivered: str, kept: Sequence[str]) -> Iterator[tuple[SoundFlaw, str]]:
    """That a film's own layout would be the dub track's, were there a way to say so."""
    is_nearest = delivered != layout and delivered == nearest_layout(layout, kept)
    if is_nearest and len(channels_of(delivered)) != len(channels_of(layout)):
        words = f"in {layout}, which the dub track's codec and container have no name for: it is in {delivered}"
        yield SoundFlaw.OTHER_LAYOUT, words


def _flaws_of_speech(store: ObjectStore, row: Row, config: SpeechConfig, *, hear: bool) -> list[Row]:
    """What is wrong with what a dub says, and with when a stem says it."""
    dub = dub_speech(store, row, config).spoken
    own = original_speech(store, row, config).spoken
    flaws = []
    if hear and (found := other_language(store, row, dub)):
        words = f"heard in another language, {found[0]} ({found[1]:.0%} sure), and {row['language']} is in the catalog"
        flaws.append({"flaw": SoundFlaw.OTHER_LANGUAGE.value, "detail": words})
    zero = pts_to_sample(row["start_pts"], fraction(row["time_base"]), ANALYSIS_RATE_HZ)
    hint = stem_lag([(start - zero, end - zero) for start, end in own if start >= zero], dub, MAX_LAG_S)
    if hint and row["dub_kind"] == "dub_stem":
        late = f"{abs(hint.lag_s):.2f} s {'late' if hint.lag_s > 0 else 'early'}"
        words = f"perhaps {late} as a whole: {hint.share:.0%} of its lines begin at that lag from the film's own"
        flaws.append({"flaw": SoundFlaw.MAYBE_LATE.value, "detail": words})
    return flaws


def _row(measure: Mapping[str, Any], role: str) -> Row:
    loudness = {name: value for name, value in measure["loudness"].items() if name in SOUND.names}
    facts = {name: measure[name] for name in ("codec", "sample_rate_hz", "layout")}
    return facts | loudness | {"role": role, "length_s": measure["length_s"]}


def _stored_measure(store: ObjectStore, path: Path, digest: str, start_s: Fraction, place: int) -> Row | None:
    key = content_key("measure", VERSION, sound_facts(digest, start_s, place))
    if not store.has(key):
        try:
            store.put_json(key, asdict(measure_sound(path, start_s, place)))
        except UndecodableError:  # a silent film; a dub without sound was not admitted
            store.put_json(key, None)
    measure: Row | None = store.get_json(key)
    return measure


def _spoken_s(store: ObjectStore, row: Row, config: SpeechConfig, *, is_own: bool) -> float:
    """How long somebody speaks in the film's own sound, or in its dub."""
    speech = original_speech(store, row, config) if is_own else dub_speech(store, row, config)
    return sum(end - start for start, end in speech.spoken) / ANALYSIS_RATE_HZ


def _damage(measure: Mapping[str, Any]) -> Iterator[tuple[SoundFlaw, str]]:
    """What of a sound does not decode."""
    if damaged := measure["damaged"]:
        yield SoundFlaw.DAMAGED, f"damaged in {len(damaged)} places, which are silent: {damaged[0]}"


def _flaws(
    measure: Mapping[str, Any], film_s: float, spoken_s: float | None, heard: StemChannel, among: Sequence[str]
) -> Iterator[tuple[SoundFlaw, str]]:
    """What is wrong with a sound that is laid on a film."""
    peak, length_s = measure["loudness"]["sample_peak_dbfs"], measure["length_s"]
    yield from _damage(measure)
    if peak is None or peak < SILENCE_DBFS:
        yield SoundFlaw.SILENT, "silent: nothing is heard in it"
    elif spoken_s == 0:
        yield SoundFlaw.NO_SPEECH, "without speech: nobody is heard to speak in it, so no mouth is painted"
    if clipped := measure["loudness"]["num_clipped"]:
        yield SoundFlaw.CLIPPED, f"clipped: {clipped} samples are cut off at full scale"
    if peak is not None and peak >= LEAST_OVER_DB:
        cut = "what is above is cut off in PCM and FLAC, and by players; make it softer where that is heard"
        yield SoundFlaw.OVER_FULL_SCALE, f"louder than full scale by up to {peak:.1f} dB: {cut}"
    alone = "" if heard is StemChannel.MEAN else f": its {heard} one alone is heard, as mono"
    for dead in _dead_channels(measure):
        yield SoundFlaw.DEAD_CHANNEL, f"silent in its channel {dead}, but not in the one beside it{alone}"
    if measure["opposed"]:
        yield SoundFlaw.OPPOSED, f"in two channels of opposite phase, which cancel where they are heard as one{alone}"
    if length_s < film_s - LENGTH_TOLERANCE_S:
        yield SoundFlaw.SHORTER, f"shorter than the film: it ends at {_clock(length_s)} of {_clock(film_s)}"
    if length_s > film_s + LENGTH_TOLERANCE_S:
        yield (
            SoundFlaw.LONGER,
            f"longer than the film: it ends at {_clock(length_s)}, and is cut off at {_clock(film_s)}",
        )
    layout, kept = measure["layout"], nearest_layout(measure["layout"], among)
    if layout != kept and not (layout == "mono" or holds(kept, layout)):
        yield SoundFlaw.FOLDED, f"in {layout}, which is delivered as {kept}: some channels are heard in others"
    if not measure["tells_lead"]:
        codec = measure["codec"]
        yield SoundFlaw.UNKNOWN_LEAD, f"{codec} that does not tell its encoder's delay, and may be some 20 ms late"


def _dead_channels(measure: Mapping[str, Any]) -> list[str]:
    """The silent ones of pairs of which the other is heard; of two channels also one with hum alone."""
    if measure["alone"] and not measure["opposed"]:
        return [DEAD_BESIDE[measure["alone"]]]
    peaks = dict(zip(channels_of(measure["layout"]), measure["loudness"]["peaks_dbfs"], strict=True))
    silent = {name for name, peak in peaks.items() if peak is None or peak < SILENCE_DBFS}
    return [
        name for pair in PAIRS if peaks.keys() >= set(pair) for name in pair if silent.intersection(pair) == {name}
    ]


def _clock(seconds: float) -> str:
    return clock(Fraction(seconds))
