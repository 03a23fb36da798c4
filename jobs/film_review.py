"""What lies in a delivered film's folder, read back; and the pictures that show a person what was done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from jobs.contact_sheet import crop_sheet, fit, jpeg
from pipelines.delivery import Delivery
from pipelines.media.picture import rgb_frames
from pipelines.media.proxy import write_side_by_side
from pipelines.stage import Row
from pipelines.storage import read_table
from schemas.timing import fraction

PROXY_S = 20  # long enough to judge a line of dialogue in its shot
FRAME_HEIGHT_PX = 270


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackSheet:
    """The contact sheet of one painted face track."""

    shot_index: int
    track_index: int
    png: bytes

    @property
    def name(self) -> str:
        """File name, sorted by shot."""
        return f"shot{self.shot_index:04}-track{self.track_index}.png"


@dataclass(frozen=True, kw_only=True, slots=True)
class FramePair:
    """One frame before and after, whole."""

    shot_index: int
    before: bytes  # JPEG
    after: bytes


def delivery_folder(out: Path, film: Row) -> Path:
    """OUT/title/language."""
    return out / str(film["title"]) / str(film["language"])


def delivered_shots(out: Path, film: Row) -> list[Row]:
    """The shots of a delivered film as its own shots.parquet has them, in order; none when it is not there."""
    path = delivery_folder(out, film) / "shots.parquet"
    if not path.is_file():
        return []
    rows: list[Row] = pq.read_table(path).to_pylist()
    return sorted(rows, key=lambda row: int(row["shot_index"]))


def delivered_manifest(out: Path, film: Row) -> Row:
    """The manifest of a delivered film; empty when it is not there."""
    return Delivery(out, film["title"], film["language"]).manifest() or {}


def track_sheets(shots: Sequence[Row]) -> Iterator[TrackSheet]:
    """A contact sheet for every painted face track."""
    for shot in shots:
        for painted in shot.get("painted") or []:
            table = read_table(painted["painted_uri"])
            if table.num_rows:
                png = crop_sheet(table)
                yield TrackSheet(shot_index=shot["shot_index"], track_index=painted["track_index"], png=png)


def frame_pairs(film: Row, shots: Sequence[Row]) -> Iterator[FramePair]:
    """A frame from the middle of the painted part of every changed shot, in the source and as delivered."""
    for shot in shots:
        if not shot.get("num_frames_changed"):
            continue
        middle = _painted_middle(shot)
        pair = [_frame_at(Path(film[name]), middle, shot["shot_end_pts"]) for name in ("film_uri", "delivered_uri")]
        yield FramePair(shot_index=shot["shot_index"], before=pair[0], after=pair[1])


def write_proxies(folder: Path, film: Row, shots: Sequence[Row]) -> list[Path]:
    """Side-by-side review proxies of the first changed stretch, in a folder that is there."""
    changed = [shot for shot in shots if shot.get("num_frames_changed")]
    if not changed:
        return []
    time_base, first = fraction(film["time_base"]), changed[0]
    after = min(film["end_pts"], first["shot_start_pts"] + round(PROXY_S / time_base))
    target = folder / f"shot{first['shot_index']:04}.mp4"
    source, delivered = Path(film["film_uri"]), Path(film["delivered_uri"])
    write_side_by_side(source, delivered, target, first["shot_start_pts"], after, time_base)
    return [target]


def _painted_middle(shot: Row) -> int:
    tracks = [read_table(painted["painted_uri"]).column("pts") for painted in shot["painted"]]
    pts = max(tracks, key=len) if tracks else []
    return pts[len(pts) // 2].as_py() if len(pts) else int(shot["shot_start_pts"])


def _frame_at(path: Path, pts: int, end_pts: int) -> bytes:
    _, picture = next(rgb_frames(path, pts, end_pts))
    return jpeg(fit(picture, FRAME_HEIGHT_PX))
