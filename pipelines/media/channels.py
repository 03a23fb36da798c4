"""Which channel of a sound is heard in which of a layout: the one of its name, else folded (ITU-R BS.775-3)."""

from collections.abc import Callable, Sequence
from functools import partial

import av
import numpy as np
from numpy.typing import NDArray

from schemas.mix import StemChannel

Floats = NDArray[np.float32]
Places = tuple[tuple[str, float], ...]
Routes = Callable[[str, str], Floats]
"""Names of a sound's layout and of a wanted one -> [T, S] how loud each channel is heard in each."""

MINUS_3_DB = 2**-0.5
MINUS_6_DB = 0.5
UNNAMED = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
LAYOUTS = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1")  # that every encoder of a delivery has
NOT_DOWNMIXED = "LFE"
FOLDS: dict[str, tuple[Places, ...]] = {  # where a channel is heard that a layout lacks: the first that it has
    "FC": ((("FL", MINUS_3_DB), ("FR", MINUS_3_DB)),),
    "SL": ((("BL", 1.0),), (("FL", MINUS_3_DB),)),
    "SR": ((("BR", 1.0),), (("FR", MINUS_3_DB),)),
    "BL": ((("SL", 1.0),), (("FL", MINUS_3_DB),)),
    "BR": ((("SR", 1.0),), (("FR", MINUS_3_DB),)),
    "BC": (
        (("BL", MINUS_3_DB), ("BR", MINUS_3_DB)),
        (("SL", MINUS_3_DB), ("SR", MINUS_3_DB)),
        (("FL", MINUS_6_DB), ("FR", MINUS_6_DB)),
    ),
    "FLC": ((("FL", 1.0),),),
    "FRC": ((("FR", 1.0),),),
    NOT_DOWNMIXED: ((),),
}
KNOWN = frozenset({"FL", "FR", *FOLDS})


class UnknownChannelError(ValueError):
    """A channel has a name of which nothing is known."""


def channels_of(layout: str) -> tuple[str, ...]:
    """FFmpeg's names of a layout's channels, in their order."""
    return tuple(channel.name for channel in av.AudioLayout(layout).channels)


def has_centre(layout: str) -> bool:
    """Whether dialogue has a channel of its own: mono is no centre, and a layout with unknown channels has none."""
    channels = channels_of(layout)
    return len(channels) > 2 and "FC" in channels and KNOWN.issuperset(channels)


def holds(layout: str, other: str) -> bool:
    """Whether each channel of another layout has a place of its own in a layout, the centre for mono."""
    if other == "mono":
        return True
    if not KNOWN.issuperset(channels_of(other)):
        return False
    routes = channel_routes(other, layout)
    return bool(np.isin(routes, (0, 1)).all() and (routes.sum(0) == 1).all() and (routes.sum(1) <= 1).all())


def nearest_layout(layout: str, among: Sequence[str] = LAYOUTS) -> str:
    """The layout itself where it is among some, else the smallest of them that holds it; the last where none does.

    Args:
        layout: FFmpeg's name.
        among: names, smaller ones first.
    """
    if layout in among:
        return layout
    return next((name for name in among if name != "mono" and holds(name, layout)), among[-1])


def channel_routes(source: str, target: str) -> Floats:
    """[T, S] how loud each channel of a source is heard in each channel of a layout.

    Mono is heard in the centre, and where there is none as loud in both front channels. Stereo is heard in mono as
    its mean, so that mono which is delivered as stereo comes out as it was. Low frequency effects are left out of a
    layout without them.

    Raises:
        UnknownChannelError: the source has a channel that is in neither list.
    """
    channels, places = channels_of(source), channels_of(target)
    if places == ("FC",):
        front = np.eye(1, dtype=np.float32) if channels == places else channel_routes(source, "stereo").mean(0)[None]
        return np.asarray(front, np.float32)
    routes = np.zeros((len(places), len(channels)), np.float32)
    for index, channel in enumerate(channels):
        for place, gain in _heard_in(channel, channels, places):
            routes[places.index(place), index] = gain
    return routes


def dialogue_routes(source: str, target: str) -> Floats:
    """[T, S] the same for a dialogue stem: what has no centre is heard in the layout's centre alone, where it has one.

    Raises:
        UnknownChannelError: the source has a channel that is in neither list.
    """
    if not has_centre(target) or has_centre(source):
        return channel_routes(source, target)
    routes = np.zeros((len(channels_of(target)), len(channels_of(source))), np.float32)
    routes[channels_of(target).index("FC")] = channel_routes(source, "mono")
    return routes


def stem_routes(channel: StemChannel) -> Routes:
    """The same for what of a stem is heard; one of its channels alone is heard as mono is."""
    if channel is StemChannel.MEAN:
        return dialogue_routes
    return partial(_alone, 0 if channel is StemChannel.LEFT else 1)


def _alone(index: int, source: str, target: str) -> Floats:
    routes = np.zeros((len(channels_of(target)), len(channels_of(source))), np.float32)
    routes[:, index] = dialogue_routes("mono", target)[:, 0]
    return routes


def _heard_in(channel: str, channels: tuple[str, ...], places: tuple[str, ...]) -> Places:
    if channels == ("FC",):
        return (("FC", 1.0),) if "FC" in places else (("FL", 1.0), ("FR", 1.0))
    if channel in places:
        return ((channel, 1.0),)
    if channel not in FOLDS:
        raise UnknownChannelError(f"nothing is known of the channel {channel}")
    fold = next(fold for fold in FOLDS[channel] if all(place in places for place, _ in fold))
    return tuple((place, MINUS_3_DB if place in channels and gain == 1 else gain) for place, gain in fold)
