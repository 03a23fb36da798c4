"""Checks of what became of each frame of a picture: its own packet, a new one beside a mouth, or a painted one."""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, groupby, pairwise
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from pipelines.media.coded_picture import CodedPacket
from pipelines.media.container import FILM_FORMATS, open_media, picture_stream
from pipelines.media.ledger import Ledger
from pipelines.media.picture import digest_of, planes_of
from pipelines.picture_difference import PictureDifference
from pipelines.proof import Check

OF_PICTURE = frozenset(  # checks that a film may pass when its picture is encoded whole
    [
        *("frame_count", "frame_pts", "film_length", "decodes_clean", "picture_tags", "parameter_sets", "picture"),
        *("seeks", "frame_classes", "copied_frames", "edited_gops", "re_encoded", "side_data", "codec_tag"),
    ]
)
NUM_SEEKS = 80
BACK_OFF_S = (0, 1, 4, 16)  # containers seek by times of decoding, and may land behind what is looked for
MIN_RE_ENCODED_DB = 44.0  # 45 is aimed at, on more samples than those outside of rectangles
MIN_SPENT = 1.7  # times the bytes of before: about twice is spent on what is not good enough, and no more
INTRA_CODECS = ("prores", "dnxhd", "mjpeg")  # whose bytes their profile says: about as many as before
MIN_SPENT_INTRA = 0.7  # times those: encoders reach 0.84 to 1.17, one of a film of noise above its rate 0.73
HELD = ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL")  # H.264 says them with keyframes alone
OF_WHOLE = (*HELD, "A53_CC")  # stay when all frames are encoded again
MAX_NAMED = 3

SideData = frozenset[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class FrameClasses:
    """What became of each frame, in the order they are shown."""

    copied: list[bool]
    edited: list[bool]
    num_bytes: list[tuple[int, int]]  # before and after

    @property
    def counts(self) -> dict[str, int]:
        """Frames by class."""
        untouched = sum(not copied and not edited for copied, edited in zip(self.copied, self.edited, strict=True))
        edited = sum(self.edited)
        return {
            "copied": len(self.copied) - untouched - edited,
            "re_encoded_untouched": untouched,
            "edited": edited,
            "all": len(self.copied),
        }

    def stretches(self, begins: Collection[int] = ()) -> Iterator[list[int]]:
        """Frames one after the other that have other packets than they had, also parted before some frames."""
        for is_copied, found in groupby(range(len(self.copied)), key=lambda place: self.copied[place]):
            if is_copied:
                continue
            places = list(found)
            edges = [0, *(at for at, place in enumerate(places) if at and place in begins), len(places)]
            yield from (places[start:end] for start, end in pairwise(edges))


def classes_of(before: Ledger, after: Ledger, edited: Collection[int]) -> FrameClasses | None:
    """The class of each frame that is shown; None where one has no packet of its own.

    Args:
        before: of the source.
        after: of the delivered film; as many frames.
        edited: pts of the source's frames on which something was painted.
    """
    old, new = _packets_of_frames(before), _packets_of_frames(after)
    if old is None or new is None:
        return None
    return FrameClasses(
        copied=[a.digest == b.digest for a, b in zip(old, new, strict=True)],
        edited=[packet.pts in edited for packet in old],
        num_bytes=[(a.num_bytes, b.num_bytes) for a, b in zip(old, new, strict=True)],
    )


def edited_pts(pts: Sequence[int], runs: Iterable[dict[str, Any]]) -> set[int]:
    """The frames that lie in runs of the manifest.

    Args:
        pts: of all frames of the source, as they are shown.
        runs: each with first_pts and last_pts, both painted.
    """
    found: set[int] = set()
    for run in runs:
        found.update(pts[bisect_left(pts, run["first_pts"]) : bisect_right(pts, run["last_pts"])])
    return found


def class_checks(
    before: Ledger, after: Ledger, difference: PictureDifference, manifest: dict[str, Any], facts: dict[str, Any]
) -> list[Check]:
    """All checks of classes, whose counts are added to the facts.

    A film that was encoded whole has no GOPs of its own left, and says so.
    """
    runs = [run for shot in manifest.get("shots", []) for run in shot.get("changed", [])]
    classes = classes_of(before, after, edited_pts(before.pts, runs))
    is_whole = manifest.get("picture", {}).get("method") == "transcode"
    if classes is None:  # AVI has frames whose packets have no pts
        return (
            [] if is_whole or not manifest else [Check("frame_classes", False, "frames have no packets of their own")]
        )
    facts["num_frames_by_class"] = classes.counts
    checks = [frame_classes(classes, manifest), copied_frames(classes, difference)]
    starts = {int(run["first_pts"]) for run in manifest.get("picture", {}).get("runs", [])}
    begins = {place for place, pts in enumerate(before.pts) if pts in starts}
    facts["runs"] = [_run_facts(classes, difference, before.pts, places) for places in classes.stretches(begins)]
    if is_whole or not any(classes.copied):
        return [*checks, side_data(before, after, OF_WHOLE)]
    quality = re_encoded(classes, difference, before.coded.codec, begins)
    return [*checks, edited_gops(classes), quality, side_data(before, after), codec_tag(before, after)]


def _packets_of_frames(film: Ledger) -> list[CodedPacket] | None:
    by_pts = {packet.pts: packet for packet in film.coded.packets}
    found = [by_pts.get(pts) for pts in film.pts]
    return None if None in found else [packet for packet in found if packet is not None]


def frame_classes(classes: FrameClasses, manifest: dict[str, Any]) -> Check:
    """As many frames of each class as the manifest says."""
    said = manifest.get("num_frames", classes.counts)
    ok = said == classes.counts
    found = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in classes.counts.items() if name != "all")
    return Check("frame_classes", ok, found if ok else f"{found}; the manifest says {said}")


def copied_frames(classes: FrameClasses, difference: PictureDifference) -> Check:
    """A frame that has its own packet shows the samples that it showed, to the bit."""
    pairs = enumerate(zip(classes.copied, difference.equal, strict=True))
    wrong = [place for place, (is_copied, is_equal) in pairs if is_copied and not is_equal]
    shown = (
        f"{len(wrong)} show something else, frame {wrong[0]} first" if wrong else f"{sum(classes.copied)} are equal"
    )
    return Check("copied_frames", not wrong, shown)


def edited_gops(classes: FrameClasses) -> Check:
    """Nothing was encoded again without a painted frame in it, and no painted frame is a copy."""
    idle = [places for places in classes.stretches() if not any(classes.edited[place] for place in places)]
    kept = [place for place, is_edited in enumerate(classes.edited) if is_edited and classes.copied[place]]
    if kept:
        return Check("edited_gops", False, f"{len(kept)} painted frames are the source's, frame {kept[0]} first")
    shown = (
        f"{len(idle)} have no painted frame, that from frame {idle[0][0]} first"
        if idle
        else "each has a painted frame"
    )
    return Check("edited_gops", not idle, shown)


def side_data(before: Ledger, after: Ledger, kinds: Collection[str] | None = None) -> Check:
    """Captions, light levels and all else that travels with frames is there, also where they are encoded again.

    Args:
        before: of the source.
        after: of the delivered film.
        kinds: what is looked for; None: everything.
    """
    pairs = enumerate(zip(_in_force(before.side_data), _in_force(after.side_data), strict=True))
    missing = ((at, {name for name, _ in old - new if kinds is None or name in kinds}) for at, (old, new) in pairs)
    lost = [(place, names) for place, names in missing if names]
    detail = (
        f"{len(lost)} frames lost some, frame {lost[0][0]} first: {', '.join(sorted(lost[0][1]))}" if lost else "equal"
    )
    return Check("side_data", not lost, detail)


def _in_force(side_data: Sequence[SideData]) -> Iterator[SideData]:
    """What each frame carries, and what of those before it holds on until something else is said."""
    held: dict[str, bytes] = {}
    for found in side_data:
        held |= {name: digest for name, digest in found if name in HELD}
        yield found | frozenset(held.items())


def codec_tag(before: Ledger, after: Ledger) -> Check:
    """In the same kind of container the picture is known by the same name: Apple's players go by it."""
    old, new = before.picture.tag, after.picture.tag
    ok = before.container != after.container or old == new
    return Check("codec_tag", ok, old or "none" if ok else f"{old} became {new}")


def re_encoded(
    classes: FrameClasses, difference: PictureDifference, codec: str, begins: Collection[int] = ()
) -> Check:
    """New packets show what was there but for the mouths: 45 dB, or as much as the bytes of the codec buy.

    Of H.264 and HEVC about twice the film's own are spent on what is not good enough; of codecs whose packets stand
    alone the profile says how many.

    Args:
        classes: of the frames.
        difference: of the pictures.
        codec: of both.
        begins: frames at which stretches begin that were encoded by themselves, beside those after copied frames.
    """
    found = [_quality(classes, difference, places) for places in classes.stretches(begins)]
    spent = MIN_SPENT_INTRA if codec in INTRA_CODECS else MIN_SPENT
    poor = [one for one in found if one[0] < MIN_RE_ENCODED_DB and one[1] < spent]
    if not found:
        return Check("re_encoded", True, "nothing was")
    least, growth = min(found)
    said = f"{least:.1f} dB at least, {growth:.2f} times the bytes there; {len(poor)} of {len(found)} are poor"
    return Check("re_encoded", not poor, said)


def _quality(classes: FrameClasses, difference: PictureDifference, places: list[int]) -> tuple[float, float]:
    """PSNR of the worst frame of a stretch, and how many times as many bytes as before it has."""
    old, new = _bytes(classes, places)
    return min(difference.psnr_db[place] for place in places), new / max(old, 1)


def _bytes(classes: FrameClasses, places: list[int]) -> tuple[int, int]:
    old, new = (sum(classes.num_bytes[place][side] for place in places) for side in (0, 1))
    return old, new


def _run_facts(
    classes: FrameClasses, difference: PictureDifference, pts: Sequence[int], places: list[int]
) -> dict[str, Any]:
    """A stretch that was encoded again as it was found, in the words in which the manifest tells of runs."""
    old, new = _bytes(classes, places)
    return {
        "first_pts": pts[places[0]],
        "num_frames": len(places),
        "edited": sum(classes.edited[place] for place in places),
        "psnr_db_min": round(min(difference.psnr_db[place] for place in places), 2),
        "num_bytes": new,
        "num_bytes_before": old,
    }


def parameter_sets(before: Ledger, after: Ledger) -> Check:
    """The decoder is still given all that copied packets refer to."""
    old, new = before.coded, after.coded
    own = {packet.digest for packet in old.packets}
    if own.isdisjoint(packet.digest for packet in new.packets):
        return Check("parameter_sets", True, "no packet is the source's")
    missing, more = len(old.sets - new.sets), len(new.sets - old.sets)
    return Check("parameter_sets", not missing, f"{len(old.sets)} of the source, {missing} missing, {more} more")


def random_seeks(path: Path, delivered: Ledger) -> Check:
    """Wherever playing begins, the frame is the one that playing from the beginning shows; one decoder for all.

    Of a short film a place is drawn more than once: it is sought once, and counts as often as it was drawn.
    """
    places = random.Random(len(delivered.pts)).choices(range(len(delivered.pts)), k=NUM_SEEKS)
    with open_media(path, FILM_FORMATS) as film:
        stream = picture_stream(film)
        found_at = {place: _digest_at(film, stream, delivered.pts[place]) for place in dict.fromkeys(places)}
    wrong = [delivered.pts[place] for place in places if found_at[place] != delivered.digests[place]]
    found = f"{NUM_SEEKS - len(wrong)} of {NUM_SEEKS} exact"
    return Check("seeks", not wrong, found + (f"; not that to pts {wrong[0]}" if wrong else ""))


def _digest_at(film: InputContainer, stream: VideoStream, pts: int) -> bytes | None:
    for back_off_s in BACK_OFF_S:
        with suppress(av.FFmpegError):  # nothing is found then
            film.seek(pts - round(back_off_s / (stream.time_base or 1)), stream=stream)
            found = film.decode(stream)
            first = next(found, None)
            if first is not None and (first.pts or 0) <= pts:
                here = (frame for frame in chain([first], found) if (frame.pts or 0) >= pts)
                return digest_of(planes_of(next(here, first)))
    return None
