"""The rate of painting is measured once for a model and its settings on a machine, by really painting."""

from pathlib import Path

from diff2lip.config import SamplerConfig
from pipelines.dub import DubConfig
from pipelines.paint_rate import PaintRate
from pipelines.rate_meter import measured_rate
from tests.tiny_model import save_tiny_model


def test_a_rate_is_measured_once_for_each_sampler(tmp_path: Path) -> None:
    model = save_tiny_model(tmp_path / "tiny.safetensors")

    def config(steps: int) -> DubConfig:
        sampler = SamplerConfig(steps=steps, guidance=1.0)
        return DubConfig(
            store_uri=str(tmp_path / "work"), out_dir="", model_path=str(model), sampler=sampler, threads=1
        )

    few, many = measured_rate(config(1)), measured_rate(config(40))

    assert few[0] == "cpu"
    assert few[1] > 0
    assert few[1] != many[1]
    assert measured_rate(config(1)) == few  # to the last bit: found, not measured again


def test_actors_share_the_frames() -> None:
    assert PaintRate(device="cpu", seconds_per_frame=0.5, actors=4).seconds(80) == 10
