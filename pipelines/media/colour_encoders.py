"""Encoders of a whole picture: another from each frame on at which the colour tags change, in the same stream."""

from typing import Any

from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pipelines.media.encode import EncodeConfig, encode_picture, encoder_name, further_encoder
from pipelines.media.frame_tags import ColourTags, colour_tags


def told_of_colours(source: VideoStream, num_colours: int) -> list[str]:
    """What the first encoder is told: x265 gives all sets one id, so they are said again in every keyframe."""
    return ["repeat-headers=1"] if num_colours > 1 and encoder_name(source) == "libx265" else []


class ColourEncoders:
    """Takes frames in the order they are shown."""

    def __init__(self, stream: VideoStream, source: VideoStream, first: VideoFrame, config: EncodeConfig) -> None:
        """Begin with the stream's own encoder.

        Args:
            stream: of `add_picture`.
            source: the film's own.
            first: its first frame.
            config: encoder settings.
        """
        self._source, self._config = source, config
        self._encoder: VideoCodecContext = stream.codec_context
        self._tags = colour_tags(first)
        self._ids = {self._tags: 0}  # of the parameter sets of H.264
        self._last_dts: int | None = None

    def encode(self, frame: VideoFrame, planes: list[NDArray[Any]] | None) -> "list[Packet[Any]]":
        """The packets that are ready, of this frame and of those before it."""
        tags = colour_tags(frame)
        ended = [] if tags == self._tags else self.end()
        if tags != self._tags:
            self._encoder, self._tags = self._next(frame, tags), tags
        return [*ended, *self._rising(encode_picture(self._encoder, frame, planes))]

    def end(self) -> "list[Packet[Any]]":
        """All packets that are left."""
        return self._rising(self._encoder.encode(None))

    def _rising(self, packets: "list[Packet[Any]]") -> "list[Packet[Any]]":
        """The packets: an encoder of longer frames than the last one's begins with early times of decoding."""
        for packet in packets:
            if packet.dts is not None and self._last_dts is not None:
                packet.dts = max(packet.dts, self._last_dts + 1)
            self._last_dts = packet.dts
        return packets

    def _next(self, frame: VideoFrame, tags: ColourTags) -> VideoCodecContext:
        number = self._ids.setdefault(tags, len(self._ids))
        is_avc = encoder_name(self._source) == "libx264"
        told = [f"sps-id={number}"] if is_avc else told_of_colours(self._source, len(self._ids))
        return further_encoder(self._source, frame, self._config, told)
