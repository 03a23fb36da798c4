"""Every test runs once, whichever process it runs in."""

from pathlib import Path

import pytest

from tests.parts import NOTHING, ON_RAY, OTHERS, command, is_of_part, verdict

TESTS = Path(__file__).parent


def test_every_file_is_of_one_of_the_other_parts_and_those_that_ask_for_ray_of_its_part_too() -> None:
    files = sorted(TESTS.rglob("test_*.py"))

    assert all(sum(is_of_part(file, part) for part in OTHERS) == 1 for file in files)
    on_ray = {file.name for file in files if is_of_part(file, ON_RAY)}
    assert {"test_train.py", "test_dub.py"} <= on_ray
    assert all(any(is_of_part(file, part) for file in files) for part in OTHERS)


def test_the_parts_choose_by_one_mark_and_are_given_what_a_person_wrote() -> None:
    ray, *others = (command(part, ["-k", "catalog"]) for part in (ON_RAY, *OTHERS))

    assert ray[-4:] == ["-m", "ray", "-k", "catalog"]
    assert all(other[-4:] == ["-m", "not ray", "-k", "catalog"] for other in others)


@pytest.mark.parametrize(
    ("codes", "wanted"), [([0, 0, 0], 0), ([NOTHING] * 3, NOTHING), ([0, NOTHING, 0], 0), ([NOTHING, 1, 0], 1)]
)
def test_a_failure_of_any_part_is_one_of_all(codes: list[int], wanted: int) -> None:
    assert verdict(codes) == wanted
