"""The benchmarks' own parts: the class they grade, and what they make of their figures."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def _benchmarks_on_the_path():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    yield
    sys.path.remove(str(ROOT / "benchmarks"))


def figure(value, rounds=3):
    return {"median": value, "lowest": value - 0.1, "highest": value + 0.1, "rounds": rounds}


RESULTS = {
    "machine": {"cores": 2, "processor": "a processor", "python": "3.11"},
    "targets": {"floor": 1.15, "nbgrader": 10, "otter": 20, "two_cores": 1.8, "regrade": 0.01, "flat": 0.1},
    "tools": {
        "submissions": 18,
        "seconds": {"floor": figure(5), "ours": figure(6), "nbgrader": figure(70), "otter": figure(140)},
        "peak_mb": {name: figure(400) for name in ("floor", "ours", "nbgrader", "otter")},
        "ours_to_floor": figure(1.2),
        "ours_to_floor_after_the_start": figure(1.4),
        "nbgrader_to_ours": figure(11.7),
        "otter_to_ours": figure(23.3),
    },
    "size": {
        "classes": [
            {"submissions": n, "seconds": n / 5, "seconds_each": 0.2, "steady_seconds_each": 0.19, "peak_mb": 400,
             "regrade_seconds": figure(1), "regrade_to_grade": figure(0.2)}
            for n in (10, 100)
        ],
        "each_largest_to_smallest_class": 1.01,
    },
    "cores": {
        name: {"submissions": 18, "one_to_two": figure(1.7), "one_to_two_after_the_start": figure(1.9)}
        for name in ("batch", "class")
    },
}  # fmt: skip


def test_the_class_is_varied_and_its_copies_differ():
    from assignment import notebooks

    texts = {name: json.dumps(notebook["cells"]) for name, notebook in notebooks(36).items()}
    assert len(set(texts.values())) == 36
    for text in texts.values():
        assert "SOLUTION" not in text
        assert "__main__" not in text  # a kernel would train for its figures


def test_the_course_has_the_quick_checks_alone(tmp_path):
    from assignment import make_course

    course = make_course(tmp_path / "course")
    assert [path.name for path in course.exercise.hidden_checks] == ["test_coupling.py", "test_flow.py"]


def test_figures_become_a_page_and_pictures(tmp_path):
    from presenting import draw, readme

    page = readme(RESULTS)
    assert "| nbgrader autograde | 70 (69.9 to 70.1) | 3.89 | 11.7 (11.6 to 11.8) | 400 MB |" in page
    assert "Ours to the floor: 1.2 (1.1 to 1.3) for the whole command, 1.4 (1.3 to 1.5) after the start" in page
    assert "| 100 | 20.0 | 0.19 | 400 MB |" in page
    draw(RESULTS, tmp_path)
    assert (tmp_path / "tools.png").stat().st_size > 1000
    assert (tmp_path / "size.png").stat().st_size > 1000


def test_spread_of_rounds():
    from measuring import spread

    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "lowest": 1.0, "highest": 3.0, "rounds": 3}


def test_a_command_is_measured(tmp_path):
    import os

    from measuring import measure

    measured = measure([sys.executable, "-c", "print('done')"], [min(os.sched_getaffinity(0))], os.environ, tmp_path)
    assert measured.output.strip() == "done"
    assert measured.seconds > 0


# --- on a GPU


def test_without_a_gpu_nothing_is_measured_and_it_is_said(tmp_path, monkeypatch, capsys):
    import gpu

    def none(course):
        assert course.device == "cuda"
        raise gpu.FrameworkFault("there is no GPU here: looked for /dev/nvidiaN")

    monkeypatch.setattr(gpu, "usable_gpus", none)
    assert gpu.main(["--to", str(tmp_path)]) == 1
    assert "Nothing is measured: there is no GPU here" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def gpu_figures(**changed):
    one = {"points": 20.0, "max_points": 20.0, "outcome": "graded", "seconds": 3.5, "device": "cuda",
           "isolation": "full", "lost": {}}  # fmt: skip
    start = {"warm_parent_seconds": 2.5, "worker_seconds": [0.1, 0.2, 0.3], "host_mb": [250, 260], "gpu_mb": [400, 410],
             "isolation": {"level": "full", "missing": [], "layers": [], "why": [], "gpu": "GPU-a"}}  # fmt: skip
    return {
        "machine": {"gpus": 1},
        "starts": {"cpu": start | {"gpu_mb": []}, "cuda": start},
        "exercises": {"markov_quiz": {"cpu": one | {"device": "cpu"}, "cuda": one | changed}},
        "class": {"amelie markov_quiz": {"cuda": one}, "bilal realnvp_toy": {"cuda": {"fault": "not reached in time"}}},
    }


def test_figures_of_a_gpu_become_a_page():
    import gpu

    page = gpu.page(gpu_figures())
    assert "| cuda | 2.5 | 0.2 | 255.0 | 405.0 | full, missing: nothing |" in page
    assert "| markov_quiz | 3.5 | 3.5 | 20.0 of 20.0 | 20.0 of 20.0 |" in page
    assert "1 of 2 files graded" in page
    assert "What was measured got the points that are due." in page
    assert gpu.wrong(gpu_figures()) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"points": 19.0}, "19.0 of 20.0 points"), ({"device": "cpu"}, "on cpu"), ({"fault": "it broke"}, "it broke")],
)
def test_what_a_gpu_gets_wrong_is_said(changed, said):
    import gpu

    figures = gpu_figures(**changed)
    (problem,) = gpu.wrong(figures)
    assert said in problem
    assert problem in gpu.page(figures)


def test_jobs_are_judged_until_the_time_is_up(monkeypatch):
    import time

    import gpu

    class Judge:
        def __init__(self, order, slot):
            self.device = order.device

        def start(self):
            pass

        def grade(self, job):
            return job

        close = kill = start

    monkeypatch.setattr(gpu, "Judge", Judge)
    monkeypatch.setattr(gpu, "measured", lambda job: {"points": job})
    work = [(name, device, name) for name in "abc" for device in ("cpu", "cuda")]
    found, late = {}, {}
    gpu._run(["cuda", "cpu", "cpu"], work, time.monotonic() + 60, found, lambda: None)
    assert found == {name: {device: {"points": name} for device in ("cpu", "cuda")} for name in "abc"}
    gpu._run(["cuda"], [("a", "cuda", "a")], time.monotonic() - 1, late, lambda: None)
    assert late == {"a": {"cuda": {"fault": gpu.LEFT_OUT}}}


def test_processor_time_counts_what_ended_without_a_parent():
    import subprocess

    from exercises import counted

    burn = "import time\nwhile time.process_time() < 0.3: pass"
    orphan = f"import os, time\nif os.fork() == 0:\n    time.sleep(0.1)\n    exec({burn!r})"
    try:
        with counted() as group:
            subprocess.run([sys.executable, "-c", orphan], check=True, preexec_fn=group.enter)
            folder = group.folder
            while (folder / "cgroup.procs").read_text():
                pass
            assert 0.3 <= group.seconds() < 3
    except OSError as error:
        pytest.skip(f"no control group may be made here: {error}")
    assert not folder.exists()


def test_the_table_of_exercises_sums_them():
    from exercises import table

    known = {"a": {"checks": 1.25, "start": 4.0, "runs": 3}, "b": {"checks": 2.5, "start": 6.0, "runs": 3}}
    assert "| together (2) | 3.8 (target 360) | 5.0 (median) |" in table(known)


def test_the_sum_that_the_readme_states_is_that_of_the_exercises():
    from exercises import table

    known = json.loads((ROOT / "benchmarks" / "exercises.json").read_text(encoding="utf-8"))
    assert (ROOT / "benchmarks" / "exercises.md").read_text(encoding="utf-8") == table(known)
    together = sum(figures["checks"] for figures in known.values())
    assert f"take {together:.0f} seconds of a processor" in (ROOT / "README.md").read_text(encoding="utf-8")
