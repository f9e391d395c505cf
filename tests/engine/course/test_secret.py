"""The course secret: where it comes from, what is refused, and seeds derived from it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course.config import CourseConfig, ExerciseConfig, SecretConfig
from autograder.course.errors import ConfigurationError
from autograder.course.secret import derive_seed, load_secret

LONG = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    state = tmp_path / "state"
    monkeypatch.setenv("AUTOGRADER_STATE", str(state))
    monkeypatch.delenv("AUTOGRADER_SECRET", raising=False)
    return state


def course(root: Path, file: Path | None = None) -> CourseConfig:
    root.mkdir(exist_ok=True)
    return CourseConfig(
        "demo",
        "Demo",
        (ExerciseConfig("a", "A"),),
        root / "grading_config.yaml",
        secret=SecretConfig(file=file),
    )


def test_the_environment_wins(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text("x" * 32)
    monkeypatch.setenv("AUTOGRADER_SECRET", LONG)
    root = tmp_path / "course"
    assert load_secret(course(root, file), root, pytest.fail) == LONG.encode()
    assert not home.exists()


def test_then_the_file(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(LONG + "\n")
    root = tmp_path / "course"
    assert load_secret(course(root, file), root, pytest.fail) == LONG.encode()
    assert not home.exists()


def test_then_one_is_made_once_and_said(home: Path, tmp_path: Path) -> None:
    root = tmp_path / "course"
    said: list[str] = []
    first = load_secret(course(root), root, said.append)
    assert len(said) == 1
    assert str(home / "demo.secret") in said[0]
    assert load_secret(course(root), root, said.append) == first
    assert len(said) == 1
    assert len(first) == 64
    assert (home / "demo.secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.iterdir()] == ["demo.secret"]


def test_a_named_file_that_is_missing_is_said(home: Path, tmp_path: Path) -> None:
    root = tmp_path / "course"
    said: list[str] = []
    load_secret(course(root, tmp_path / "nowhere"), root, said.append)
    assert "nowhere is missing" in said[0]


def test_processes_that_start_together_agree(home: Path, tmp_path: Path) -> None:
    root = tmp_path / "course"
    config = course(root)
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: load_secret(config, root, lambda line: None), range(16)))
    assert len(secrets) == 1


def test_a_secret_inside_the_course_is_refused(home: Path, tmp_path: Path) -> None:
    root = tmp_path / "course"
    config = course(root, root / "private" / "secret")
    with pytest.raises(ConfigurationError, match="inside the course's folder"):
        load_secret(config, root, pytest.fail)


def test_a_link_into_the_course_is_refused_too(home: Path, tmp_path: Path) -> None:
    root = tmp_path / "course"
    root.mkdir()
    (root / "secret").write_text(LONG)
    (tmp_path / "link").symlink_to(root / "secret")
    with pytest.raises(ConfigurationError, match="inside the course's folder"):
        load_secret(course(root, tmp_path / "link"), root, pytest.fail)


def test_a_short_secret_is_refused(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_SECRET", "hunter2")
    root = tmp_path / "course"
    with pytest.raises(ConfigurationError, match="7 bytes; at least 16") as caught:
        load_secret(course(root), root, pytest.fail)
    assert "hunter2" not in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_kept_secret_open_to_others_is_refused(home: Path, tmp_path: Path) -> None:
    root = tmp_path / "course"
    load_secret(course(root), root, lambda line: None)
    (home / "demo.secret").chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_secret(course(root), root, pytest.fail)


def test_seeds_are_those_published() -> None:
    # Fixed values: another derivation would regrade every submission on other inputs.
    assert derive_seed(b"secret", "alice", "vae_mnist", "kl_value") == 7977346597143109508
    assert derive_seed(b"secret") == 9003600603879023575


@given(st.binary(min_size=1), st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_seeds_differ_where_their_parts_do(secret: bytes, a: list[str], b: list[str]) -> None:
    assert 0 <= derive_seed(secret, *a) < 2**63
    assert (derive_seed(secret, *a) == derive_seed(secret, *b)) == (a == b)
    assert derive_seed(secret, *a) != derive_seed(secret + b"!", *a)


def test_parts_do_not_run_together() -> None:
    assert derive_seed(b"s", "ab", "c") != derive_seed(b"s", "a", "bc")
    assert derive_seed(b"s", "a", "") != derive_seed(b"s", "a")
