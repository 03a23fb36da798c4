"""An object is there whole or not at all, the first commit wins, and its name says what made it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.storage import ObjectStore, content_key, file_digest, read_object, read_table, write_whole

KEY = "ab" * 32


def objects(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_what_is_put_is_what_is_there(tmp_path: Path) -> None:
    store = ObjectStore(str(tmp_path))
    assert not store.has(KEY)
    uri = store.put(KEY, b"data")
    assert store.has(KEY)
    assert store.get(KEY) == read_object(uri) == b"data"


def test_the_first_commit_wins_and_leaves_no_temp_file(tmp_path: Path) -> None:
    store = ObjectStore(str(tmp_path))
    assert store.put(KEY, b"first") == store.put(KEY, b"second")
    assert store.get(KEY) == b"first"
    assert [path.name for path in objects(tmp_path)] == [KEY]


def test_many_writers_of_one_key_agree(tmp_path: Path) -> None:
    store = ObjectStore(str(tmp_path))
    writers = [threading.Thread(target=store.put, args=(KEY, bytes([index]) * 100_000)) for index in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    data = store.get(KEY)
    assert len(data) == 100_000
    assert len(set(data)) == 1
    assert len(objects(tmp_path)) == 1


def test_a_kill_in_the_middle_of_writing_leaves_nothing_visible(tmp_path: Path) -> None:
    code = (
        "import sys; from pipelines.storage import ObjectStore, content_key\n"
        "store = ObjectStore(sys.argv[1]); data = b'x' * (8 << 20); index = 0\n"
        "while True:\n"
        "    store.put(content_key('t', 1, {'index': index}), data); index += 1; print(index, flush=True)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline()
    time.sleep(0.1)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()

    whole = [path for path in objects(tmp_path) if not path.name.endswith(".tmp")]
    assert whole
    assert {path.stat().st_size for path in whole} == {8 << 20}


def test_a_missing_object_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ObjectStore(str(tmp_path)).get(KEY)


def test_tables_and_json_come_back(tmp_path: Path) -> None:
    store = ObjectStore(str(tmp_path))
    table = pa.table({"pts": [1, 2, 3]})
    assert read_table(store.put_table(KEY, table)).equals(table)
    store.put_json("cd" * 32, {"a": [1, None, "b"]})
    assert store.get_json("cd" * 32) == {"a": [1, None, "b"]}


def test_a_store_without_links_works_the_same() -> None:
    store = ObjectStore("memory://test-storage")
    uri = store.put(KEY, b"data")
    assert store.put(KEY, b"other") == uri
    assert store.has(KEY)
    assert read_object(uri) == b"data"


def drafted(store: ObjectStore, key: str, *pieces: bytes) -> str:
    with store.draft() as draft:
        for piece in pieces:
            draft.file.write(piece)
        return draft.commit(key)


@pytest.mark.parametrize("root", ["", "memory://drafts"])
def test_what_is_written_in_pieces_is_what_is_there(tmp_path: Path, root: str) -> None:
    store = ObjectStore(root or str(tmp_path))

    assert drafted(store, KEY, b"da", b"ta") == store.put_blocks("cd" * 32, iter([b"da", b"ta"])).replace("cd", "ab")
    assert store.get(KEY) == store.get("cd" * 32) == b"data"
    assert store.size(KEY) == 4
    assert (store.get_part(KEY, 1, 3), store.get_part(KEY, 2, 2)) == (b"at", b"")


@pytest.mark.parametrize("root", ["", "memory://first-draft"])
def test_a_draft_does_not_replace_what_is_there(tmp_path: Path, root: str) -> None:
    store = ObjectStore(root or str(tmp_path))

    assert store.put(KEY, b"first") == drafted(store, KEY, b"second")

    assert store.get(KEY) == b"first"
    assert [path.name for path in objects(tmp_path)] == ([] if root else [KEY])


def test_a_draft_that_is_not_committed_leaves_nothing(tmp_path: Path) -> None:
    store = ObjectStore(str(tmp_path))

    with pytest.raises(RuntimeError, match="broken"):
        store.put_blocks(KEY, broken_blocks())

    assert not store.has(KEY)
    assert objects(tmp_path) == []


def broken_blocks() -> Iterator[bytes]:
    yield b"data"
    raise RuntimeError("broken")


@given(st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=5), st.none()), min_size=2))
def test_the_order_of_facts_does_not_matter_for_a_key(facts: dict[str, object]) -> None:
    turned = dict(reversed(facts.items()))
    assert content_key("faces", 1, facts) == content_key("faces", 1, turned)


def test_stage_version_and_facts_all_make_the_key() -> None:
    keys = {
        content_key("faces", 1, {"a": 1}),
        content_key("faces", 2, {"a": 1}),
        content_key("shots", 1, {"a": 1}),
        content_key("faces", 1, {"a": "1"}),
    }
    assert len(keys) == 4
    assert all(len(key) == 64 for key in keys)


def test_a_key_is_the_same_in_every_process() -> None:
    code = "from pipelines.storage import content_key; print(content_key('faces', 1, {'b': 1, 'a': [2.5, None]}))"
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert answer.stdout.strip() == content_key("faces", 1, {"a": [2.5, None], "b": 1})


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    write_whole(path, b"{}")
    write_whole(path, json.dumps({"a": 1}).encode())
    assert json.loads(path.read_text()) == {"a": 1}
    assert os.listdir(tmp_path) == ["manifest.json"]


def test_a_digest_is_sha256_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")  # the test vector of FIPS 180-2
    assert file_digest(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_facts_whose_object_is_gone_are_not_found(tmp_path: Path) -> None:
    store = ObjectStore(str(tmp_path))
    key, thing = content_key("stage", 1, {}), content_key("thing", 1, {})
    store.put_json(key, {"object": thing})

    assert store.find_facts(key, "object") is None
    store.put(thing, b"there")
    assert store.find_facts(key, "object") == {"object": thing}
