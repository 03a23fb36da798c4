"""Real models and clips for tests; where no registry is reachable and the cache lacks them, the test is skipped."""

from pathlib import Path

import pytest

from pipelines.assets import AssetUnavailableError, asset_path


def real_asset(name: str) -> Path:
    """The local file of an asset."""
    try:
        return asset_path(name)
    except AssetUnavailableError as error:
        pytest.skip(str(error))
