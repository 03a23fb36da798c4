"""The thresholds of the plan, each with its reason."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, kw_only=True, slots=True)
class Eligibility:
    """What a face track must be to be painted.

    Beyond a threshold it is left as filmed. Where there is a second one whose name begins with `sure_`, what lies
    between the two is painted and waits for a person.
    """

    # 10 frames: 0.4 s at 25 fps, two syllables; a shorter glimpse shows no dub.
    min_frames: int = 10
    # 36 px: below it the mouth is some 12 px wide, and landmarks jitter by as much as lips move.
    min_face_height_px: float = 36.0
    sure_face_height_px: float = 48.0
    # 0.2 film px per crop px: a painted mouth is shrunk to a fifth; less than that no viewer can read from lips.
    min_enlargement: float = 0.2
    # 4 film px per crop px: beyond, nothing helps; from 3 on the painted mouth is visibly softer than the skin around.
    max_enlargement: float = 4.0
    sure_enlargement: float = 3.0
    # 45 degrees: beyond, one corner of the mouth is hidden. Up to 37 turned mouths are painted as well as level ones
    # (`benchmarks/turned_faces.py`).
    max_yaw_deg: float = 45.0
    sure_yaw_deg: float = 35.0
    # 40 degrees: beyond, the chin hides the throat or the nose the upper lip. Measured likewise up to 29.
    max_pitch_deg: float = 40.0
    sure_pitch_deg: float = 32.0
    # 0.7 of the detector, which takes nothing below 0.6 for a face; a clear one has 0.9 and more.
    sure_face_score: float = 0.7
    # 0.7: pictures of one person lie up to 0.6 apart; further, a track may have gone on over two people in a dissolve.
    sure_spread: float = 0.7
    # 0.12 of the mouth's width that it moves while the shutter is open: a sharp mouth in a smeared face is seen.
    max_smear: float = 0.12
    sure_smear: float = 0.06
    # 0.35 of the frames to paint: so much of the line would be seen behind a hand or a title as it was filmed.
    max_hidden_share: float = 0.35
    sure_hidden_share: float = 0.05
    # 0.7: measured on films of two people (`benchmarks/who_speaks.py`); whoever only may be heard waits for a person.
    min_speaking_score: float = 0.7
    # 0.3: below it a face is a listener's; from it on it may be the speaker's, and so no other face is surely.
    min_doubt_score: float = 0.3
    # 0.2 of the time in which a face is heard: a moment of doubt within a line is decided by the rest of the line.
    max_unsure_share: float = 0.2
    # 0.9: a piece that is so surely a person's, and no other face's, teaches how this person sounds.
    min_voice_score: float = 0.9
    # 2 s of such pieces in other shots, two of them: by one alone a third more voices are mistaken.
    min_voice_s: float = 2.0
    # 4: a log-likelihood ratio, 1 in 55: so seldom may a voice be unlike itself, in a shout or a whisper. At 0 only
    # mouths say who speaks.
    max_voice_doubt: float = 4.0
    # 1, so 0.48 becomes 0.7: a voice that sounds alike does not make a mouth speak that hardly seems to.
    max_voice_trust: float = 1.0
    # 0.12 s, three frames at 25 fps: room to fade in and out, and lips move before the sound is heard.
    paint_margin_s: Fraction = Fraction(3, 25)

    def __post_init__(self) -> None:
        ladders = {
            "0, min_face_height_px, sure_face_height_px": (0, self.min_face_height_px, self.sure_face_height_px),
            "0, min_enlargement, sure_enlargement, max_enlargement": (
                *(0, self.min_enlargement, self.sure_enlargement, self.max_enlargement),
            ),
            "0, sure_yaw_deg, max_yaw_deg": (0, self.sure_yaw_deg, self.max_yaw_deg),
            "0, sure_pitch_deg, max_pitch_deg": (0, self.sure_pitch_deg, self.max_pitch_deg),
            "0, sure_face_score, 1": (0, self.sure_face_score, 1),
            "0, sure_spread": (0, self.sure_spread),
            "0, sure_smear, max_smear": (0, self.sure_smear, self.max_smear),
            "0, sure_hidden_share, max_hidden_share, 1": (0, self.sure_hidden_share, self.max_hidden_share, 1),
            "0, min_doubt_score, min_speaking_score, 1": (0, self.min_doubt_score, self.min_speaking_score, 1),
            "min_speaking_score, min_voice_score, 1": (self.min_speaking_score, self.min_voice_score, 1),
            "0, max_voice_trust": (0, self.max_voice_trust),
            "0, max_voice_doubt": (0, self.max_voice_doubt),
            "0, min_voice_s": (0, self.min_voice_s),
            "0, max_unsure_share, 1": (0, self.max_unsure_share, 1),
            "1, min_frames": (1, self.min_frames),
            "0, paint_margin_s": (0, self.paint_margin_s),
        }
        wrong = [
            f"{names} must ascend, got {steps}" for names, steps in ladders.items() if list(steps) != sorted(steps)
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
