"""Encoders of one film for each of its colours: two sets of parameters, of two ids, where its tags change."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from av.video.frame import VideoFrame

from pipelines.media.encode import EncodeConfig
from pipelines.media.frame_tags import ColourTags
from pipelines.media.hevc_ids import HevcIds, another, first_free
from pipelines.media.matched_encoder import AVC_IDS, Match, encoder_of, sets_of
from pipelines.media.nal import SET_KINDS
from pipelines.media.parameter_sets import ParameterSets


class RunColours:
    """Says how runs of each colour are encoded. The container declares the sets of all, so none changes on the way."""

    def __init__(self, match: Match, config: EncodeConfig, colours: Sequence[ColourTags]) -> None:
        """Open an encoder of each colour for its parameter sets, where there are several.

        Args:
            match: of the film.
            config: encoder settings.
            colours: tags of all frames that will be encoded, each once.

        Raises:
            ValueError: the film's own sets leave no id for another.
        """
        self._matches = dict(zip(colours, _matches(match, len(colours)), strict=True))
        self._only = match if len(colours) < 2 else None
        declared = [] if self._only else [_sets(one, tags, config) for tags, one in self._matches.items()]
        self._more = [unit for sets in declared if sets for unit in _units(sets)]

    def match_of(self, tags: ColourTags) -> Match:
        """How frames with these tags are encoded.

        Raises:
            ValueError: nobody said that there are such.
        """
        found = self._only or self._matches.get(tags)
        if found is None:
            raise ValueError(f"frames have colour tags {tuple(tags)} of which nothing was known")
        return found

    def extradata(self, sets: ParameterSets | None) -> bytes | None:
        """What the container declares: the film's sets and those of every colour.

        Args:
            sets: the film's and those of one run.

        Raises:
            ValueError: the run came with other sets than its colour's.
        """
        if sets is None or self._only:
            return sets.extradata() if sets else None
        strange = set(_units(sets)).difference(_units(self._film_sets()), self._more)
        if strange:
            raise ValueError("a run came with other parameter sets than its colours ask for")
        return self._film_sets().with_more(self._more).extradata()

    def _film_sets(self) -> ParameterSets:
        sets = next(iter(self._matches.values())).index.sets
        assert sets is not None
        return sets


def _matches(match: Match, count: int) -> list[Match]:
    """As many, of different ids where the codec has such."""
    found = [match] * min(count, 1)
    while len(found) < count:
        ids = None if match.ids is None else _next(match, [one.ids for one in found])
        found.append(replace(match, ids=ids))
    return found


def _next(match: Match, taken: Sequence[HevcIds | int | None]) -> HevcIds | int:
    sets = match.index.all_sets
    assert sets is not None
    if match.index.codec == "hevc":
        return another(sets, [ids for ids in taken if isinstance(ids, HevcIds)])
    own = set().union(*(sets.ids(kind) for kind in SET_KINDS["h264"]))
    return first_free(AVC_IDS, own | {ids for ids in taken if isinstance(ids, int)})


def _sets(match: Match, tags: ColourTags, config: EncodeConfig) -> ParameterSets | None:
    """The film's sets and those of an encoder that is opened for them alone."""
    own = match.stream.codec_context
    frame = VideoFrame(own.width, own.height, str(own.pix_fmt))
    frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc = tags
    encoder = encoder_of(match, frame, config, config.crf)
    encoder.open()
    return sets_of(match, encoder.extradata or b"")


def _units(sets: ParameterSets) -> Iterable[bytes]:
    return [unit for units in sets.sets.values() for unit in units]
