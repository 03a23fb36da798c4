"""What of a shot's row is delivered with a film."""

from pipelines.film_stitches import _unrecognisable
from tests.planned_rows import shot, track


def test_nothing_by_which_a_face_or_a_voice_is_recognised_is_delivered() -> None:
    voice = {"start": 0, "end": 16_000, "descriptor": [0.1] * 256}
    row = shot(track(0, descriptor=[0.1] * 128), original_voices=[voice])

    delivered = _unrecognisable(row)

    assert [one["descriptor"] for one in (*delivered["tracks"], *delivered["original_voices"])] == [[], []]
    assert delivered["original_voices"] == [voice | {"descriptor": []}]
    assert {name for name in row if delivered[name] != row[name]} == {"tracks", "original_voices"}
