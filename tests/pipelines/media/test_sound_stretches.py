"""Sound stays with the clock of its container, and is cut nowhere where that only rounds."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.media.container import open_media
from pipelines.media.sound import read_mono, sound_stream
from pipelines.media.sound_stretches import DRIFT_TOLERANCE_S, stretches

Packets = list["av.Packet[av.AudioStream]"]
RATE_HZ = 48_000
SECONDS = 20
PACKET_SAMPLES = 960


def write_sound(path: Path, codec: str, rate_hz: int, change: Callable[[Packets], Packets]) -> None:
    """An impulse a second before the end of a sound whose packets are changed before they are written."""
    sound = np.zeros((1, SECONDS * rate_hz), np.float32)
    sound[0, -rate_hz] = 0.9
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=rate_hz, layout="mono")
        packets: Packets = []
        for start in range(0, sound.shape[1], PACKET_SAMPLES):
            frame = av.AudioFrame.from_ndarray(sound[:, start : start + PACKET_SAMPLES], "flt", "mono")
            frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
            packets += stream.encode(frame)
        file.mux(change([*packets, *stream.encode(None)]))


def drifted(packets: Packets, rate: Fraction) -> Packets:
    """Packets by a clock of the container that goes so many times as fast as that of the samples."""
    for packet in packets:
        assert packet.pts is not None
        packet.pts = packet.dts = round(packet.pts * rate)
    return packets


def impulse_s(path: Path, rate_hz: int) -> float:
    return int(np.abs(read_mono(path, rate_hz)).argmax()) / rate_hz


@pytest.mark.parametrize("per_mille", [-5, 2, 5])
def test_a_clock_that_drifts_moves_no_sound_by_more_than_the_tolerance(tmp_path: Path, per_mille: int) -> None:
    rate = 1 + Fraction(per_mille, 1000)
    write_sound(tmp_path / "sound.mkv", "flac", RATE_HZ, lambda packets: drifted(packets, rate))

    late_s = impulse_s(tmp_path / "sound.mkv", RATE_HZ) - (SECONDS - 1) * rate

    assert abs(late_s) <= DRIFT_TOLERANCE_S + Fraction(1, 1000)


def test_many_short_losses_do_not_add_up(tmp_path: Path) -> None:
    lost = set(range(100, 400, 6))
    write_sound(
        tmp_path / "sound.mkv",
        "libopus",
        RATE_HZ,
        lambda packets: [packet for index, packet in enumerate(packets) if index not in lost],
    )

    assert impulse_s(tmp_path / "sound.mkv", RATE_HZ) == pytest.approx(SECONDS - 1, abs=0.001)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
@pytest.mark.parametrize("name", ["aac.mkv", "flac.mkv", "aac.ts", "libmp3lame.mkv"])
def test_times_that_a_container_rounds_part_no_sound(tmp_path: Path, name: str, rate_hz: int) -> None:
    write_sound(tmp_path / name, name.split(".")[0], rate_hz, lambda packets: packets)

    with open_media(tmp_path / name) as container:
        stream = sound_stream(container)
        found = [sum(frame.samples for frame in one if frame) for one in stretches(container.decode(stream))]

    assert len(found) == 1
    assert found[0] >= SECONDS * rate_hz
