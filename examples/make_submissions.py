"""Writes `examples/submissions/`: a small class of the sort that hands in every year.

    python examples/make_submissions.py

Run it again when a solution, its quiz or its statement has changed; what each file must get stands in
`expected.yaml`. A submission starts from the exercise with the student's own questions, as `autograder new` makes
it, and is completed from the solution, from another correct solution, or with faults put in by hand.
"""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autograder.authoring.bundle import stub_source
from autograder.authoring.mistakes import Mistake
from autograder.authoring.notebook import to_notebook
from autograder.authoring.overlay import apply_mistake
from autograder.authoring.personal import load_quiz, personal_rng, personalise
from autograder.authoring.regions import TODO, replace_regions
from autograder.course import find_exercise, load_config

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "examples" / "submissions"
COURSE = load_config(ROOT / "grading_config.yaml")

Edits = Mapping[str, str]


class Work:
    """One exercise as one student hands it in."""

    def __init__(self, student: str, exercise: str, folder: Path = FOLDER) -> None:
        self.student = student
        self.folder = folder
        self.exercise = find_exercise(COURSE, exercise)
        self.text = ""

    def stub(self) -> Work:
        """Nothing written."""
        self.text = personalise(stub_source(self.exercise), self.exercise, self.student)
        return self

    def complete(self, *, but: tuple[str, ...] = (), edits: Edits | None = None) -> Work:
        """Everything as in the solution, but some functions unwritten and some lines changed."""
        stub, solution = self.stub().text, self.exercise.solution.read_text(encoding="utf-8")
        solution = replace_regions(
            solution,
            self.exercise.solution,
            "SOLUTION",
            lambda region: solution.split("\n")[region.first + 1 : region.last] if region.indent else [TODO],
        )
        text = personalise(solution, self.exercise, self.student)
        for name in but:
            text = replace_once(text, definition(text, name), definition(stub, name))
        for old, new in (edits or {}).items():
            text = replace_once(text, old, new)
        self.text = text
        return self

    def solved(self) -> Work:
        """The solution as it stands: its helpers outside of functions, and its answers to the quiz, too."""
        solution = self.exercise.solution.read_text(encoding="utf-8")
        self.text = personalise(solution, self.exercise, self.student)
        return self

    def mistaken(self, mistake: Mistake) -> Work:
        """Everything as in the solution, but with a known mistake."""
        solution = self.exercise.solution.read_text(encoding="utf-8")
        self.text = personalise(apply_mistake(solution, mistake), self.exercise, self.student)
        return self

    def other_way(self, alternative: str) -> Work:
        """Another correct solution, with this student's questions below it."""
        file = ROOT / "tests" / "alternatives" / self.exercise.id / alternative
        own = file.read_text(encoding="utf-8").split("\n", 1)[1]  # its first line says what differs
        stub = self.stub().text
        quiz = stub[stub.index("### BEGIN PERSONAL") : stub.index(f"\n{TODO}", stub.index("### END PERSONAL"))]
        self.text = f"{own.rstrip()}\n\n\n# %%\n{quiz}\n{TODO}\n"
        return self

    def answer(self, **changed: Any) -> Work:
        """Answer the quiz: rightly, but for what is given here."""
        quiz = load_quiz(self.exercise.quiz)
        numbers, _ = quiz.draw(personal_rng(self.exercise, self.student))
        assert quiz.answers is not None
        right = {key: answer["value"] for key, answer in quiz.answers(numbers).items()}
        given = {key: round(value, 5) if isinstance(value, float) else value for key, value in right.items()}
        given |= {key: value(right[key]) if callable(value) else value for key, value in changed.items()}
        lines = "".join(f"    {json.dumps(key)}: {value!r},\n" for key, value in given.items())
        begin = self.text.index("ANSWERS = {", self.text.index("### END PERSONAL"))
        end = self.text.index(TODO, begin) + len(TODO)
        self.text = f"{self.text[:begin]}ANSWERS = {{\n{lines}}}{self.text[end:]}"
        return self

    def cell_before(self, marker: str, code: str) -> Work:
        """A cell of the student's own before the one in which `marker` stands."""
        at = self.text.rindex("# %%", 0, self.text.index(marker))
        self.text = f"{self.text[:at]}# %%\n{code.strip()}\n\n{self.text[at:]}"
        return self

    def py(self, name: str | None = None, encode: Callable[[str], bytes] = str.encode) -> None:
        """Hand in a script."""
        self._write(name or f"{self.exercise.id}.py", encode(self.text))

    def ipynb(self, cut: int | None = None) -> None:
        """Hand in a notebook, perhaps cut off."""
        self._write(f"{self.exercise.id}.ipynb", to_notebook(self.text, self.exercise.id).encode()[:cut])

    def _write(self, name: str, content: bytes) -> None:
        target = self.folder / self.student / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def replace_once(text: str, old: str, new: str) -> str:
    """Replace what must be there exactly once."""
    if text.count(old) != 1:
        raise ValueError(f"found {text.count(old)} times instead of once: {old!r}")
    return text.replace(old, new)


def definition(text: str, name: str) -> str:
    """The text of a function, a class or a method (`RealNVP.sample`) of our own source."""
    body: list[ast.stmt] = ast.parse(text).body
    for part in name.split("."):
        found = [node for node in body if getattr(node, "name", None) == part]
        node = found[0]
        body = getattr(node, "body", [])
    lines = text.split("\n")
    return "\n".join(lines[node.lineno - 1 : node.end_lineno])


def amelie() -> None:
    """Right in both."""
    Work("amelie", "markov_quiz").complete().answer().py()
    Work("amelie", "realnvp_toy").complete().answer().ipynb()


def bilal() -> None:
    """Right in both, in ways of their own."""
    Work("bilal", "markov_quiz").other_way("loops_and_dicts.py").answer().ipynb()
    Work("bilal", "realnvp_toy").other_way("softplus_flips.py").answer().py()


def chloe() -> None:
    """Half way through both when the time was up."""
    unwritten = ("sample_sequence", "log_likelihood", "can_generate", "stationary_distribution")
    wrong = {"model": "generative", "log_likelihood": None}
    Work("chloe", "markov_quiz").complete(but=unwritten).answer(**wrong).py()
    unwritten = ("RealNVP.log_prob", "RealNVP.sample", "nll", "train_flow", "density_grid")
    Work("chloe", "realnvp_toy").complete(but=unwritten).answer(determinant="a").ipynb()


def daniel() -> None:
    """One typical mistake in each."""
    columns = {"total = smoothed.sum(dim=-1, keepdim=True)": "total = smoothed.sum(dim=0, keepdim=True)"}
    Work("daniel", "markov_quiz").complete(edits=columns).answer().py()
    sign = {
        "return x * s.exp() + t, s.sum(dim=-1)": "return x * s.exp() + t, -s.sum(dim=-1)",
        "return (z - t) * (-s).exp(), -s.sum(dim=-1)": "return (z - t) * (-s).exp(), s.sum(dim=-1)",
    }
    Work("daniel", "realnvp_toy").complete(edits=sign).answer().py()


def elif_() -> None:
    """Two typical mistakes in each."""
    mistakes = {
        definition(solution("markov_quiz"), "transition_counts").split('"""')[2]: COUNTS_ACROSS_BORDERS,
        "path.append(int(torch.multinomial(row, 1, generator=generator)))": "path.append(int(row.argmax()))",
    }
    Work("elif", "markov_quiz").complete(edits=mistakes).answer().ipynb()
    mistakes = {
        "AffineCoupling(dim, even if i % 2 == 0 else 1 - even, hidden) for i in": "AffineCoupling(dim, even, hidden) for _ in",
        "-0.5 * (z**2).sum(dim=-1) - 0.5 * self.dim * math.log(2 * math.pi)": "-0.5 * (z**2).sum(dim=-1)",
    }
    Work("elif", "realnvp_toy").complete(edits=mistakes).answer(log_density=lambda value: round(value - 1, 3)).ipynb()


def farid() -> None:
    """Handed in what was handed out."""
    Work("farid", "markov_quiz").stub().py()
    Work("farid", "realnvp_toy").stub().ipynb()


def gwen() -> None:
    """A syntax error in one cell of each."""
    unclosed = {
        "return float(P[windows.unbind(1)].double().log().sum())": "return float(P[windows.unbind(1)].double().log().sum()"
    }
    Work("gwen", "markov_quiz").complete(edits=unclosed).answer().ipynb()
    Work("gwen", "realnvp_toy").complete(edits={"-model.log_prob(x).mean()": "-model.log_prob(x).mean("}).answer().py()


def hugo() -> None:
    """Code of their own at the top level that raises, and code that ends the process."""
    work = Work("hugo", "markov_quiz").complete().answer()
    work.cell_before("def transition_counts", CORPUS_FROM_A_FILE).py()
    ends = {"points = torch.cartesian_prod(side, side)": "os._exit(1)\n    points = torch.cartesian_prod(side, side)"}
    work = Work("hugo", "realnvp_toy").complete(edits=ends).answer()
    work.cell_before("class RealNVP", "import os\n\nprint('coupling layer done')\nos._exit(0)").ipynb()


def ines() -> None:
    """A loop in a function that does not end at a dead end, and a training at the top level that never ends."""
    endless = {
        "            break\n        path.append(int(torch.multinomial(row, 1, generator=generator)))": (
            "            continue\n        path.append(int(torch.multinomial(row, 1, generator=generator)))"
        )
    }
    Work("ines", "markov_quiz").complete(edits=endless).answer().py()
    work = Work("ines", "realnvp_toy").complete().answer()
    work.cell_before("def density_grid", TRAINING_WITHOUT_END).ipynb()


def jonas() -> None:
    """Files that hold no code: a PDF with another name, and an upload that broke off."""
    work = Work("jonas", "markov_quiz")
    work.py(encode=lambda text: b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n")
    Work("jonas", "realnvp_toy").complete().answer().ipynb(cut=20_000)


def karin() -> None:
    """Oddly named and encoded files, and mistakes at the end of the exercise."""
    eigenvector = {
        definition(solution("markov_quiz"), "stationary_distribution").split('"""')[2]: STATIONARY_OF_TRANSPOSE
    }
    work = Work("karin", "markov_quiz").complete(edits=eigenvector).answer(model="discriminative")
    work.py("Markov-Quiz (1).py", encode=lambda text: text.replace("\n", "\r\n").encode("utf-16"))
    mistakes = {
        "return -model.log_prob(x).mean()": "return -model.log_prob(x).sum()",
        "z = torch.randn(n, self.dim, generator=generator, ": "z = 0.7 * torch.randn(n, self.dim, generator=generator, ",
    }
    Work("karin", "realnvp_toy").complete(edits=mistakes).answer().py()


def solution(exercise: str) -> str:
    """A solution's text without its marks."""
    file = find_exercise(COURSE, exercise).solution
    text = file.read_text(encoding="utf-8")
    return replace_regions(text, file, "SOLUTION", lambda region: text.split("\n")[region.first + 1 : region.last])


COUNTS_ACROSS_BORDERS = """
    if order < 1:
        raise ValueError("order must be at least 1")
    everything = [state for sequence in sequences for state in sequence]
    for state in everything:
        if state not in states:
            raise ValueError(f"unknown state {state!r}")
    path = [states.index(state) for state in everything]
    counts = torch.zeros((len(states),) * (order + 1))
    for k in range(order, len(path)):
        counts[tuple(path[k - order : k + 1])] += 1
    return counts"""

STATIONARY_OF_TRANSPOSE = """
    n = len(P)
    if P.dim() != 2 or P.shape[1] != n or (P.sum(dim=1) <= 0).any():
        raise ValueError("P must be a square matrix without zero rows")
    reached = torch.linalg.matrix_power(torch.eye(n, dtype=P.dtype) + (P > 0).to(P.dtype), n)
    if not (reached > 0).all():
        raise ValueError("P must be irreducible")
    values, vectors = torch.linalg.eig(P)
    v = vectors[:, (values - 1).abs().argmin()].real
    return v / v.sum()"""

CORPUS_FROM_A_FILE = """
import pandas_of_my_own as pd

my_corpus = open("/home/hugo/courses/markov/corpus.txt").read().split("\\n")
print(len(my_corpus), "sentences")
"""

TRAINING_WITHOUT_END = """
points = two_moons(1000, generator=torch.Generator().manual_seed(0))
flow = RealNVP()
while True:  # until it looks good
    train_flow(flow, points, 20)
    print(float(nll(flow, points)))
"""


def main() -> None:
    """Write the whole class."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    for student in (amelie, bilal, chloe, daniel, elif_, farid, gwen, hugo, ines, jonas, karin):
        student()


if __name__ == "__main__":
    main()
