"""A clip that cannot be learnt from."""

from schemas.training import ClipReason


class UnfitClipError(ValueError):
    """Why a clip gives nothing to learn from."""

    def __init__(self, reason: ClipReason, detail: str, num_frames: int = 0) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
        self.num_frames = num_frames  # that were decoded before it showed
