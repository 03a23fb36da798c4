"""What the dub track of a delivered film is made of."""

from enum import StrEnum


class Mix(StrEnum):
    """How a dub becomes a film's sound."""

    AS_DELIVERED = "as_delivered"  # a full soundtrack, as it came
    WITH_ME = "with_music_and_effects"  # stem and M&E, added sample by sample
    IN_CENTRE = "in_centre"  # the stem in place of the centre of the film's own surround sound
    DIALOGUE_ONLY = "dialogue_only"  # the stem alone: no music, no effects


class StemChannel(StrEnum):
    """What of a dub is heard as its dialogue."""

    MEAN = "mean"  # all its channels, as they are
    LEFT = "left"  # that of its two channels alone: the other is dead, or would cancel it
    RIGHT = "right"
