"""A film written with its painted mouths: its own packets but for the GOPs that changed, or encoded whole and why."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pipelines.media.dub_track import DubTrack
from pipelines.media.encode import EncodeConfig
from pipelines.media.frame_tags import ColourTags
from pipelines.media.mux import Written, write_film
from pipelines.media.picture_writer import DOLBY, TranscodedPicture
from pipelines.media.run_encoder import EncodedRun, UnspliceableError
from pipelines.media.splice import spliced
from pipelines.progress import Tell
from pipelines.shot_patches import ShotPatches, changed_pts
from pipelines.stage import Row
from schemas.reason import Whole

SHARE_OF_CPUS = 4  # a film takes a quarter of a machine: others are painted and written beside it
SHARE_ALONE = 2  # half of it where no other of its group is: the next group may be looked at beside
MAX_RUNS_AT_ONCE = 4  # each holds an encoder and its pictures


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenPicture:
    """What was written, and how."""

    written: Written
    patches: ShotPatches  # those that were laid
    runs: Sequence[EncodedRun] = ()  # of a spliced film
    whole: Whole | None = None  # why it was encoded whole
    detail: str = ""

    @property
    def left_out(self) -> list[str]:
        """What of the film no delivery holds."""
        told = list(self.written.left_out)
        return told if self.whole is not Whole.DOLBY_VISION or DOLBY in told else [*told, DOLBY]

    @property
    def facts(self) -> dict[str, Any]:
        """For the manifest."""
        counts = self.written.counts
        return {
            "num_frames": {
                "all": counts.all,
                "edited": counts.edited,
                "re_encoded_untouched": counts.re_encoded_untouched,
                "copied": counts.copied,
            },
            "picture": {
                "method": "transcode" if self.whole else "splice",
                "reason": self.whole and self.whole.value,
                "detail": self.detail,
                "re_encoded_share": round(1 - counts.copied / max(counts.all, 1), 4),
                "runs": [_run_facts(run) for run in self.runs],
            },
            "left_out": self.left_out,
        }


def _run_facts(run: EncodedRun) -> dict[str, Any]:
    return {
        "first_pts": run.first_pts,
        "num_frames": run.num_frames,
        "edited": run.num_frames_changed,
        "crf": run.crf,
        "psnr_db_min": round(run.psnr_db_min, 2),
        "num_bytes": run.num_bytes,
        "num_bytes_before": run.num_bytes_before,
    }


def write_picture(
    film: Row,
    shots: Sequence[Row],
    target: Path,
    track: DubTrack,
    config: EncodeConfig,
    tell: Tell,
    alone: bool = False,
    failed: str | None = None,
) -> WrittenPicture:
    """Write the film to `target`, spliced where it can be.

    Args:
        film: row of FILM.
        shots: rows of JUDGED_SHOT, all of the film's.
        target: a temp name; what is there after an error is not whole.
        track: the dub.
        config: encoder settings.
        tell: told of frames as they are written.
        alone: whether no other film is painted or written beside it. Its bytes do not depend on that.
        failed: what did not hold when the film was spliced; it is encoded whole then.

    Raises:
        UndecodableError: the source cannot be decoded to its end.
        UnwritableError: the target cannot be written.
    """
    source = Path(film["film_uri"])
    write = partial(
        write_film,
        source,
        target,
        dub=track,
        language=film["language"],
        end_pts=film["end_pts"],
        config=config,
        tell=tell,
        source_language=film["source_language"],
    )
    if failed is not None:
        return _whole(film, shots, config, write, UnspliceableError(Whole.PROOF_FAILED, failed))
    begin = partial(ShotPatches, shots)
    try:
        changed, at_once = changed_pts(shots), runs_at_once(config, len(os.sched_getaffinity(0)), alone)
        with spliced(source, target.suffix, changed, begin, config, at_once, colours_of(film)) as picture:
            written, runs = write(picture), picture.encoded
    except UnspliceableError as error:
        return _whole(film, shots, config, write, error)
    written.counts.copied -= written.counts.all - film["num_frames"]  # packets of which nothing is shown
    laid = ShotPatches(shots)
    for run in runs:
        assert isinstance(run.changes, ShotPatches)
        laid.add(run.changes)
    return WrittenPicture(written=written, patches=laid, runs=runs)


def _whole(
    film: Row, shots: Sequence[Row], config: EncodeConfig, write: Any, why: UnspliceableError
) -> WrittenPicture:
    patches, colours = ShotPatches(shots), {tags for _, tags in colours_of(film)}
    written = write(TranscodedPicture(patches, config, len(colours)))
    return WrittenPicture(written=written, patches=patches, whole=why.reason, detail=str(why))


def colours_of(film: Row) -> list[tuple[int, ColourTags]]:
    """Colour tags of a film's frames, each with the pts from which on they hold.

    Args:
        film: row of FILM.
    """
    return [(one["start_pts"], ColourTags(*(one[name] for name in ColourTags._fields))) for one in film["colours"]]


def runs_at_once(config: EncodeConfig, cpus: int, alone: bool) -> int:
    """How many runs are encoded at the same time. What comes out does not depend on it.

    Args:
        config: encoder settings.
        cpus: of this machine.
        alone: whether no other film is painted or written beside.
    """
    share = SHARE_ALONE if alone else SHARE_OF_CPUS
    return max(1, min(MAX_RUNS_AT_ONCE, cpus // (share * config.threads)))
