"""The packets of a picture as they are stored, for the verifier. Shares no code with what writes films."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from av.packet import Packet
from av.video.stream import VideoStream

START_CODE = re.compile(rb"\x00*\x00\x00\x01")
SET_KINDS = {"h264": {7, 8}, "hevc": {32, 33, 34}}
DIGEST_BYTES = 8


@dataclass(frozen=True, slots=True)
class CodedPacket:
    """One packet of the picture."""

    pts: int
    num_bytes: int
    digest: bytes  # of its NAL units where it has such, whatever holds them apart; else of its bytes


class CodedPicture:
    """Notes packets in the order in which they are decoded."""

    def __init__(self, stream: VideoStream) -> None:
        context = stream.codec_context
        self.codec = context.codec.canonical_name
        self.extradata = bytes(context.extradata or b"")
        self.packets: list[CodedPacket] = []
        self._length_bytes = _length_bytes(self.codec, self.extradata)

    def note(self, packet: "Packet[Any]") -> None:
        """Note a packet."""
        if not packet.size or packet.pts is None:
            return
        digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
        for unit in self._units(bytes(packet)):
            digest.update(len(unit).to_bytes(8) + unit)
        self.packets.append(CodedPacket(packet.pts, packet.size, digest.digest()))

    @property
    def sets(self) -> set[bytes]:
        """Parameter sets that the container declares."""
        if self.codec not in SET_KINDS:
            return set()
        units = _units_of_record(self.codec, self.extradata) if self._length_bytes else _annex_b(self.extradata)
        return {unit for unit in units if _kind(self.codec, unit) in SET_KINDS[self.codec]}

    def _units(self, data: bytes) -> list[bytes]:
        if self.codec not in SET_KINDS:
            return [data]
        return _by_length(data, self._length_bytes) if self._length_bytes else _annex_b(data)


def _length_bytes(codec: str, extradata: bytes) -> int:
    """Of the length before each NAL unit; 0 where start codes hold them apart (ISO/IEC 14496-15, 5.3.3 and 8.3.3)."""
    place = {"h264": 4, "hevc": 21}.get(codec, 0)
    is_record = len(extradata) > place and extradata[0] == 1
    return (extradata[place] & 3) + 1 if is_record else 0


def _annex_b(data: bytes) -> list[bytes]:
    return [unit for unit in (part.rstrip(b"\0") for part in START_CODE.split(data)) if unit]


def _by_length(data: bytes, length_bytes: int) -> list[bytes]:
    units, rest = [], memoryview(data)
    while len(rest) > length_bytes:
        size = int.from_bytes(rest[:length_bytes])
        units.append(bytes(rest[length_bytes : length_bytes + size]))
        rest = rest[length_bytes + size :]
    return units


def _kind(codec: str, unit: bytes) -> int:
    return unit[0] & 0x1F if codec == "h264" else unit[0] >> 1 & 0x3F


def _units_of_record(codec: str, data: bytes) -> list[bytes]:
    """All sets of avcC or hvcC."""
    units: list[bytes] = []
    if codec == "h264":
        place, arrays = 5, [(0x1F, 1), (0xFF, 1)]  # mask and size of the count before the sets
    else:
        place, arrays = 23, [(0xFFFF, 3)] * data[22]  # one byte says their kind
    for mask, count_bytes in arrays:
        count = int.from_bytes(data[place : place + count_bytes]) & mask
        place += count_bytes
        for _ in range(count):
            size = int.from_bytes(data[place : place + 2])
            units.append(data[place + 2 : place + 2 + size])
            place += 2 + size
    return units
