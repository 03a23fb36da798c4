"""AC-3 whose frames ask for a gain, as broadcasts do for small rooms: words of dynamic range, put in bit by bit."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

FRAME_SAMPLES = 1536
BEFORE_MODE = 16 + 16 + 2 + 6 + 5 + 3  # bits: sync word, CRC, rate, size, id, mode of the service
MONO = "001"


def write_with_gain(path: Path, sound: NDArray[np.float32], rate_hz: int, word: int) -> None:
    """Mono AC-3 in Matroska, each frame of it with a word of dynamic range.

    Args:
        path: of the file.
        sound: [N] samples.
        rate_hz: of the sound.
        word: of A/52, 7.7.1.2: 8 bits, of which the first three are steps of 6.02 dB, in two's complement.
    """
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ac3", rate=rate_hz, layout="mono")
        for start in range(0, len(sound), FRAME_SAMPLES):
            frame = av.AudioFrame.from_ndarray(sound[None, start : start + FRAME_SAMPLES], "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
            file.mux([_with_gain(packet, word) for packet in stream.encode(frame)])
        file.mux([_with_gain(packet, word) for packet in stream.encode(None)])


def _with_gain(packet: "av.Packet[av.AudioStream]", word: int) -> "av.Packet[av.AudioStream]":
    bits = "".join(f"{byte:08b}" for byte in bytes(packet))
    place = _gain_place(bits)
    assert bits[place] == "0", "the encoder gave it a word"
    bits = (bits[:place] + f"1{word:08b}" + bits[place + 1 :])[: len(bits)]  # what is cut off is padding
    made = av.Packet(int(bits, 2).to_bytes(len(bits) // 8))
    made.pts, made.dts, made.duration = packet.pts, packet.dts, packet.duration
    made.time_base, made.stream = packet.time_base, packet.stream
    return made


def _gain_place(bits: str) -> int:
    """Of the bit of the first block that says whether a word follows: A/52, 5.3.2 and 5.3.3."""
    place = BEFORE_MODE
    assert bits[place : place + 3] == MONO
    place += 3 + 1 + 5  # mode, low frequency effects, level of dialogue
    for size in (8, 8, 7):  # compression, language, room
        place += 1 + size * int(bits[place])
    place += 2
    for size in (14, 14):  # timecode
        place += 1 + size * int(bits[place])
    more = int(bits[place])
    length = int(bits[place + 1 : place + 7], 2) + 1 if more else 0
    return place + 1 + more * 6 + 8 * length + 2  # block switch, dither
