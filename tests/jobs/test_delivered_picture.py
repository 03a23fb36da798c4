"""What became of a film's picture is told to people, in the report, in MLflow and before anything is painted."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from jobs.delivered_picture import WHOLE_WORDS, encoded_whole, picture_metrics, picture_section
from jobs.dub_notices import dub_notices
from jobs.re_encoded import re_encoded_share
from pipelines.eligibility import Eligibility
from pipelines.media.probe import probe_film
from schemas.reason import Whole
from tests.film_rows import UNHEARD, film_row
from tests.pipelines.test_splice import X264, film_of
from tests.planned_rows import shot, track

RUN = {"first_pts": 512, "num_frames": 24, "edited": 6, "crf": 14, "psnr_db_min": 47.25}
SPLICED = {
    "num_frames": {"all": 96, "edited": 6, "re_encoded_untouched": 18, "copied": 72},
    "picture": {
        "method": "splice",
        "reason": None,
        "detail": "",
        "re_encoded_share": 0.25,
        "runs": [RUN | {"num_bytes": 300, "num_bytes_before": 200}],
    },
}
WHOLE = {
    "num_frames": {"all": 96, "edited": 6, "re_encoded_untouched": 90, "copied": 0},
    "picture": {"method": "transcode", "reason": "no_idr", "detail": "<open>", "re_encoded_share": 1.0, "runs": []},
}


def test_a_spliced_film_says_how_many_frames_are_its_own() -> None:
    page = picture_section(SPLICED)

    assert "72 of 96 frames are the film&#x27;s own packets; 18 were encoded again beside painted ones, 6" in page
    assert "47.25" in page
    assert encoded_whole(SPLICED) == ""
    assert picture_metrics(SPLICED) == {
        "re_encoded_share": 0.25,
        "re_encoded_psnr_db_min": 47.25,
        "re_encoded_growth": 1.5,
    }


def test_a_film_that_was_encoded_whole_says_so_loudly() -> None:
    assert "ENCODED WHOLE: its GOPs are open" in encoded_whole(WHOLE)
    assert "&lt;open&gt;" in picture_section(WHOLE)
    assert picture_metrics(WHOLE) == {"re_encoded_share": 1.0}
    assert picture_section({}) == encoded_whole({}) == ""
    assert picture_metrics({}) == {}


def test_every_reason_has_words() -> None:
    assert set(WHOLE_WORDS) == set(Whole)


def test_it_is_known_before_anything_is_painted(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4", encoder=(*X264, ("x264-params", "open-gop=1")))
    probe = probe_film(film.path)

    assert (probe.whole, probe.num_gops) == ("no_idr", 1)
    (told,) = dub_notices([film_row(film, whole=probe.whole, num_sounds=0) | UNHEARD])
    assert told.startswith("ENCODED WHOLE: where a mouth changes")
    assert "--inserts" in told

    closed = film_of(tmp_path / "closed.mp4")
    probe = probe_film(closed.path)
    assert (probe.whole, probe.num_gops) == (None, 4)
    assert dub_notices([film_row(closed, whole=None, num_sounds=0) | UNHEARD]) == []


@pytest.mark.parametrize(
    ("changes", "share"),
    [
        pytest.param({"num_gops": 100}, 0.5, id="intra only"),
        pytest.param({"num_gops": 10}, 0.6, id="frames 15 to 65 touch six GOPs of ten frames"),
        pytest.param({"num_gops": 4}, 0.75, id="and three of 25"),
        pytest.param({"num_gops": 1}, 1.0, id="one GOP"),
        pytest.param({"num_gops": 100, "whole": "codec"}, 1.0, id="encoded whole"),
    ],
)
def test_a_plan_tells_how_much_will_be_encoded_again(changes: dict[str, Any], share: float) -> None:
    eligibility = Eligibility(paint_margin_s=Fraction(1, 5))  # five frames around the speech in frames 20 to 60
    dubbed, left = (
        shot(track(), dub_id=name * 64)
        | changes
        | {"verdicts": [{"track_index": 0, "verdict": verdict, "reason": None}]}
        for name, verdict in (("a", "dub"), ("b", "leave"))
    )

    assert re_encoded_share([dubbed], eligibility) == pytest.approx(share)
    assert re_encoded_share([left], eligibility) == 0.0
