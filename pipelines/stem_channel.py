"""Which channel of a stem in stereo holds its dialogue: heard from its beginning to its end, before anything runs."""

from collections.abc import Callable
from pathlib import Path

from pipelines.media.channel_pair import PairChoice, PairMeter
from pipelines.media.container import UndecodableError
from pipelines.media.dub_origin import dub_origin_s
from pipelines.media.regular_blocks import regular_blocks
from pipelines.media.sound import sound_blocks, sound_format
from schemas.mix import StemChannel

PAIR = "stereo"
BLOCK_SAMPLES = 1 << 16


def unheard() -> None:
    """Nobody wants to know how far a stem is heard."""


def stem_channel(
    stem: Path, dub_kind: str = "dub_stem", tell: Callable[[], None] = unheard, place: int = 0
) -> StemChannel:
    """What of a dub is heard as its dialogue; the mean of all that is no stem in stereo.

    Args:
        stem: its file.
        dub_kind: column of the catalog that named it.
        tell: called every 1.4 s of a stem, and more often.
        place: of the stem among the sounds of its file, from 0.

    Raises:
        UndecodableError: it has no sound that can be decoded.
    """
    return pair_of(stem, tell, place).channel if dub_kind == "dub_stem" else StemChannel.MEAN


def pair_of(stem: Path, tell: Callable[[], None] = unheard, place: int = 0) -> PairChoice:
    """The same of any sound, and why."""
    form = sound_format(stem, place)
    if form.layout != PAIR:
        return PairChoice(StemChannel.MEAN)
    meter, start_s = PairMeter(form.sample_rate_hz), dub_origin_s(stem)
    try:
        for block in regular_blocks(sound_blocks(stem, form.sample_rate_hz, PAIR, start_s, [], place), BLOCK_SAMPLES):
            meter.hear(block)
            tell()
    except UndecodableError:  # a sound that ends before it begins
        return PairChoice(StemChannel.MEAN)
    return meter.choice()
