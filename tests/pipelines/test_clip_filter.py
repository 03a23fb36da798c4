"""Each threshold alone decides at its border, and without a judge what a judge would say does not count."""

from typing import Any

import pytest

from pipelines.clip_filter import ClipThresholds, expert_thresholds, filter_reason, kept_clips
from schemas.training import ClipReason, FilterReason

GOOD: dict[str, Any] = {
    "status": "ok",
    "reason": None,
    "num_frames": 100,
    "num_face_frames": 50,
    "face_height_px": 40.0,
    "yaw_deg": 45.0,
    "sharpness": ClipThresholds().min_sharpness,
    "opening_range": 0.03,
    "sync_confidence": 3.0,
    "av_offset_ms": -240.0,
}
UNJUDGED = {"sync_confidence": None, "av_offset_ms": None}


def test_a_clip_on_every_border_is_kept() -> None:
    assert filter_reason(GOOD, ClipThresholds()) is None


@pytest.mark.parametrize(
    ("reason", "changed"),
    [
        (FilterReason.LOW_CONFIDENCE, {"sync_confidence": 2.99}),
        (FilterReason.LARGE_OFFSET, {"av_offset_ms": -280.0}),
        (FilterReason.LARGE_OFFSET, {"av_offset_ms": 280.0}),
        (FilterReason.SMALL_FACE, {"face_height_px": 39.9}),
        (FilterReason.TURNED_AWAY, {"yaw_deg": 45.1}),
        (FilterReason.BLURRED, {"sharpness": GOOD["sharpness"] - 0.1}),
        (FilterReason.FACE_LOST, {"num_face_frames": 49}),
        (FilterReason.STILL_MOUTH, {"opening_range": 0.029}),
    ],
)
def test_each_threshold_alone_leaves_a_clip_out(reason: FilterReason, changed: dict[str, Any]) -> None:
    assert filter_reason(GOOD | changed, ClipThresholds()) is reason


def test_the_first_reason_is_told_when_several_hold() -> None:
    assert filter_reason(GOOD | {"opening_range": 0.0, "yaw_deg": 60.0}, ClipThresholds()) is FilterReason.TURNED_AWAY


def test_without_a_judge_only_a_training_that_wants_one_leaves_the_clip_out() -> None:
    assert filter_reason(GOOD | UNJUDGED, ClipThresholds()) is None
    assert filter_reason(GOOD | UNJUDGED, ClipThresholds(require_judge=True)) is FilterReason.UNMEASURED


def test_the_expert_sees_nothing_that_is_off_by_more_than_a_frame() -> None:
    assert filter_reason(GOOD | {"av_offset_ms": 40.0}, expert_thresholds()) is None
    assert filter_reason(GOOD | {"av_offset_ms": 80.0}, expert_thresholds()) is FilterReason.LARGE_OFFSET


def test_a_failed_clip_is_never_kept_and_cannot_be_filtered() -> None:
    failed = GOOD | {"status": "failed", "reason": ClipReason.NO_FACE.value}

    assert kept_clips([GOOD, failed], ClipThresholds()) == [GOOD]
    with pytest.raises(ValueError, match="no_face"):
        filter_reason(failed, ClipThresholds())


def test_thresholds_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        ClipThresholds(max_yaw_deg=-1)
    with pytest.raises(ValueError, match="min_face_share"):
        ClipThresholds(min_face_share=1.5)
