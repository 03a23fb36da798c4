"""Parameter sets of an H.264 or HEVC stream, as its container declares them (ISO/IEC 14496-15, 5.3.3 and 8.3.3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pipelines.media.nal import (
    SET_KINDS,
    Avc,
    Hevc,
    bits_of,
    golomb_at,
    join,
    kind_of,
    split,
    unescape,
)

HEAD_BYTES = 64  # ids stand at the beginning of a set
AVC_RECORD_BYTES, HEVC_RECORD_BYTES = 6, 22
AVC_LEVEL, HEVC_LEVEL = 3, 12  # where the level stands in the record
AVC_COMPATIBILITY = 2
HEVC_FLAGS = range(2, 12)  # what the stream is compatible with, and keeps to
HEVC_PROFILE_BITS = 96  # profile, tier and level of a stream without temporal layers
COMPLETE = 0x80  # of an array of hvcC: no such set is in the packets


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """The sets, by kind, and how long the lengths are that stand before NAL units."""

    codec: str  # h264 or hevc
    record: bytes  # what precedes the sets in avcC or hvcC; empty where the stream is Annex B
    sets: Mapping[int, tuple[bytes, ...]]
    rest: bytes = b""  # what follows them in avcC
    is_complete: bool = True  # hvcC says that no set is in the packets

    @property
    def length_bytes(self) -> int | None:
        """Of the length before a unit; None for Annex B."""
        if not self.record:
            return None
        return (self.record[4 if self.codec == "h264" else 21] & 3) + 1

    def ids(self, kind: int) -> set[int]:
        """Ids of the sets of a kind."""
        return {set_id(unit, self.codec) for unit in self.sets.get(kind, ())}

    def extradata(self) -> bytes:
        """As a container keeps them."""
        if not self.record:
            return join((unit for kind in SET_KINDS[self.codec] for unit in self.sets.get(kind, ())), None)
        return _avc_record(self) if self.codec == "h264" else _hevc_record(self)

    def with_more(self, units: Iterable[bytes]) -> "ParameterSets":
        """These and more, in a record that allows for the highest level among them."""
        sets, record = dict(self.sets), bytearray(self.record)
        for unit in units:
            kind = kind_of(unit, self.codec)
            if kind not in SET_KINDS[self.codec] or unit in sets.get(kind, ()):
                continue
            sets[kind] = (*sets.get(kind, ()), unit)
            if record and kind == (Avc.SPS if self.codec == "h264" else Hevc.SPS):
                _allow(record, unit, self.codec)
        return replace(self, record=bytes(record), sets=sets)


def _allow(record: bytearray, sps: bytes, codec: str) -> None:
    """Let the record's level hold for one more sequence, and its constraints only where they hold for both."""
    if codec == "h264":
        record[AVC_COMPATIBILITY] &= sps[2]
        record[AVC_LEVEL] = max(record[AVC_LEVEL], sps[3])
    else:
        profile = unescape(sps[:HEAD_BYTES])[3 : 4 + HEVC_PROFILE_BITS // 8]
        for place in HEVC_FLAGS:
            record[place] &= profile[place - 1]
        record[HEVC_LEVEL] = max(record[HEVC_LEVEL], profile[HEVC_LEVEL - 1])


def read_sets(codec: str, extradata: bytes | None) -> ParameterSets:
    """The sets that a container declares.

    Args:
        codec: h264 or hevc.
        extradata: avcC, hvcC, or Annex B; nothing where a stream has its sets in its packets only.

    Raises:
        ValueError: this is none of them.
    """
    data = extradata or b""
    if not data or data[:3] == b"\0\0\1" or data[:4] == b"\0\0\0\1":
        return ParameterSets(codec, b"", _by_kind(split(data, None), codec))
    return _read_avc(data) if codec == "h264" else _read_hevc(data)


def set_id(unit: bytes, codec: str) -> int:
    """Id of a parameter set.

    Raises:
        ValueError: the set is cut off.
    """
    kind, bits = kind_of(unit, codec), bits_of(unescape(unit[:HEAD_BYTES]))
    if kind == Hevc.VPS and codec == "hevc":
        return int(bits[16:20], 2)
    return golomb_at(bits, id_place(unit, codec)).value


def id_place(unit: bytes, codec: str) -> int:
    """Bit at which the id of an SPS or PPS begins.

    Raises:
        ValueError: the stream has temporal layers, of which nothing is known here.
    """
    kind = kind_of(unit, codec)
    if codec == "h264":
        return 8 + (24 if kind == Avc.SPS else 0)
    if kind != Hevc.SPS:
        return 16
    layers = unescape(unit[:HEAD_BYTES])[2] >> 1 & 7
    if layers:
        raise ValueError("an HEVC stream with temporal layers")
    return 16 + 8 + HEVC_PROFILE_BITS


def _by_kind(units: Iterable[bytes], codec: str) -> dict[int, tuple[bytes, ...]]:
    sets: dict[int, tuple[bytes, ...]] = {}
    for unit in units:
        sets[kind_of(unit, codec)] = (*sets.get(kind_of(unit, codec), ()), unit)
    return sets


def _read_avc(data: bytes) -> ParameterSets:
    sets: dict[int, tuple[bytes, ...]] = {}
    place = AVC_RECORD_BYTES - 1
    for kind, mask in ((Avc.SPS, 0x1F), (Avc.PPS, 0xFF)):
        if place >= len(data):
            raise ValueError("avcC is cut off")
        units, place = _read_units(data, place + 1, data[place] & mask)
        sets[int(kind)] = units
    return ParameterSets("h264", data[: AVC_RECORD_BYTES - 1], sets, data[place:])


def _read_hevc(data: bytes) -> ParameterSets:
    if len(data) <= HEVC_RECORD_BYTES:
        raise ValueError("hvcC is cut off")
    sets: dict[int, tuple[bytes, ...]] = {}
    place, is_complete = HEVC_RECORD_BYTES + 1, True
    for _ in range(data[HEVC_RECORD_BYTES]):
        if place + 3 > len(data):
            raise ValueError("hvcC is cut off")
        kind = data[place] & 63
        is_complete = is_complete and bool(data[place] & COMPLETE)
        units, place = _read_units(data, place + 3, int.from_bytes(data[place + 1 : place + 3]))
        sets[kind] = (*sets.get(kind, ()), *units)
    return ParameterSets("hevc", data[:HEVC_RECORD_BYTES], sets, is_complete=is_complete)


def _read_units(data: bytes, place: int, count: int) -> tuple[tuple[bytes, ...], int]:
    units = []
    for _ in range(count):
        end = place + 2 + int.from_bytes(data[place : place + 2])
        if end > len(data):
            raise ValueError("a parameter set is cut off")
        units.append(data[place + 2 : end])
        place = end
    return tuple(units), place


def _avc_record(sets: ParameterSets) -> bytes:
    sps, pps = (sets.sets.get(kind, ()) for kind in (Avc.SPS, Avc.PPS))
    return b"".join((sets.record, bytes([0xE0 | len(sps)]), join(sps, 2), bytes([len(pps)]), join(pps, 2), sets.rest))


def _hevc_record(sets: ParameterSets) -> bytes:
    flag = COMPLETE if sets.is_complete else 0
    arrays = [
        bytes([flag | kind]) + len(units).to_bytes(2) + join(units, 2) for kind, units in sorted(sets.sets.items())
    ]
    return sets.record + bytes([len(arrays)]) + b"".join(arrays)
