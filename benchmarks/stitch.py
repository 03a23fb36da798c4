"""What it takes to write a film whose mouths changed: spliced, beside the whole film encoded with the same settings.

    python -m benchmarks.stitch [--minutes 10] [--shares 0.02 0.1] [--height 720] [--codec h264|hevc]
        [--lengths 1 10] [--at-once 1 2] [--talking-minutes 2]

A film of moving texture with grain is made on the spot, GOPs of two seconds, and in every GOP that changes a
rectangle is painted on half of its frames. Ratios are of one run on one machine. "peak" is the most memory that a
process of its own held while it spliced films of several lengths with a tenth of their GOPs changed. A film that talks
throughout, every GOP of which changes, is spliced with several runs encoded at once.

Exit 1 where what is claimed does not hold: speeds are claimed of films of ten minutes and more, 20 minutes of work.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.claim import Claim, all_hold
from benchmarks.memory import SPAWN, peak_mib
from pipelines.media.coding import Coding
from pipelines.media.dub_track import DubSource, DubTrack, dub_track
from pipelines.media.encode import EncodeConfig
from pipelines.media.gops import index_picture
from pipelines.media.mux import write_film
from pipelines.media.picture_writer import PictureWriter, TranscodedPicture
from pipelines.media.sound import write_wav
from pipelines.media.splice import spliced

RATE, GOP, PART_S = 25, 50, 60
GRAIN = 3.0  # codes
ENCODERS = {"h264": ("libx264", {"crf": "18"}), "hevc": ("libx265", {"crf": "20", "x265-params": "log-level=error"})}
SAMPLE_RATE_HZ = 48_000
CONFIG = EncodeConfig()
CLAIMED_MINUTES = 10
LEAST_TIMES = {0.02: 20.0, 0.1: 6.0}  # as fast as the film encoded whole, by share of GOPs that change
MOST_GROWTH = 1.15  # of memory, of the longest film over the shortest
LONGEST_AT_ONCE = 1.1  # times as long as one run after the other: two threads of an encoder fill two CPUs
HEADS = ("GOPs changed", "s", "times as fast", "copied", "beside", "painted", "worst frame, dB", "bytes there")


class Painted:
    """A rectangle on some frames."""

    def __init__(self, moments: Collection[int]) -> None:
        self._moments = moments

    def change(self, pts: int, planes_of: Any) -> list[Any] | None:
        """The frame with its rectangle; None for the others."""
        if pts not in self._moments:
            return None
        found: tuple[list[Any], Coding] = planes_of()
        height, width = found[0][0].shape
        found[0][0][height // 2 : height // 2 + height // 8, width // 2 : width // 2 + width // 8] //= 2
        return found[0]

    def painted(self, pts: int) -> list[list[int]]:
        """Nothing is said of where: the rectangle is compared with what it should be."""
        return []


def make_part(path: Path, height: int, codec: str) -> None:
    """A minute of film."""
    name, options = ENCODERS[codec]
    width = height * 16 // 9 // 2 * 2
    with av.open(str(path), "w") as out:
        stream = out.add_stream(name, rate=RATE, options=options | {"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = GOP
        if codec == "h264":
            stream.codec_context.options |= {"x264-params": "open-gop=0:scenecut=0"}
        else:
            stream.codec_context.options |= {"x265-params": "open-gop=0:scenecut=0:log-level=error"}
        for index, frame in enumerate(_pictures(width, height)):
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def _pictures(width: int, height: int) -> Iterator[av.VideoFrame]:
    """A soft texture that moves, with grain of its own in each frame."""
    random = np.random.default_rng(0)
    small = random.uniform(40, 210, (height // 8 + 60, width // 8 + 60))
    texture = np.kron(small, np.ones((8, 8)))
    texture = (texture + np.roll(texture, 4, 0) + np.roll(texture, 4, 1) + np.roll(texture, (4, 4), (0, 1))) / 4
    grain = random.normal(0, GRAIN, (16, height, width))
    for index in range(RATE * PART_S):
        y, x = (round(200 + 180 * np.sin(index / period)) for period in (70, 110))
        luma = (texture[y : y + height, x : x + width] + grain[index * 7 % 16]).clip(16, 235).astype(np.uint8)
        frame = av.VideoFrame(width, height, "yuv420p")
        for plane, samples in zip(
            frame.planes, (luma, luma[::2, ::2] // 8 + 112, 144 - luma[::2, ::2] // 8), strict=True
        ):
            room = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            room[: plane.height, : plane.width] = samples
        yield frame


def lengthen(part: Path, path: Path, minutes: int) -> None:
    """The same minute again and again: its packets, not its frames."""
    with av.open(str(part)) as source, av.open(str(path), "w") as out:
        stream = source.streams.video[0]
        assert stream.time_base
        copy = out.add_stream_from_template(stream)
        shift = round(PART_S / stream.time_base)
        for number in range(minutes):
            source.seek(0)
            for packet in source.demux(stream):
                if packet.size and packet.pts is not None and packet.dts is not None:
                    packet.pts, packet.dts = packet.pts + number * shift, packet.dts + number * shift
                    packet.stream = copy
                    out.mux(packet)


def changed_frames(path: Path, share: float) -> set[int]:
    """Half of the frames of every n-th GOP."""
    index = index_picture(path)
    starts = index.gop_starts[:: max(1, round(1 / share))]
    return {int(pts) for start in starts for pts in np.sort(index.pts[start : start + GOP])[: GOP // 2]}


def stem_of(path: Path, minutes: int) -> DubTrack:
    """A dub of noise, as long as the film."""
    stem = path.with_suffix(".wav")
    noise = np.random.default_rng(1).normal(0, 0.05, minutes * PART_S * SAMPLE_RATE_HZ).astype(np.float32)
    write_wav(stem, noise, SAMPLE_RATE_HZ)
    return dub_track(DubSource(film=path, start_s=Fraction(0), dub=stem, dub_kind="dub_stem"), ".mp4")


def write(path: Path, picture: PictureWriter, track: DubTrack, minutes: int) -> float:
    """Seconds that writing takes."""
    begin = time.perf_counter()
    end_pts = round(minutes * PART_S / index_picture(path).time_base)
    write_film(path, path.with_name("made.mp4"), picture, track, "fr", end_pts, CONFIG)
    return time.perf_counter() - begin


def splice(path: Path, track: DubTrack, share: float, minutes: int, at_once: int = 1) -> tuple[float, Any]:
    """Seconds, and the picture that was written."""
    changed, begin = changed_frames(path, share), time.perf_counter()
    with spliced(path, ".mp4", changed, lambda: Painted(changed), CONFIG, at_once) as picture:
        write(path, picture, track, minutes)
    return time.perf_counter() - begin, picture


def peak_of_splice(part: Path, minutes: int) -> tuple[float, float]:
    """Runs in a process of its own: MiB at rest, when a minute was spliced, and at most."""
    rest = 0.0
    for length in (1, minutes):
        path = part.with_name(f"long{minutes}.{length}.mp4")
        lengthen(part, path, length)
        splice(path, stem_of(path, 1), 0.1, length)
        rest = rest or peak_mib()
    return rest, peak_mib()


def claims(
    minutes: int, times_as_fast: Mapping[float, float], peaks_mib: Mapping[int, float], talking_s: Mapping[int, float]
) -> list[Claim]:
    """What is claimed of stitching, of what was measured of it.

    Args:
        minutes: of the film of which speeds were measured; nothing is claimed of those of shorter ones.
        times_as_fast: as encoding the film whole, by the share of GOPs that change.
        peaks_mib: most memory, by minutes of film.
        talking_s: seconds for a film of which every GOP changes, by runs that are encoded at once.
    """
    found = []
    for share, least in LEAST_TIMES.items():
        if minutes >= CLAIMED_MINUTES and share in times_as_fast:
            told = f"{times_as_fast[share]:.1f} times as fast as whole, at least {least:g}"
            found.append(Claim(f"{minutes} minutes, {share:.0%} of GOPs", told, times_as_fast[share] >= least))
    if len(peaks_mib) > 1:
        growth = peaks_mib[max(peaks_mib)] / peaks_mib[min(peaks_mib)]
        told = f"{growth:.2f} times that of {min(peaks_mib)}, at most {MOST_GROWTH}"
        found.append(Claim(f"memory of {max(peaks_mib)} minutes", told, growth <= MOST_GROWTH))
    if len(talking_s) > 1:
        longer = talking_s[max(talking_s)] / talking_s[min(talking_s)]
        told = f"{longer:.2f} times as long as {min(talking_s)}, at most {LONGEST_AT_ONCE}"
        found.append(Claim(f"a film that talks throughout, {max(talking_s)} at once", told, longer <= LONGEST_AT_ONCE))
    return found


def speeds(part: Path, film: Path, args: argparse.Namespace) -> dict[float, float]:
    """Times as fast as encoding it whole, by share of changed GOPs; prints what else was measured."""
    lengthen(part, film, args.minutes)
    track = stem_of(film, args.minutes)
    everything = write(film, TranscodedPicture(Painted(changed_frames(film, 0.1)), CONFIG), track, args.minutes)
    about = f"{args.minutes} minutes of {args.codec}, {args.height} lines"
    print(f"{about}, encoded whole: {everything:.1f} s", flush=True)
    print("".join(f"{head:>17}" for head in HEADS))
    found = {}
    for share in args.shares:
        seconds, picture = splice(film, track, share, args.minutes)
        found[share] = everything / seconds
        counts, runs = picture.counts, picture.encoded
        growth = sum(run.num_bytes for run in runs) / sum(run.num_bytes_before for run in runs)
        cells = (f"{share:.0%}", f"{seconds:.1f}", f"{found[share]:.1f}", counts.copied, counts.re_encoded_untouched)
        cells += (counts.edited, f"{min(run.psnr_db_min for run in runs):.1f}", f"x {growth:.2f}")
        print("".join(f"{cell!s:>17}" for cell in cells), flush=True)
    return found


def peaks(part: Path, lengths: Sequence[int]) -> dict[int, float]:
    """MiB at most, by minutes of film."""
    found = {}
    for minutes in lengths:
        with ProcessPoolExecutor(1, SPAWN) as process:
            rest, found[minutes] = process.submit(peak_of_splice, part, minutes).result()
        print(f"{minutes:>3} minutes: {rest:.0f} MiB after one minute, {found[minutes]:.0f} at most", flush=True)
    return found


def talking(part: Path, film: Path, minutes: int, at_once: Sequence[int]) -> dict[int, float]:
    """Seconds for a film that talks throughout, by runs that are encoded at once."""
    lengthen(part, film, minutes)
    track, found = stem_of(film, minutes), {}
    for number in at_once:
        found[number], picture = splice(film, track, 1.0, minutes, number)
        about = f"{minutes} minutes that talk throughout, {len(picture.encoded)} runs, {number} at once"
        print(f"{about}: {found[number]:.1f} s", flush=True)
    return found


def main() -> None:
    """Print the tables, and whether what is claimed holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=CLAIMED_MINUTES)
    parser.add_argument("--shares", type=float, nargs="*", default=sorted(LEAST_TIMES))
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--codec", choices=sorted(ENCODERS), default="h264")
    parser.add_argument("--lengths", type=int, nargs="*", default=[1, 10])
    parser.add_argument("--at-once", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--talking-minutes", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        part, film = Path(folder) / "part.mp4", Path(folder) / "film.mp4"
        make_part(part, args.height, args.codec)
        fast = speeds(part, film, args) if args.shares else {}
        found = claims(
            args.minutes, fast, peaks(part, args.lengths), talking(part, film, args.talking_minutes, args.at_once)
        )
    if args.minutes < CLAIMED_MINUTES:
        print(f"speeds are not judged: they are claimed of {CLAIMED_MINUTES} minutes and more")
    sys.exit(not all_hold(found))


if __name__ == "__main__":
    main()
