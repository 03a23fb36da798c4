"""A film encodes as many runs at once as its share of the CPUs has room for."""

import pytest

from pipelines.film_picture import runs_at_once
from pipelines.media.encode import EncodeConfig


@pytest.mark.parametrize(
    ("cpus", "beside", "alone"), [(1, 1, 1), (2, 1, 1), (4, 1, 1), (8, 1, 2), (16, 2, 4), (32, 4, 4), (96, 4, 4)]
)
def test_a_film_takes_a_quarter_of_a_machine_and_half_of_it_when_it_is_alone(
    cpus: int, beside: int, alone: int
) -> None:
    config = EncodeConfig()  # of two threads a run

    assert [runs_at_once(config, cpus, is_alone) for is_alone in (False, True)] == [beside, alone]
