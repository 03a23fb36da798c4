"""A plan that must not cost more than so much: what is painted first when not all can be."""

import pyarrow as pa

from schemas.reason import Reason, Verdict
from schemas.shot import PLAN


def within_budget(plan: pa.Table, max_frames: int) -> pa.Table:
    """The PLAN with at most so many frames to paint; the tracks that do not fit any more are left, and say so.

    Large faces come first: theirs are the mouths that an audience watches. A track is painted whole or not at all, and
    a smaller one takes what a larger one has left over.

    Args:
        plan: PLAN.
        max_frames: of all its films together.
    """
    lines, left = plan.to_pylist(), max_frames
    painted = [index for index, line in enumerate(lines) if line["frames_to_paint"]]
    for index in sorted(painted, key=lambda index: (-lines[index]["face_height_px"], index)):
        frames = lines[index]["frames_to_paint"]
        if frames <= left:
            left -= frames
            continue
        words = f"{frames} frames to paint, {left} of {max_frames} left"
        lines[index] |= {"verdict": Verdict.LEAVE, "reason": Reason.OVER_BUDGET, "measured": words}
        lines[index]["frames_to_paint"] = 0
    return pa.Table.from_pylist(lines, schema=PLAN)
