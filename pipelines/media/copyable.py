"""Whether the streams that a film keeps fit into the container that it is delivered in, found by trying."""

from pathlib import Path
from typing import Any

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from pipelines.media.covers import is_attached_in, is_cover
from pipelines.media.muxer import delivered_suffix, fits
from pipelines.media.refusal import MediaRefusedError
from schemas.reason import Refusal

COPIED = ("video", "audio", "subtitle")


def check_copyable(film: InputContainer, path: Path) -> None:
    """Refuse a film with a stream that could not be copied.

    Raises:
        MediaRefusedError: names the first such stream.
    """
    suffix = delivered_suffix(path)
    for stream in film.streams:
        is_copied = stream.type in ("audio", "subtitle") or (is_cover(stream) and not is_attached_in(suffix))
        if is_copied and not fits(stream, suffix):
            codec = stream.codec_context.name if stream.codec_context else "unknown"
            detail = f"stream {stream.index} ({stream.type}, {codec}) cannot be kept in {suffix}; remux it as Matroska"
            raise MediaRefusedError(Refusal.CODEC, detail)


def check_depth(picture: VideoStream) -> None:
    """Refuse a picture that is encoded whole, if anything changes in it, where no encoder then keeps its samples.

    Raises:
        MediaRefusedError: it has 12 bits and is not HEVC.
    """
    name, codec = picture.codec_context.pix_fmt or "", picture.codec_context.codec.canonical_name
    if "12" in name and codec != "hevc":
        detail = f"{name} of {codec} is not kept; give HEVC of 12 bits, ProRes 4444 in MOV, or samples of 10 bits"
        raise MediaRefusedError(Refusal.PIXEL_FORMAT, detail)


class CopiedTimes:
    """Looks at the packets of a film that would be copied as they are: no container takes those that go back in time.

    FFmpeg reads an edit list of several edits so: what an edit begins with is decoded once more.
    """

    def __init__(self, film: InputContainer, picture: Stream, path: Path) -> None:
        is_strict = delivered_suffix(path) != "mkv"
        kept = [one for one in film.streams if one.type in COPIED and one.index != picture.index and not is_cover(one)]
        self._least = {
            one.index: int(is_strict and one.type != "subtitle") for one in kept
        }  # ticks from one to the next
        self._latest: dict[int, int] = {}
        self._back = ""

    def see(self, packet: "Packet[Any]") -> None:
        """Look at the next packet."""
        stream, dts = packet.stream, packet.dts
        if stream.index not in self._least or dts is None:
            return
        before = self._latest.get(stream.index, dts - 1)
        if dts < before + self._least[stream.index] and not self._back:
            moments = " to ".join(f"{float(at * packet.time_base):.3f} s" for at in (before, dts))
            cause = "as in a file of several edits; export the film in one piece"
            self._back = f"stream {stream.index} ({stream.type}) goes back in decoding from {moments}, {cause}"
        self._latest[stream.index] = dts

    def judge(self) -> None:
        """Refuse a film of which a packet went back; what is wrong with its picture is to be told before.

        Raises:
            MediaRefusedError: names the first such packet.
        """
        if self._back:
            raise MediaRefusedError(Refusal.TIMING, self._back)
