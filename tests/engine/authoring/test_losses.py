"""losses.yaml: read with the bank, written the same way every time."""

from __future__ import annotations

import pytest

from autograder.authoring.errors import AuthoringError
from autograder.authoring.losses import losses_text, read_bank, read_losses
from autograder.course.discovery import Exercise


def test_what_is_written_is_sorted_and_read_again(tmp_path):
    losses = {"b": {"z": "always", "a": "sometimes"}, "none": {}, "a": {"z": "always"}}
    text = losses_text(losses)
    assert text.splitlines()[1:] == ["a: {z: always}", "b: {a: sometimes, z: always}"]
    file = tmp_path / "losses.yaml"
    file.write_text(text)
    assert read_losses(file) == {"a": {"z": "always"}, "b": {"a": "sometimes", "z": "always"}}
    assert losses_text(read_losses(file)) == text
    assert read_losses(tmp_path / "none.yaml") == {}


@pytest.mark.parametrize("text", ["a: [z]", "a: {z: never}", "- a", "a: {", "a: always"])
def test_another_form_is_told(tmp_path, text):
    file = tmp_path / "losses.yaml"
    file.write_text(text)
    with pytest.raises(AuthoringError, match=r"losses\.yaml: (is not valid YAML|.*measure it: autograder verify)"):
        read_losses(file)


def test_a_bank_knows_what_its_mistakes_lose(tmp_path):
    exercise = Exercise("demo", "", tmp_path)
    assert read_bank(exercise) == ()
    exercise.folder.mkdir(parents=True)
    exercise.mistakes.write_text('mistake("m", "t", hint="?", check="first", old="x", new="y")\n')
    exercise.losses.write_text("m: {second: always, third: sometimes}\n")
    (mistake,) = read_bank(exercise)
    assert mistake.loses == ("first", "second")
    assert mistake.losses == {"second": "always", "third": "sometimes"}
