"""What a dub's sound stream is: enough to refuse it before anything runs."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pipelines.media.container import SOUND_FORMATS, UndecodableError, open_media
from pipelines.media.dub_origin import dub_origin_s
from pipelines.media.encryption import check_clear
from pipelines.media.refusal import MediaRefusedError, check_file, refusal_of_unopened
from pipelines.media.sound import is_unnamed, layout_of, sound_stream
from schemas.reason import Refusal


@dataclass(frozen=True, kw_only=True, slots=True)
class SoundProbe:
    """A sound stream of a file."""

    codec: str
    sample_rate_hz: int
    layout: str
    end_s: Fraction  # film time at which the sound ends


def probe_sound(path: Path, place: int = 0) -> SoundProbe:
    """The facts of a dub's sound: its packets are all read, its first frame is decoded.

    Args:
        path: the file.
        place: of the stream among the file's sounds, from 0.

    Raises:
        MediaRefusedError: with the reason why this is no dub.
    """
    check_file(path)
    try:
        return _probe(path, place)
    except UndecodableError as error:
        raise refusal_of_unopened(path, str(error)) from error


def _probe(path: Path, place: int) -> SoundProbe:
    with open_media(path, SOUND_FORMATS) as container:
        check_clear(container, path, ("sound",))
        if not container.streams.audio:
            raise MediaRefusedError(Refusal.NO_SOUND, "it has no sound stream")
        try:
            stream = sound_stream(container, place)
        except UndecodableError as error:
            raise MediaRefusedError(Refusal.CODEC, str(error)) from error
        _check_named(layout_of(stream))
        end_s, num_frames = Fraction(0), 0
        for packet in container.demux(stream):
            if not num_frames:
                num_frames = len(packet.decode())
            if packet.pts is not None and packet.time_base:
                end_s = max(end_s, (packet.pts + (packet.duration or 0)) * packet.time_base)
        if not num_frames:
            raise MediaRefusedError(Refusal.NO_SOUND, "no sound can be decoded")
        return SoundProbe(
            codec=stream.codec_context.name,
            sample_rate_hz=stream.rate,
            layout=layout_of(stream),
            end_s=end_s - dub_origin_s(path),
        )


def _check_named(layout: str) -> None:
    if is_unnamed(layout):
        detail = (
            f"it has {layout} and does not say which is which; give it as stereo, 5.1 or 7.1, or name its channels"
        )
        raise MediaRefusedError(Refusal.UNNAMED_CHANNELS, detail)
