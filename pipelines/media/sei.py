"""Messages that travel with pictures (ITU-T H.264 and H.265, Annex D): what stays when a picture is encoded again."""

from collections.abc import Iterator, Sequence

from pipelines.media.nal import HEADER_BYTES, SEI_KINDS, escape, kind_of, unescape

# Captions, bars and dynamic HDR; data of anybody; packing of two views; turning; timecode of HEVC; colours of the
# mastering screen; light levels; transfer that is meant instead; surrounding light; colour volume. Others tell of the
# encoder's buffers and references. Timecode of H.264 is among these: it cannot be read without what buffers declare.
KEPT_TYPES = frozenset({4, 5, 45, 47, 136, 137, 144, 147, 148, 149})
ENCODER_UUIDS = (
    bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef"),  # x264: how a stream was encoded, which is no longer so
    bytes.fromhex("2ca2de09b51747dbbb55a4fe7fc2fc4e"),  # x265
)
USER_DATA = 5
LAST_BYTE = 0x80

Message = tuple[int, bytes]  # payload type, payload


def kept_messages(units: Sequence[bytes], codec: str) -> bytes | None:
    """One unit with all messages of a packet that stay; None where there is none."""
    carriers = [unit for unit in units if kind_of(unit, codec) == SEI_KINDS[codec]]
    kept = [message for unit in carriers for message in messages(unit, codec) if _is_kept(*message)]
    if not kept:
        return None
    header = carriers[0][: HEADER_BYTES[codec]]
    return header + escape(b"".join(_coded(message) for message in kept) + bytes([LAST_BYTE]))


def messages(unit: bytes, codec: str) -> Iterator[Message]:
    """The messages of an SEI unit; those behind a damaged one are left out."""
    data, place = unescape(unit)[HEADER_BYTES[codec] :], 0
    while place < len(data) and data[place:] != bytes([LAST_BYTE]):
        kind, place = _number(data, place)
        size, place = _number(data, place)
        if place + size > len(data):
            return
        yield kind, data[place : place + size]
        place += size


def _is_kept(kind: int, payload: bytes) -> bool:
    return kind in KEPT_TYPES and not (kind == USER_DATA and payload.startswith(ENCODER_UUIDS))


def _number(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    while place < len(data) and data[place] == 0xFF:
        value, place = value + 0xFF, place + 1
    return value + (data[place] if place < len(data) else 0), place + 1


def _coded(message: Message) -> bytes:
    kind, payload = message
    return b"".join(b"\xff" * (value // 255) + bytes([value % 255]) for value in (kind, len(payload))) + payload
