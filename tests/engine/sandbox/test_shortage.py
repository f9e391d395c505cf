"""What the kernel counts of its own killings is read in every form that it has."""

from __future__ import annotations

from autograder.sandbox import shortage

VMSTAT = "pgfault 12\noom_kill {n}\nthp_fault_alloc 3\n"
EVENTS = "low 0\nhigh 0\nmax 4\noom 1\noom_kill {n}\noom_group_kill 0\n"
CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill {n}\n"


def test_a_count_that_moves_is_seen(tmp_path):
    files = [tmp_path / name for name in ("vmstat", "memory.events", "memory.oom_control")]
    for file, text in zip(files, (VMSTAT, EVENTS, CONTROL), strict=True):
        file.write_text(text.format(n=2))
    before = shortage.kills(files)
    assert before == (2, 2, 0, 2)
    assert shortage.kills(files) == before
    for file, text in zip(files, (VMSTAT, EVENTS, CONTROL), strict=True):
        file.write_text(text.format(n=3))
        now = shortage.kills(files)
        assert now != before
        before = now


def test_what_cannot_be_read_or_says_nothing_is_no_count(tmp_path):
    (tmp_path / "old").write_text("pgfault 1\n")
    (tmp_path / "odd").write_text("oom_kill many\n")
    assert shortage.kills([tmp_path / "old", tmp_path / "odd", tmp_path / "none"]) == ()


def test_this_machine_is_asked():
    assert all(count >= 0 for count in shortage.kills())
