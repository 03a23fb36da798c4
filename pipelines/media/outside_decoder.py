"""A film's picture as the FFmpeg of this machine decodes it, which is another build than the one inside PyAV."""

import subprocess
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from threading import Timer
from typing import IO

from pipelines.media.container import FILM_FORMATS

LIMIT_S, LIMIT_S_PER_FRAME = 300.0, 2.0  # of a program that hangs; 8K takes a tenth of it
HELP_LIMIT_S = 60.0
UNTAGGED = "setparams=range=unknown:color_primaries=unknown:color_trc=unknown:colorspace=unknown"
MAX_TOLD = 200
FIELDS = 6  # of a line: stream, dts, pts, duration, bytes, digest


class OutsideDecoderError(RuntimeError):
    """The program did not decode the film to its end."""


class OutsideDecoderStoppedError(OutsideDecoderError):
    """It was not let: it took too long, or something ended it. That says nothing of the film."""


@dataclass(frozen=True, slots=True)
class OutsideFrames:
    """What it showed, in the order it is shown."""

    pts: "array[int]"
    digests: list[bytes]  # MD5 of the samples of each frame, its planes one after the other


def outside_frames(ffmpeg: str, path: Path, time_base: Fraction, num_frames: int) -> OutsideFrames:
    """Every frame of the picture, its pts as the container has them.

    Args:
        ffmpeg: the program.
        path: the film.
        time_base: of its picture.
        num_frames: about as many as it has: the program is given time for them.

    Raises:
        OutsideDecoderError: it cannot decode the film.
        OutsideDecoderStoppedError: it takes too long, or is ended.
    """
    found = OutsideFrames(array("q"), [])
    command = _command(ffmpeg, path, time_base, _options_of(ffmpeg))
    with _lines(command, LIMIT_S + LIMIT_S_PER_FRAME * num_frames) as lines:
        _take(found, lines)
    return found


def _options_of(ffmpeg: str) -> str:
    """What the program says of its options, which have other names in older ones."""
    try:
        told = subprocess.run(
            [ffmpeg, "-hide_banner", "-h", "long"], capture_output=True, timeout=HELP_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OutsideDecoderError(f"it does not start: {error}") from error
    return told.stdout.decode(errors="replace")


def _command(ffmpeg: str, path: Path, time_base: Fraction, known: str) -> list[str]:
    """No file but the film is opened, and no frame is turned, cropped by its container, doubled, dropped or moved.

    Colour tags are taken off: newer ones turn the colours of all frames into those of the first.
    """
    locks = ["-format_whitelist", FILM_FORMATS, "-protocol_whitelist", "file"]
    cropping = ["-apply_cropping", "codec"] if "\n-apply_cropping" in known else []
    steady = ["-flags", "+unaligned", "-thread_type", "slice"]  # damage is then hidden in the same way each time
    before = ["-copyts", "-noautorotate", *steady, *cropping, "-i", f"file:{path.resolve()}"]
    rate = "-fps_mode" if "\n-fps_mode" in known else "-vsync"
    unit = f"{time_base.numerator}:{time_base.denominator}"
    after = ["-map", "0:V:0", "-vf", UNTAGGED, "-c:v", "rawvideo", rate, "passthrough", "-enc_time_base", unit]
    coded = ["-f", "framehash", "-hash", "md5", "pipe:1"]
    return [ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error", *locks, *before, *after, *coded]


@contextmanager
def _lines(command: Sequence[str], limit_s: float) -> "Iterator[IO[str]]":
    """What a program writes; it is ended when the block is left.

    Raises:
        OutsideDecoderError: it does not start, or ends badly.
        OutsideDecoderStoppedError: it is not done in time, or was ended by something else.
    """
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        except OSError as error:
            raise OutsideDecoderError(f"it does not start: {error.strerror}") from error
        timer = Timer(limit_s, process.kill)
        timer.start()
        try:
            assert process.stdout
            yield process.stdout
            code = process.wait()
        finally:
            is_late = not timer.is_alive()
            timer.cancel()
            process.kill()
            process.communicate()
        if is_late:
            raise OutsideDecoderStoppedError(f"it was not done after {limit_s:.0f} s")
        if code < 0:
            raise OutsideDecoderStoppedError(f"it was ended by signal {-code}")
        if code:
            errors.seek(0)
            raise OutsideDecoderError(_last_words(errors.read(), code))


def _last_words(told: bytes, code: int) -> str:
    lines = told.decode(errors="replace").strip().splitlines()
    return lines[-1][:MAX_TOLD] if lines else f"it ended with {code}"


def _take(found: OutsideFrames, lines: "IO[str]") -> None:
    for line in lines:
        if line.startswith("#") or not line.endswith("\n"):  # the last of a program that was ended may be cut off
            continue
        parts = [part.strip() for part in line.split(",")]
        try:
            pts, digest = int(parts[2]), bytes.fromhex(parts[FIELDS - 1])
        except (IndexError, ValueError) as error:
            raise OutsideDecoderError(f"it told something else than a frame: {line.strip()[:MAX_TOLD]}") from error
        found.pts.append(pts)
        found.digests.append(digest)
