"""FILM, what is admitted, and DUBBED_FILM, what is delivered."""

import pyarrow as pa

from schemas.column import RATIONAL, column, widen

CONFORM = pa.struct(
    [
        column("lag_s", pa.float64(), "How late it came where the film begins; positive = late.", unit="s"),
        column("lag_after_s", pa.float64(), "The same of what is delivered; null unknown.", nullable=True),
        column("rate", pa.float64(), "Seconds of it a second of film."),
        column("name", pa.string(), "Of a rate that has one, as 25/24; empty otherwise."),
        column("num_windows", pa.int32(), "Stretches of the film that were looked for in it."),
        column("num_clear", pa.int32(), "Of them found."),
        column("num_agreeing", pa.int32(), "Of them found where lag and rate put them."),
        column("moved", pa.bool_(), "Whether it is delivered moved by that."),
        column("detail", pa.string(), "What was done, and why, in words."),
    ]
)

FILM_NOTE = pa.struct(
    [
        column(
            "note",
            pa.string(),
            "One of FilmNote: interlaced_frames, colour_conflict, several_sounds and so on.",
        ),
        column("detail", pa.string(), "What it is, where, and what is made of it, in words."),
    ]
)

COLOUR = pa.struct(
    [
        column("start_pts", pa.int64(), "First frame with these tags.", unit="time_base"),
        column("range", pa.int32(), "AVCOL_RANGE: 0 not said, 1 limited, 2 full."),
        column("matrix", pa.int32(), "Number of ITU-T H.273."),
        column("primaries", pa.int32(), "Number of ITU-T H.273."),
        column("transfer", pa.int32(), "Number of ITU-T H.273."),
    ]
)

FILM = pa.schema(
    [
        column("film_id", pa.string(), "SHA-256 of the film's bytes: same film, same id."),
        column(
            "dub_id", pa.string(), "Digest of film, language, dub with its kind, and M&E: one film in one language."
        ),
        column("title", pa.string(), "Folder name of the delivery."),
        column("language", pa.string(), "Language of the dub, BCP-47."),
        column("source_language", pa.string(), "Language of the film's own sound, BCP-47.", nullable=True),
        column("film_uri", pa.string(), "Where the film lies."),
        column("dub_uri", pa.string(), "Where the dub's sound lies; before its takes are placed, its cue sheet."),
        column("dub_kind", pa.string(), "dub_stem (dialogue only), dub_mix (full soundtrack) or cue_sheet (takes)."),
        column(
            "dub_place",
            pa.int32(),
            "Which of that file's sound streams is the dub, from 0; 0 once it has a file of its own.",
        ),
        column("dub_digest", pa.string(), "SHA-256 of the dub's bytes; before that, of cue sheet and takes."),
        column(
            "dub_channel",
            pa.string(),
            "What of it is heard as dialogue: its mean, or left or right alone where the other is dead or opposed.",
        ),
        column("sheet_uri", pa.string(), "Where the cue sheet of the dub lies.", nullable=True),
        column("sheet_digest", pa.string(), "Digest of cue sheet and takes when the job began.", nullable=True),
        column("lines_uri", pa.string(), "LINE table: what became of each line of the sheet.", nullable=True),
        column("script_uri", pa.string(), "What is said in the dub, and when.", nullable=True),
        column("script_digest", pa.string(), "SHA-256 of that script when the job began.", nullable=True),
        column("me_uri", pa.string(), "Music and effects without dialogue.", nullable=True),
        column("me_digest", pa.string(), "SHA-256 of it when the job began.", nullable=True),
        column(
            "me_conform",
            CONFORM,
            "The same of music and effects that a dub without them is heard with.",
            nullable=True,
        ),
        column("cast_uri", pa.string(), "Names and pictures of people in the film.", nullable=True),
        column("cast_digest", pa.string(), "SHA-256 of that list when the job began.", nullable=True),
        column(
            "conform",
            CONFORM,
            "How a dub_mix lay on the film; null of others, and before it is measured.",
            nullable=True,
        ),
        column("width_px", pa.int32(), "Width of the coded picture.", unit="px"),
        column("height_px", pa.int32(), "Height of the coded picture.", unit="px"),
        column("pixel_format", pa.string(), "FFmpeg's name of the sample layout."),
        column("video_codec", pa.string(), "FFmpeg's name of the picture codec."),
        column("sound_rate_hz", pa.int32(), "Sample rate of its own sound.", unit="Hz", nullable=True),
        column(
            "sound_place", pa.int32(), "Which of its sound streams is its own, from 0; the others are further tracks."
        ),
        column("num_sounds", pa.int32(), "Sound streams of its own, also such as cannot be decoded."),
        column("sound_layout", pa.string(), "FFmpeg's name of the layout of its own sound.", nullable=True),
        column("time_base", RATIONAL, "Seconds per pts tick of the picture, exact.", unit="s"),
        column("frame_rate", RATIONAL, "Average frames per second, exact; of no use for VFR arithmetic.", unit="1/s"),
        column("start_pts", pa.int64(), "First frame shown.", unit="time_base"),
        column("end_pts", pa.int64(), "End of the last frame shown.", unit="time_base"),
        column("num_frames", pa.int64(), "Frames counted by decoding."),
        column("num_gops", pa.int64(), "Parts of the picture that can be encoded again one by one."),
        column("whole", pa.string(), "Why the whole picture is encoded again; null where GOPs are.", nullable=True),
        column("colours", pa.list_(COLOUR), "Colour tags of its frames, and where they change."),
        column("notes", pa.list_(FILM_NOTE), "What is odd in the film; it is dubbed all the same."),
    ]
)

DUBBED_FILM = widen(
    FILM,
    column("delivered_uri", pa.string(), "The delivered film; null when there is none.", nullable=True),
    column("num_shots", pa.int32(), "Shots in the film."),
    column("num_shots_dubbed", pa.int32(), "Shots with a painted mouth."),
    column("num_frames_changed", pa.int64(), "Frames with a painted mouth."),
    column("num_frames_copied", pa.int64(), "Frames whose packets are the film's own."),
    column("failure", pa.string(), "Why nothing was delivered; null when it was.", nullable=True),
)
