"""The closed lists: verdicts, why a shot or track keeps its original picture, and why a film is refused."""

import re
from enum import StrEnum


class Verdict(StrEnum):
    """What the plan decides for one face track."""

    DUB = "dub"  # painted and delivered
    LEAVE = "leave"  # the original picture stays
    REVIEW = "review"  # painted, and the original delivered until a person approves


class Reason(StrEnum):
    """Why a shot or a track keeps its original picture."""

    NO_FACE = "no_face"  # no face in the shot
    NO_SPEECH = "no_speech"  # neither the original nor the dub speaks while the face is seen
    NOT_SPEAKING = "not_speaking"  # the voice is another person's, or off screen
    FACE_TOO_SMALL = "face_too_small"  # the face has too few film pixels
    FACE_TOO_LARGE = "face_too_large"  # the crop would be enlarged beyond what the model can paint
    FACE_TURNED = "face_turned"  # near profile, or the head far down or up: a part of the mouth is hidden
    FACE_UNSURE = "face_unsure"  # the detector hardly takes it for a face
    MOTION_BLUR = "motion_blur"  # the mouth moves so fast that the picture is smeared
    MOUTH_HIDDEN = "mouth_hidden"  # a hand, a microphone, another thing or another face is before it
    TEXT_ON_MOUTH = "text_on_mouth"  # a title or subtitle is burnt in over it
    TRACK_TOO_SHORT = "track_too_short"  # seen for too few frames
    TAKE_TOO_LONG = "take_too_long"  # a line of the cue sheet is longer than its place, also when it is played faster
    TAKE_MISSING = "take_missing"  # a line of the cue sheet has no sound
    SPEAKER_UNSURE = "speaker_unsure"  # two faces score alike
    OVER_BUDGET = "over_budget"  # larger faces have used up what may be painted
    CAST = "cast"  # the catalog's cast list says so of this person
    BY_HAND = "by_hand"  # a person edited the verdict
    UNDECODABLE = "undecodable"  # the picture of this shot cannot be decoded
    INTERLACED = "interlaced"  # a frame of the shot is flagged so: what is painted on two fields at once combs
    GATE_FAILED = "gate_failed"  # painted, and worse than the original
    WORKER_DIED = "worker_died"  # the process that worked on the shot ended without an answer


def closed_word(text: str | None) -> str:
    """A word of a closed list as a person may have written it: in small letters, with _ for spaces and dashes.

    Args:
        text: "By hand", "by-hand"; None and blanks give an empty word.
    """
    return re.sub(r"[\s_\u2010-\u2015-]+", "_", (text or "").strip().lower())


class Cover(StrEnum):
    """What hides a mouth."""

    THING = "thing"  # a hand, a microphone, a cup
    TEXT = "text"  # a title or subtitle that is burnt in
    FACE = "face"  # another face, which passes in front or is turned to it


class LineFlaw(StrEnum):
    """What is wrong with a line of a cue sheet. It costs the line its sound at most, never the film."""

    BAD_TIME = "bad_time"  # none, negative, or the end before the start: it is left out
    AFTER_FILM = "after_film"  # it begins when the film is over: it is left out
    MISSING_TAKE = "missing_take"  # no take is named, or there is no such file
    UNREADABLE_TAKE = "unreadable_take"  # no sound in it can be decoded
    SILENT_TAKE = "silent_take"  # nothing is heard in it
    TAKE_TOO_LONG = "take_too_long"  # longer than its place, also when it is played faster: it ends later
    OPPOSED_CHANNELS = "opposed_channels"  # the channels of its take are of opposite phase: the louder alone is heard


class LineDoubt(StrEnum):
    """What is to be looked at in a line of a dub, as it is heard. It changes nothing by itself."""

    NO_SPEECH = "no_speech"  # nobody speaks in its place
    OTHER_WORDS = "other_words"  # most of its words are not heard
    NOT_IN_TIME = "not_in_time"  # its first word comes early or late
    BAD_TIME = "bad_time"  # of a script: no time can be meant, so it is not listened to
    AFTER_FILM = "after_film"  # of a script: it begins when the film is over


class SoundFlaw(StrEnum):
    """What is wrong with a sound that a dub is made of. It is told, and heard as it is."""

    SILENT = "silent"  # nothing is heard in it
    NO_SPEECH = "no_speech"  # a dub in which nobody speaks: noise, or music only
    CLIPPED = "clipped"  # cut off at full scale
    OVER_FULL_SCALE = "over_full_scale"  # floats louder than whole numbers can be: not cut off yet
    DEAD_CHANNEL = "dead_channel"  # one of a pair of channels is silent
    OPPOSED = "opposed"  # its two channels are of opposite phase: heard as one they cancel
    DAMAGED = "damaged"  # parts of it do not decode, or are no numbers: they are silent
    FOLDED = "folded"  # it has channels that no delivery has: they are heard in others
    OTHER_LAYOUT = "other_layout"  # the film's own, which the dub track's codec cannot tell from others
    SHORTER = "shorter"  # it ends before the film
    LONGER = "longer"  # what comes after the film's last frame is cut off
    OTHER_LANGUAGE = "other_language"  # a dub that is surely heard in another language than the catalog's
    MAYBE_LATE = "maybe_late"  # a stem whose lines begin at one lag from the film's own
    UNKNOWN_LEAD = "unknown_lead"  # its file does not say how many samples its codec put before the first


class Whole(StrEnum):
    """Why the whole picture of a film is encoded again, and not only the GOPs in which a mouth changed."""

    CODEC = "codec"  # nothing is known here of how to cut it
    CONTAINER = "container"  # that of the delivery cannot hold the film's picture as it is coded
    NO_IDR = "no_idr"  # open GOPs or intra refresh: only its first frame can be decoded without what is before it
    DOLBY_VISION = "dolby_vision"  # frames that are encoded again would lose their metadata in the middle of the film
    PIXEL_FORMAT = "pixel_format"  # no encoder keeps its samples
    PARAMETER_SETS = "parameter_sets"  # they cannot be read, or leave no id for another
    TIMES = "times"  # its packets do not say when they are decoded, or go back as those of several edits
    UNLIKE = "unlike"  # the encoder does not follow the film's order or size of frames
    ENCODER = "encoder"  # a part of it could not be encoded by itself
    PROOF_FAILED = "proof_failed"  # the spliced film did not hold


class FilmNote(StrEnum):
    """What is odd in a film that is dubbed all the same."""

    INTERLACED_FRAMES = "interlaced_frames"  # few: shots with such a frame keep their picture
    COLOUR_CONFLICT = "colour_conflict"  # container and picture say different things: the picture is believed
    COLOUR_CHANGE = "colour_change"  # from some frame on its colour tags are others
    SEVERAL_SOUNDS = "several_sounds"  # of which one is taken as its own: which, and why
    SOURCE_LANGUAGE = "source_language"  # no sound of it is tagged with the language in which it was made
    DUB_SOUND = "dub_sound"  # its dub's file has several sounds, of which the only one in its language is taken
    SPLIT_CHANNELS = "split_channels"  # its own sound is several sounds of one channel: one of them alone is heard


class Refusal(StrEnum):
    """Why a catalog row is not begun."""

    MISSING_FILE = "missing_file"
    NOT_REGULAR = "not_regular"  # a folder, a device, a pipe
    EMPTY = "empty"
    NOT_MEDIA = "not_media"  # no known container
    PLAYLIST = "playlist"  # a text that names other files
    NO_VIDEO = "no_video"
    NO_SOUND = "no_sound"  # a dub without a sound stream
    SEVERAL_SOUNDS = "several_sounds"  # a dub, or music and effects, of whose sounds none is surely the one meant
    UNNAMED_CHANNELS = "unnamed_channels"  # a dub, or music and effects, of more than 8 channels without names
    NO_FRAMES = "no_frames"
    NO_TIMESTAMPS = "no_timestamps"
    TRUNCATED = "truncated"  # fewer frames than the container declares, or samples that end beyond the file
    ENCRYPTED = "encrypted"  # picture, sound or text
    CODEC = "codec"  # outside the list of codecs that are opened
    DIMENSIONS = "dimensions"
    INTERLACED = "interlaced"
    PIXEL_FORMAT = "pixel_format"
    DAMAGED = "damaged"  # what does not decode, or refers to pictures that are lost
    TIMING = "timing"  # pts that go backward or leap, or packets to be copied that go back in decoding
    PROBE_TIMEOUT = "probe_timeout"
    UNKNOWN_LANGUAGE = "unknown_language"
    BAD_ROW = "bad_row"  # a column is missing, unknown or empty
