"""Which clips a training takes: thresholds on facts that were measured once. Nothing is thrown away for them."""

from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.stage import Row
from schemas.training import ClipStatus, FilterReason


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipThresholds:
    """What a clip must be to be learnt from. Each threshold with its reason."""

    # 3: in the paper methods in sync score 6 to 9 (Table 2), one trained without a sync loss under 1 (Table 1).
    min_confidence: float = 3.0
    # 240 ms, 6 frames: further off is a wrong guess of the judge; nearer is put right when windows are taken.
    max_offset_ms: float = 240.0
    # 40 px: below it the mouth is some 13 px wide, and less is seen of it than the window asks for.
    min_face_height_px: float = 40.0
    # 45 degrees: beyond, one corner of the mouth is hidden.
    max_yaw_deg: float = 45.0
    # 6 squared codes: faces of 54 to 190 px in three real clips score 16 to 440, the same blurred until landmarks see
    # half of the mouth's opening 2 to 8.
    min_sharpness: float = 6.0
    # 0.5: a face that is lost in more than half of the frames was followed badly in the others too.
    min_face_share: float = 0.5
    # 0.03 of the mouth's width: the tremor of landmarks on a mouth at rest.
    min_opening_range: float = 0.03
    # True: a clip that no judge has seen is left out.
    require_judge: bool = False

    def __post_init__(self) -> None:
        limits = (self.max_offset_ms, self.min_face_height_px, self.max_yaw_deg, self.min_sharpness)
        if min(*limits, self.min_opening_range) < 0:
            raise ValueError(f"thresholds cannot be negative, got {self}")
        if not 0 <= self.min_face_share <= 1:
            raise ValueError(f"min_face_share must be in [0, 1], got {self.min_face_share}")


def expert_thresholds() -> ClipThresholds:
    """For the lip-sync expert, which must see lips and sound within a frame of each other."""
    return ClipThresholds(max_offset_ms=40.0)


def filter_reason(facts: Row, thresholds: ClipThresholds) -> FilterReason | None:
    """The first threshold that a clip does not meet, None when it meets all.

    Without a judge the two thresholds on what it says do not count, unless it is required.

    Args:
        facts: CLIP_FACTS of a clip that is ok.
        thresholds: what is asked.

    Raises:
        ValueError: the clip failed, so there is nothing to filter.
    """
    if facts["status"] != ClipStatus.OK:
        raise ValueError(f"only a clip that is ok can be filtered, this one is {facts['status']}: {facts['reason']}")
    return next((reason for reason, holds in _checks(facts, thresholds) if holds), None)


def _checks(facts: Row, thresholds: ClipThresholds) -> list[tuple[FilterReason, bool]]:
    judged = facts["sync_confidence"] is not None and facts["av_offset_ms"] is not None
    confidence, offset_ms = (facts["sync_confidence"], facts["av_offset_ms"]) if judged else (0.0, 0.0)
    face_share = facts["num_face_frames"] / max(1, facts["num_frames"])
    return [
        (FilterReason.UNMEASURED, thresholds.require_judge and not judged),
        (FilterReason.LOW_CONFIDENCE, judged and confidence < thresholds.min_confidence),
        (FilterReason.LARGE_OFFSET, judged and abs(offset_ms) > thresholds.max_offset_ms),
        (FilterReason.SMALL_FACE, facts["face_height_px"] < thresholds.min_face_height_px),
        (FilterReason.TURNED_AWAY, facts["yaw_deg"] > thresholds.max_yaw_deg),
        (FilterReason.BLURRED, facts["sharpness"] < thresholds.min_sharpness),
        (FilterReason.FACE_LOST, face_share < thresholds.min_face_share),
        (FilterReason.STILL_MOUTH, facts["opening_range"] < thresholds.min_opening_range),
    ]


def kept_clips(facts: Iterable[Row], thresholds: ClipThresholds) -> list[Row]:
    """The CLIP_FACTS rows that a training takes, in their order."""
    return [clip for clip in facts if clip["status"] == ClipStatus.OK and filter_reason(clip, thresholds) is None]
