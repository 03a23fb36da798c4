"""Where a sound has a hole, goes on anew, or has drifted from its clock: it is heard in stretches without any."""

from collections.abc import Iterator
from fractions import Fraction

from av.audio.frame import AudioFrame

from pipelines.media.container import UndecodableError

DRIFT_TOLERANCE_S = Fraction(1, 100)  # below it the container rounds (Matroska counts in ms), or its clock trembles


def stretches(frames: Iterator[AudioFrame]) -> Iterator[Iterator[AudioFrame | None]]:
    """Frames that lie where the samples of their stretch before them end; None ends each stretch.

    A frame that lies elsewhere by more than `DRIFT_TOLERANCE_S` begins the next one, also where no jump is that long:
    a slow clock, or many small losses, would move all that follows without bounds. Each stretch is to be used up
    before the next one is asked for.

    Raises:
        UndecodableError: a frame has no time.
    """
    held: list[AudioFrame] = [frame for frame in [next(frames, None)] if frame is not None]

    def stretch() -> Iterator[AudioFrame | None]:
        first = held.pop()
        yield first
        num_samples = first.samples
        for frame in frames:
            if not _joins(frame, first, num_samples):
                held.append(frame)
                break
            yield frame
            num_samples += frame.samples
        yield None

    while held:
        yield stretch()


def start_of(frame: AudioFrame) -> Fraction:
    """When a frame is heard, in seconds of its container.

    Raises:
        UndecodableError: nothing says so.
    """
    if frame.pts is None or frame.time_base is None:
        raise UndecodableError("the sound has no timestamps")
    return frame.pts * frame.time_base


def _joins(frame: AudioFrame, first: AudioFrame, num_samples: int) -> bool:
    """Whether a frame goes on where so many samples from the first one on end."""
    end_s = start_of(first) + Fraction(num_samples, first.sample_rate)
    return abs(start_of(frame) - end_s) <= DRIFT_TOLERANCE_S and _kind(frame) == _kind(first)


def _kind(frame: AudioFrame) -> tuple[int, str, str]:
    return frame.sample_rate, frame.layout.name, frame.format.name
