"""What the documentation shows a stranger to type runs as it stands there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "model.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("code", BLOCKS, ids=range(len(BLOCKS)))
def test_code_on_the_model_page_runs(code: str) -> None:
    fast = code.replace("published_sampler()", "SamplerConfig()")  # the 25 are tried in tests/diff2lip/test_unet.py
    fast = fast.replace("import parity_model, published_sampler", "import SamplerConfig, parity_model")
    exec(compile(fast, "docs/model.md", "exec"), {})


def test_every_module_of_the_model_page_is_there_with_what_it_names() -> None:
    rows = re.findall(r"^\| `(diff2lip\.\w+)` \| (.*) \|$", (ROOT / "docs" / "model.md").read_text(), re.MULTILINE)
    assert len(rows) > 10
    for module, words in rows:
        source = (ROOT / f"{module.replace('.', '/')}.py").read_text()
        names = {name for name in re.findall(r"`\.?(\w+)\(?", words) if not name.startswith("diff2lip")}
        missing = {name for name in names if not re.search(rf"\b{name}\b", source)}
        assert not missing, f"{module} has no {missing}"
