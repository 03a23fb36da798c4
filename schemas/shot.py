"""The row of the dub, a shot in one language, growing wider from stage to stage; the PLAN and PEOPLE tables."""

import pyarrow as pa

from schemas.column import SAMPLE_SPANS, column, widen
from schemas.film import FILM
from schemas.line import HEARD_LINE, WORD

SHOT = widen(
    FILM,
    column("shot_index", pa.int32(), "Place of the shot in its film, from 0."),
    column("num_shots", pa.int32(), "Shots in the film: when so many rows are in, the film is stitched."),
    column("shot_start_pts", pa.int64(), "First frame of the shot.", unit="time_base"),
    column("shot_end_pts", pa.int64(), "First frame after the shot: spans are half-open.", unit="time_base"),
    column("shot_num_frames", pa.int32(), "Frames of the shot."),
)

VOICE = pa.struct(
    [
        column("start", pa.int64(), "A piece of the original's speech, film time.", unit="sample at 16 kHz"),
        column("end", pa.int64(), "First sample after it.", unit="sample at 16 kHz"),
        column(
            "descriptor", pa.list_(pa.float32()), "256 numbers: whose voice it is; none of less than half a second."
        ),
    ]
)

ALIGNED_SHOT = widen(
    SHOT,
    column("dub_start_sample", pa.int64(), "First sample of the dub on this shot.", unit="sample at 16 kHz"),
    column("dub_end_sample", pa.int64(), "First sample after the shot.", unit="sample at 16 kHz"),
    column(
        "lag_samples",
        pa.int64(),
        "How late the dub is as it is delivered; positive = dub late; null where both share nothing clear.",
        unit="sample at 16 kHz",
        nullable=True,
    ),
    column("dub_speech", SAMPLE_SPANS, "Where the dub speaks within the shot, film time.", unit="sample at 16 kHz"),
    column("original_speech", SAMPLE_SPANS, "Where the original speaks, film time.", unit="sample at 16 kHz"),
    column("original_overlap", SAMPLE_SPANS, "Where two voices of it speak at once.", unit="sample at 16 kHz"),
    column("original_voices", pa.list_(VOICE), "Of each piece of its speech, as a voice network hears it."),
    column(
        "dub_words", pa.list_(WORD), "Words of the dub that begin in the shot; `recognised` where nobody gave them."
    ),
    column("dub_text", pa.string(), "What of cue sheet or script is said in the shot.", nullable=True),
    column(
        "recognised_text",
        pa.string(),
        "What Whisper base hears in the shot where nobody gave a text: no script, and perhaps wrong.",
        nullable=True,
    ),
    column("dub_lines", pa.list_(HEARD_LINE), "Lines of them that begin in the shot."),
    column(
        "unlined_speech_s",
        pa.float64(),
        "Speech of the dub outside all lines; null without lines.",
        unit="s",
        nullable=True,
    ),
    column("sounds_uri", pa.string(), "SOUND table: what the sounds that the dub is made of measure.", nullable=True),
)

SPEECH_SCORE = pa.struct(
    [
        column("start", pa.int64(), "A piece of the original's speech, film time.", unit="sample at 16 kHz"),
        column("end", pa.int64(), "First sample after it.", unit="sample at 16 kHz"),
        column("score", pa.float32(), "How surely this track is the voice heard there, 0..1."),
        column(
            "mouth_score",
            pa.float32(),
            "What its mouth alone says, where the plan weighed the voice too; null where the score says it.",
            nullable=True,
        ),
        column(
            "takes_line",
            pa.bool_(),
            "Whether the dub's line is this track's where two voices are heard at once; null where nothing tells.",
            nullable=True,
        ),
    ]
)

MOUTH_COVER = pa.struct(
    [
        column("start_pts", pa.int64(), "First frame in which something hides the mouth.", unit="time_base"),
        column("end_pts", pa.int64(), "First frame after them.", unit="time_base"),
        column("kind", pa.string(), "thing, such as a hand or a microphone, text, or another face."),
    ]
)

TRACK_STRETCH = pa.struct(
    [
        column("start_pts", pa.int64(), "First frame of half a second of a track.", unit="time_base"),
        column("end_pts", pa.int64(), "First frame after it.", unit="time_base"),
        column("face_height_px", pa.float32(), "Median height of the face box.", unit="px"),
        column("enlargement", pa.float32(), "Film pixels per crop pixel, the median."),
        column("yaw_deg", pa.float32(), "Median turn of the head; positive to the right of the picture.", unit="deg"),
        column("pitch_deg", pa.float32(), "Median nod of the head; positive down.", unit="deg"),
    ]
)

TRACK_FACTS = pa.struct(
    [
        column("track_index", pa.int32(), "Place of the face track in its shot, from 0, by first frame then x."),
        column("num_frames", pa.int32(), "Frames in which the face is tracked."),
        column("start_pts", pa.int64(), "First frame of the track.", unit="time_base"),
        column("end_pts", pa.int64(), "First frame after the track.", unit="time_base"),
        column("face_height_px", pa.float32(), "Median height of the face box.", unit="px"),
        column("enlargement", pa.float32(), "Film pixels per crop pixel: above 1 the painted crop is enlarged."),
        column("yaw_deg", pa.float32(), "Median turn of the head; positive to the right of the picture.", unit="deg"),
        column("pitch_deg", pa.float32(), "Median nod of the head; positive down.", unit="deg"),
        column("stretches", pa.list_(TRACK_STRETCH), "Size and turn of each half second."),
        column("smear", pa.float32(), "Median of what the mouth moves while the shutter is open, over its width."),
        column("covers", pa.list_(MOUTH_COVER), "Where something hides the mouth."),
        column("score", pa.float32(), "Mean detector score, 0..1."),
        column("speaking_score", pa.float32(), "How surely it is heard in the original, 0..1: its best piece."),
        column("speech_scores", pa.list_(SPEECH_SCORE), "Of each piece of speech in which it is seen."),
        column(
            "descriptor",
            pa.list_(pa.float32()),
            "128 numbers: who it is, as a face recognition network sees it; none where no picture was kept.",
        ),
        column("spread", pa.float32(), "How far apart the pictures lie of which the descriptor is the mean."),
    ]
)

TRACKED_SHOT = widen(
    ALIGNED_SHOT,
    column("tracks_uri", pa.string(), "Boxes, landmarks, affines; null without a face.", nullable=True),
    column("tracks", pa.list_(TRACK_FACTS), "A few numbers of each face track."),
    column("picture_lost", pa.bool_(), "True where the picture of the shot could not be decoded."),
)

TRACK_VERDICT = pa.struct(
    [
        column("track_index", pa.int32(), "The face track."),
        column("verdict", pa.string(), "dub, leave or review."),
        column("reason", pa.string(), "Why it is not simply dubbed.", nullable=True),
        column("person", pa.string(), "Who it is in this film; null where nobody can tell.", nullable=True),
        column("measured", pa.string(), "What the cast list decided by, in words; null of all else.", nullable=True),
    ]
)

PLANNED_SHOT = widen(
    TRACKED_SHOT,
    column("verdicts", pa.list_(TRACK_VERDICT), "What the plan says of each face track."),
    column("reason", pa.string(), "Why the shot keeps its original picture; null when dubbed.", nullable=True),
)

CROPPED_SHOT = widen(
    PLANNED_SHOT,
    column("crops_uri", pa.string(), "Crops of what is to be painted; null where nothing is.", nullable=True),
)

PAINTED_TRACK = pa.struct(
    [
        column("track_index", pa.int32(), "The face track."),
        column("painted_uri", pa.string(), "Painted crops with their pts."),
        column("num_frames", pa.int32(), "Frames painted."),
        column("seconds", pa.float32(), "Time the painting took.", unit="s"),
    ]
)

PAINTED_SHOT = widen(
    CROPPED_SHOT,
    column("painted", pa.list_(PAINTED_TRACK), "The painted crops of each track with verdict dub or review."),
)

COMPOSITED_SHOT = widen(
    PAINTED_SHOT,
    column("patch_uri", pa.string(), "Changed rectangles per frame, lossless, to deliver.", nullable=True),
    column("review_patch_uri", pa.string(), "The same for tracks that wait for a person.", nullable=True),
    column("num_frames_changed", pa.int32(), "Frames that the delivered patch changes."),
    column("seam_ratio", pa.float32(), "Gradient across the mask's contour over that of the source.", nullable=True),
    column("flicker_ratio", pa.float32(), "Change from frame to frame in the mask over the source's.", nullable=True),
    column(
        "covered_share",
        pa.float32(),
        "Share of the mask that stays as filmed, for something is before it, 0..1; of the worst face, painted or not.",
        nullable=True,
    ),
    column(
        "hidden_tracks",
        pa.list_(pa.int32()),
        "`track_index` of faces of which hardly anything was left to paint: their verdict became leave.",
    ),
)

TRY = pa.struct(
    [
        column("how", pa.string(), "first, other_noise or smaller_mask."),
        column("seam_ratio", pa.float32(), "Of the shot, as in its own column.", nullable=True),
        column("flicker_ratio", pa.float32(), "Of the shot, as in its own column.", nullable=True),
        column("sharpness_ratio", pa.float32(), "Fine detail on the lips over the film's own.", nullable=True),
        column("movement_ratio", pa.float32(), "How far the mouth moves over how far it was filmed.", nullable=True),
        column("identity_distance", pa.float32(), "Of face descriptors, painted from filmed.", nullable=True),
        column("sync", pa.float32(), "How well the painted mouth follows the dub: a correlation.", nullable=True),
        column("sync_loss", pa.float32(), "How much better the filmed one follows its own sound.", nullable=True),
        column(
            "outside_change", pa.int64(), "Samples that change off the mask, or beyond a quarter of the face's size."
        ),
        column("failed", pa.list_(pa.string()), "Measures beyond their bounds; none: the try is delivered."),
    ]
)

JUDGED_SHOT = widen(
    COMPOSITED_SHOT,
    column("tries", pa.list_(TRY), "What the gate measured of each try to paint the shot; of its worst track."),
)

PLAN = pa.schema(
    [
        column("dub_id", pa.string(), "The film in one language."),
        column("title", pa.string(), "Its folder name, for people."),
        column("language", pa.string(), "BCP-47."),
        column("shot_index", pa.int32(), "Place of the shot in its film, from 0."),
        column("track_index", pa.int32(), "Face track; null for a shot without one.", nullable=True),
        column("person", pa.string(), "Who it is in this film; null where nobody can tell.", nullable=True),
        column("start", pa.string(), "Start of the shot, HH:MM:SS.mmm, for people."),
        column("end", pa.string(), "End of the shot, HH:MM:SS.mmm, for people."),
        column(
            "faces",
            pa.string(),
            "Letters for the face tracks of the shot: an edited plan with others is refused. Null without.",
            nullable=True,
        ),
        column("verdict", pa.string(), "dub, leave or review; the column a person may edit."),
        column("reason", pa.string(), "Why it is not simply dubbed; by_hand: a person says so.", nullable=True),
        column(
            "measured",
            pa.string(),
            "What the reason was found by, or what a dubbed face leaves unpainted, for people.",
            nullable=True,
        ),
        column("speaking_score", pa.float32(), "0..1.", nullable=True),
        column("face_height_px", pa.float32(), "Median height of the face box.", unit="px", nullable=True),
        column("enlargement", pa.float32(), "Film pixels per crop pixel.", nullable=True),
        column("frames_to_paint", pa.int32(), "Frames in which the original or the dub speaks."),
    ]
)

PEOPLE = pa.schema(
    [
        column("dub_id", pa.string(), "The film in one language."),
        column("title", pa.string(), "Its folder name, for people."),
        column("language", pa.string(), "BCP-47."),
        column("person", pa.string(), "A name of the catalog's cast, or person 1, 2, ..."),
        column("num_shots", pa.int32(), "Shots in which it is seen."),
        column("num_tracks", pa.int32(), "Its face tracks."),
        column("seen_s", pa.float64(), "How long it is seen.", unit="s"),
        column("heard_s", pa.float64(), "How long it is heard in the original while it is seen.", unit="s"),
        column("num_dub", pa.int32(), "Its face tracks with verdict dub."),
        column("num_review", pa.int32(), "With verdict review."),
        column("num_leave", pa.int32(), "With verdict leave."),
        column("frames_to_paint", pa.int32(), "Frames of it that are painted."),
    ]
)
