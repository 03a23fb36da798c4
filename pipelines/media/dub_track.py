"""The sound of the dub track: a full mix, or dialogue with what else is heard, as the film's own sound is coded."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.media.channels import (
    Routes,
    channel_routes,
    channels_of,
    has_centre,
    holds,
    nearest_layout,
    stem_routes,
)
from pipelines.media.coded_layouts import kept_layouts
from pipelines.media.container import UndecodableError, open_media
from pipelines.media.dub_origin import dub_origin_s
from pipelines.media.roles import own_place
from pipelines.media.sound import BEGINNING, SoundFormat, panned_blocks, sound_format
from schemas.mix import Mix, StemChannel

Floats = NDArray[np.float32]

AAC_RATES_HZ = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)
DELIVERY_RATE_HZ = 48_000
LOSSLESS = {  # encoder of the dub by the family of the film's own codec, in containers that hold it
    "pcm": ("pcm_s24le", (".mov", ".mkv")),
    "flac": ("flac", (".mkv", ".mp4")),
}
NOT_IN_AAC = ("7.1",)  # the encoder calls it configuration 7, whose left and right are wide ones (ISO/IEC 14496-3)


@dataclass(frozen=True, kw_only=True, slots=True)
class DubSource:
    """The files that a dub track is made of.

    Attributes:
        film: whose rate, layout and codec are kept, and whose surroundings a stem alone is heard in.
        start_s: the film's first moment.
        dub: stem or mix.
        dub_kind: column of the catalog that named it; dub_mix is a full soundtrack, all others are dialogue.
        music_and_effects: what a stem is heard with.
        dub_place: of the dub among the sounds of its file, from 0.
        source_language: BCP-47 tag of the film's own sound; None where nobody said it.
        dub_channel: what of a stem is heard.
    """

    film: Path
    start_s: Fraction
    dub: Path
    dub_kind: str
    music_and_effects: Path | None = None
    dub_place: int = 0
    source_language: str | None = None
    dub_channel: StemChannel = StemChannel.MEAN


@dataclass(frozen=True, slots=True)
class _Part:
    path: Path
    routes: Routes
    start_s: Fraction = BEGINNING
    is_own: bool = False  # the film's: it may be silent from the first frame on
    place: int = 0  # among the sounds of the file


@dataclass(frozen=True, kw_only=True, slots=True)
class DubTrack:
    """What the dub track is: [C, n] blocks are added up from its parts."""

    mix: Mix
    codec: str
    sample_rate_hz: int
    layout: str
    parts: tuple[_Part, ...]

    def blocks(self, num_samples: int) -> Iterator[Floats]:
        """[C, n] blocks that add up to exactly `num_samples`, the first sample at the film's first moment."""
        num_channels = len(channels_of(self.layout))
        first, *others = [_conformed(self._heard(part), num_samples, num_channels) for part in self.parts]
        for other in others:
            first = _sum(first, other)
        return first

    def _heard(self, part: _Part) -> Iterator[Floats]:
        return part_blocks(part, self.sample_rate_hz, self.layout)


def mix_of(dub_kind: str, film_layout: str | None, *, has_me: bool) -> Mix:
    """How a dub becomes the film's sound.

    Args:
        dub_kind: column of the catalog that named it.
        film_layout: of the film's own sound; None where it has none that can be read.
        has_me: whether music and effects are given.
    """
    if dub_kind == "dub_mix":
        return Mix.AS_DELIVERED
    if has_me:
        return Mix.WITH_ME
    return Mix.IN_CENTRE if film_layout and has_centre(film_layout) else Mix.DIALOGUE_ONLY


def source_mix(source: DubSource) -> Mix:
    """How the dub of these files becomes the film's sound."""
    own = film_format(source)
    layout = None if own is None else own.layout
    return mix_of(source.dub_kind, layout, has_me=source.music_and_effects is not None)


def dub_track(source: DubSource, suffix: str) -> DubTrack:
    """The dub track of a film.

    At the film's sample rate, and in its layout where that has a channel for each of what is laid into it, and codec
    and container keep it. It is as lossless as the film's own sound, in containers that can be; always where AAC has
    no such layout.

    Args:
        source: the files.
        suffix: of the delivered film, with the dot.

    Raises:
        UndecodableError: the dub, or what it is mixed with, has no sound that can be decoded.
    """
    own, dub = film_format(source), sound_format(source.dub, source.dub_place)
    mix = source_mix(source)
    leader = sound_format(source.music_and_effects) if mix is Mix.WITH_ME and source.music_and_effects else dub
    wanted = _layout(mix, own, leader)
    codec = _codec(own, nearest_layout(wanted), suffix)
    rate = (own or leader).sample_rate_hz
    return DubTrack(
        mix=mix,
        codec=codec,
        sample_rate_hz=DELIVERY_RATE_HZ if codec == "aac" and rate not in AAC_RATES_HZ else rate,
        layout=nearest_layout(wanted, kept_layouts(codec, suffix)),
        parts=parts_of(source, mix),
    )


def film_format(source: DubSource) -> SoundFormat | None:
    """Of the film's own sound; None where it has none that can be decoded."""
    try:
        return sound_format(source.film, own_sound_place(source))
    except UndecodableError:
        return None


def own_sound_place(source: DubSource) -> int:
    """The place of a film's own sound among its sounds, from 0.

    Raises:
        UndecodableError: it cannot be opened.
    """
    with open_media(source.film) as container:
        return own_place(container.streams.audio, source.source_language)


def parts_of(source: DubSource, mix: Mix) -> tuple[_Part, ...]:
    """What is added up."""
    if mix is Mix.AS_DELIVERED:
        return (_given(source.dub, channel_routes, source.dub_place),)
    stem = _given(source.dub, stem_routes(source.dub_channel), source.dub_place)
    if mix is Mix.WITH_ME and source.music_and_effects:
        return stem, _given(source.music_and_effects, channel_routes)
    if mix is not Mix.IN_CENTRE:
        return (stem,)
    place = own_sound_place(source)
    return stem, _Part(source.film, _without_centre, source.start_s, is_own=True, place=place)


def _given(path: Path, routes: Routes, place: int = 0) -> _Part:
    """A file that was given with the film, heard from the film's first frame on."""
    return _Part(path, routes, dub_origin_s(path), place=place)


def part_blocks(part: _Part, sample_rate_hz: int, layout: str) -> Iterator[Floats]:
    """[C, n] what is heard of a part; what does not decode is silence.

    Raises:
        UndecodableError: a dub, or its music and effects, has no sound.
    """
    with suppress(*([UndecodableError] if part.is_own else [])):
        yield from panned_blocks(part.path, sample_rate_hz, layout, part.start_s, part.routes, [], part.place)


def _layout(mix: Mix, own: SoundFormat | None, leader: SoundFormat) -> str:
    """The film's, unless a mix comes in another, or music and effects have channels that it lacks."""
    if own is None or mix is Mix.AS_DELIVERED:
        return leader.layout
    is_kept = mix is not Mix.WITH_ME or holds(own.layout, leader.layout)
    return own.layout if is_kept else leader.layout


def _codec(own: SoundFormat | None, layout: str, suffix: str) -> str:
    encoder, containers = LOSSLESS.get(own.codec.split("_")[0] if own else "", ("aac", ()))
    if suffix in containers:
        return encoder
    if layout not in NOT_IN_AAC:
        return "aac"
    return "flac" if suffix in LOSSLESS["flac"][1] else "pcm_s24le"


def _without_centre(source: str, target: str) -> Floats:
    """Where the film's own sound is heard around a dub: everywhere but in the centre."""
    routes = channel_routes(source, target)
    routes[[channel == "FC" for channel in channels_of(target)]] = 0
    return routes


def _conformed(blocks: Iterator[Floats], num_samples: int, num_channels: int) -> Iterator[Floats]:
    """The blocks cut, or padded with silence, to a length."""
    missing = num_samples
    for block in blocks:
        if missing <= 0:
            return
        yield block[:, :missing]
        missing -= min(missing, block.shape[1])
    while missing > 0:
        size = min(missing, 1 << 16)
        yield np.zeros((num_channels, size), np.float32)
        missing -= size


def _sum(left: Iterator[Floats], right: Iterator[Floats]) -> Iterator[Floats]:
    """Sample-exact sum of two streams of blocks of one length, whatever their block sizes."""
    a, b = next(left, None), next(right, None)
    while a is not None and b is not None:
        size = min(a.shape[1], b.shape[1])
        yield a[:, :size] + b[:, :size]
        a = a[:, size:] if a.shape[1] > size else next(left, None)
        b = b[:, size:] if b.shape[1] > size else next(right, None)
