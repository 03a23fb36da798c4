"""The voices of a film's sound, from the sound stage to the plan: two real men, each in shots of his own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipelines.align import AlignDub
from pipelines.media.sound import read_mono, write_wav
from pipelines.original_voices import original_voices
from pipelines.plan import plan_shots
from pipelines.speaking import speech_pieces
from pipelines.stage import Row
from pipelines.storage import ObjectStore
from pipelines.stored_sound import Sound
from pipelines.voice_descriptor import ASSET, VoiceDescriber
from schemas.reason import Reason, Verdict
from schemas.shot import SHOT, TRACKED_SHOT
from schemas.timing import ANALYSIS_RATE_HZ
from tests.planned_rows import SAMPLES_PER_FRAME, TICKS_PER_FRAME, shot, track
from tests.real_assets import real_asset

LECTURER, PRESIDENT = 0, 1
CLIPS = ("clip-jwp-intro", "clip-obama-speech", "clip-test-movie")  # the same man in the first and last
SHOT_FRAMES = 150  # 6 s; of shorter clips silence is left


class DeafDescriber(VoiceDescriber):
    """Who must not be asked."""

    def describe(self, sound: Sound, spans: Sequence[tuple[int, int]]) -> list[np.ndarray]:  # type: ignore[type-arg]
        raise AssertionError(f"voices were described again: {len(spans)} of {len(sound)} samples")


@pytest.fixture(scope="module", name="aligned")
def _aligned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    """ALIGNED_SHOT of three shots, and the folder of their store; the film is a file of sound alone."""
    folder = tmp_path_factory.mktemp("voices")
    real_asset(ASSET)
    length = SHOT_FRAMES * SAMPLES_PER_FRAME
    waves = [read_mono(real_asset(clip))[:length] for clip in CLIPS]
    write_wav(folder / "film.wav", np.concatenate([np.pad(wave, (0, length - len(wave))) for wave in waves]), 16_000)
    write_wav(folder / "dub.wav", np.zeros(ANALYSIS_RATE_HZ, np.float32), 16_000)
    return folder, list(AlignDub(store_uri=str(folder / "store"))(shots_of(folder)).to_pylist())


def shots_of(folder: Path) -> pa.Table:
    whole = shot()
    rows = [
        {name: whole[name] for name in SHOT.names}
        | {"film_uri": str(folder / "film.wav"), "dub_uri": str(folder / "dub.wav"), "dub_digest": "silence"}
        | {"shot_index": place, "num_shots": len(CLIPS), "shot_num_frames": SHOT_FRAMES}
        | {
            "shot_start_pts": place * SHOT_FRAMES * TICKS_PER_FRAME,
            "shot_end_pts": (place + 1) * SHOT_FRAMES * TICKS_PER_FRAME,
        }
        for place in range(len(CLIPS))
    ]
    return pa.Table.from_pylist(rows, schema=SHOT)


def seen(row: Row, person: int, score: float) -> Row:
    """TRACKED_SHOT with one face over all of it."""
    who = [float(place == person) for place in range(128)]
    pieces = [
        {"start": piece["start"], "end": piece["end"], "score": score, "mouth_score": None}
        for piece in row["original_voices"]
    ]
    one = track(
        start_pts=row["shot_start_pts"],
        end_pts=row["shot_end_pts"],
        num_frames=SHOT_FRAMES,
        speaking_score=score,
        speech_scores=pieces,
        descriptor=who,
    )
    return row | {"tracks_uri": "tracks", "tracks": [one], "picture_lost": False}


def test_each_piece_of_the_speech_has_its_voice(aligned: tuple[Path, list[Row]]) -> None:
    for row in aligned[1]:
        pieces = speech_pieces([(span["start"], span["end"]) for span in row["original_speech"]])
        assert [(one["start"], one["end"]) for one in row["original_voices"]] == pieces
        assert pieces
        for one in row["original_voices"]:
            long_enough = one["end"] - one["start"] >= ANALYSIS_RATE_HZ // 2
            assert len(one["descriptor"]) == (256 if long_enough else 0)


def test_a_second_language_finds_the_voices_done(aligned: tuple[Path, list[Row]]) -> None:
    folder, rows = aligned
    store = ObjectStore(str(folder / "store"))
    for row in rows:
        speech = [(span["start"], span["end"]) for span in row["original_speech"]]
        other = row | {"dub_id": "in German", "language": "de", "dub_digest": "another"}
        assert original_voices(store, other, speech, DeafDescriber()) == row["original_voices"]


def test_where_nobody_speaks_nobody_is_asked(tmp_path: Path) -> None:
    assert original_voices(ObjectStore(str(tmp_path)), shot(), [], DeafDescriber()) == []


@pytest.mark.parametrize(
    ("person", "score", "expected"),
    [
        pytest.param(PRESIDENT, 0.85, (Verdict.LEAVE, Reason.NOT_SPEAKING), id="he chews to the lecturer's voice"),
        pytest.param(LECTURER, 0.85, (Verdict.DUB, None), id="his own voice in another room"),
    ],
)
def test_real_voices_tell_whose_line_it_is(
    aligned: tuple[Path, list[Row]], person: int, score: float, expected: tuple[Verdict, Reason | None]
) -> None:
    first, second, third = aligned[1]
    rows = [seen(first, LECTURER, 0.95), seen(second, PRESIDENT, 0.95), seen(third, person, score)]
    by_mouth = plan_shots(pa.Table.from_pylist(rows[2:], schema=TRACKED_SHOT)).to_pylist()[0]["verdicts"][0]

    planned = plan_shots(pa.Table.from_pylist(rows, schema=TRACKED_SHOT)).to_pylist()

    assert [row["verdicts"][0]["verdict"] for row in planned[:2]] == [Verdict.DUB, Verdict.DUB]
    decided = planned[2]["verdicts"][0]
    assert by_mouth["verdict"] == Verdict.DUB
    assert (decided["verdict"], decided["reason"]) == expected
