"""A part of a mix that lies elsewhere than the rest is told with its place, be the rest in time; chance is not."""

import numpy as np
import pytest

from pipelines.conform import ConformConfig, conform_notice, judged
from pipelines.conform_astray import Astray, astray_parts
from pipelines.conform_fit import fit_conform
from pipelines.conform_search import Line, Stretch
from schemas.timing import ANALYSIS_RATE_HZ
from tests.shared_sound import original_and_mix

SECONDS = 60.0
EVERY_S, WINDOW_S, WITHIN_S = 3.0, 6.0, 0.002


@pytest.mark.parametrize("late_s", [0.4, 3.0])
def test_the_end_of_a_mix_that_lies_elsewhere_is_told_though_the_rest_is_in_time(late_s: float) -> None:
    original, mix, _ = original_and_mix(3, SECONDS, 1.0, 0.0)
    torn = np.insert(mix, 55 * ANALYSIS_RATE_HZ, np.zeros(round(late_s * ANALYSIS_RATE_HZ)))[: len(mix)]

    moved, detail = judged(fit_conform(original, torn, 2.0), ConformConfig())

    assert not moved
    assert detail.startswith("in time but for a part: 0.000 s ")
    assert f"from 0:54 to 1:00 of the film it lies {late_s:.3f} s later than the rest: see that it is" in detail
    assert conform_notice("its mix is", {"moved": moved, "detail": detail})


def test_a_mix_that_is_moved_tells_of_its_end_that_lies_elsewhere() -> None:
    original, mix, lag_s = original_and_mix(3, SECONDS, 1.0, 0.5)
    at = 55 * ANALYSIS_RATE_HZ + round(lag_s * ANALYSIS_RATE_HZ)
    torn = np.delete(mix, slice(at - 4_800, at))

    moved, detail = judged(fit_conform(original, torn, 2.0), ConformConfig())

    assert moved
    assert detail.startswith("moved: it was 0.500 s late; ")
    assert "to 1:00 of the film it lies 0.300 s earlier than the rest: see that it is" in detail


def test_a_mix_that_is_in_time_all_along_is_not_told_of() -> None:
    original, mix, _ = original_and_mix(3, SECONDS, 1.0, 0.0)

    moved, detail = judged(fit_conform(original, mix, 2.0), ConformConfig())

    assert conform_notice("its mix is", {"moved": moved, "detail": detail}) == []


@pytest.mark.parametrize(
    ("late_s", "told"),
    [
        ({}, []),
        ({10: 0.7}, []),
        ({9: 0.7, 10: 0.7}, [(27.0, 36.0, 0.7)]),
        ({9: 0.7, 10: -1.1}, []),
        ({9: 0.7, 11: 0.7}, []),
        ({19: -0.4}, [(57.0, 63.0, -0.4)]),
        ({0: 0.4}, [(0.0, 6.0, 0.4)]),
        ({0: 0.4, 5: 1.2, 18: -1.0, 19: -1.0}, [(0.0, 6.0, 0.4), (54.0, 63.0, -1.0)]),
    ],
)
def test_only_stretches_that_sit_together_or_at_an_end_make_a_part(
    late_s: dict[int, float], told: list[tuple[float, float, float]]
) -> None:
    rate, line = 1.001, Line(0.2, 1.001)
    clear = [Stretch(EVERY_S * (at + 1), 0.2 + late_s.get(at, 0.0), 20.0, 3.0) for at in range(20)]

    parts = astray_parts(clear, line, rate, WITHIN_S, WINDOW_S)

    assert [(part.start_s, part.end_s, pytest.approx(part.late_s)) for part in parts] == told


def test_a_part_of_a_long_film_is_named_by_its_hour() -> None:
    part = Astray(start_s=3_725.4, end_s=7_200.0, late_s=-0.25)
    assert part.in_words() == "from 1:02:05 to 2:00:00 of the film it lies 0.250 s earlier than the rest"
