"""The forms that services read: right in form, and nothing that a student wrote is more than text in them."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt

from autograder.bridges.ci.log import log
from autograder.bridges.ci.report import Finding, Line, Section, closing, status
from autograder.bridges.ci.writers import (
    MAX_BYTES,
    classroom_result,
    code_quality,
    github_annotations,
    junit_xml,
    summary,
    without_commands,
)
from autograder.reports.visible import NOT_SHOWN

# What a student might write to be more than text: in a message of an exception, a name, a file's name.
HOSTILE = (
    "::error file=a.py,line=1::forged\n::set-output name=points::20\r\n##[error]forged\n::endgroup::\n"
    "]]></failure><testcase name='forged'/><!-- \x00\x1b[31m\ufffe\ud800\n"
    "| forged | row |\n# heading\n<img src=x onerror=alert(1)> <script>alert(1)</script> &lt;b&gt;\n"
    "[link](https://example.com) ![picture](x.png) https://example.com www.example.com @everyone `code` $x$ **bold**"
)


def section(**changes: object) -> Section:
    lines = (
        Line("The first holds.", "passed", 2, 2.0, "", None),
        Line("The second holds.", "failed", 3, 0.0, HOSTILE, 7),
        Line("The third holds.", "blocked", 1, 0.0, "It needs the second.", None),
    )
    findings = (Finding("work,a:b%.py", 7, "The second holds: it does, or not.", HOSTILE),)
    known = Section("toy", f"Toy {HOSTILE}", "work,a:b%.py", "hidden", "graded", lines, findings, 2.0, 6.0, True,
                    "full", HOSTILE, 1.5)  # fmt: skip
    return replace(known, **changes)


def commands(log: str) -> list[str]:
    """The workflow commands that GitHub's runner sees in a log: at the start of a line, blanks before it not counting,
    and the old form anywhere; none between stop-commands and its token."""
    found, token = [], None
    for line in log.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        text = line.lstrip()
        if token is not None:
            token = None if text == f"::{token}::" else token
        elif text.startswith("::stop-commands::"):
            token = text.removeprefix("::stop-commands::")
        elif (text.startswith("::") and "::" in text[2:]) or "##[" in text:
            found.append(line)
    assert token is None, "the commands were never taken up again"
    return found


def test_the_runner_of_these_tests_sees_commands():
    assert len(commands(HOSTILE)) == 4


def test_annotations_are_one_command_each():
    (line,) = github_annotations([section()])
    assert commands(line) == [line]
    head, _, data = line[2:].partition("::")
    assert head == "error file=work%2Ca%3Ab%25.py,line=7,title=The second holds%3A it does%2C or not."
    assert data.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%") == HOSTILE


def test_a_table_in_a_log_holds_no_command():
    assert commands(without_commands(HOSTILE, "a" * 32)) == []
    assert commands(without_commands("::aaaa::\n::error::forged", "b" * 32)) == []


def test_junit_is_xml_with_one_case_per_check():
    text = junit_xml([section()])
    (suite,) = ET.fromstring(text.encode())
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors"), suite.get("skipped")) == (
        "3",
        "2",
        "0",
        "0",
    )
    first, second, third = suite
    assert list(first) == []
    failure = second.find("failure")
    assert failure is not None
    assert "forged" in (failure.text or "")
    assert (second.get("line"), second.get("file")) == ("7", "work,a:b%.py")
    assert third.find("failure").get("type") == "blocked"


@pytest.mark.parametrize(("outcome", "tag"), [("error", "error"), (NOT_SHOWN, "skipped"), ("skipped", "skipped")])
def test_junit_knows_what_was_not_judged(outcome, tag):
    line = Line("The only one.", outcome, 1, None, "", None)
    (suite,) = ET.fromstring(junit_xml([section(lines=(line,), findings=())]).encode())
    assert suite[0][0].tag == tag


def test_junit_says_that_a_file_could_not_be_read():
    (suite,) = ET.fromstring(junit_xml([section(lines=(), findings=(), outcome="handed_in_not_gradable")]).encode())
    assert suite.get("errors") == "1"
    assert suite[0][0].tag == "error"


def test_the_summary_shows_a_students_text_as_text():
    text = summary([section()])
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    inline = [child for token in tokens if token.type == "inline" for child in token.children or ()]
    assert {child.type for child in inline} <= {"text", "softbreak", "text_special"}
    assert not [token for token in tokens if token.type == "html_block"]
    rows = [token for token in tokens if token.type == "tr_open"]
    assert len(rows) == 4  # the head and the three checks
    headings = [token.tag for token in tokens if token.type == "heading_open"]
    assert headings == ["h2", "h3"]
    for sign in ("http:", "https:", "www.", "@", "<", "`", "$"):
        assert sign not in text
    assert "forged" in text


def test_a_summary_stays_below_what_runners_take():
    long = Line("The long one.", "failed", 1, 0.0, "x" * 2000, 1)
    text = summary([section(lines=(long,) * 2000, findings=())])
    assert len(text.encode()) <= MAX_BYTES + 100


def test_code_quality_is_what_gitlab_reads():
    issues = json.loads(code_quality([section()]))
    assert [set(issue) for issue in issues] == [{"description", "check_name", "fingerprint", "severity", "location"}]
    assert issues[0]["location"] == {"path": "work,a:b%.py", "lines": {"begin": 7}}
    assert issues[0]["severity"] in ("info", "minor", "major", "critical", "blocker")
    two = section(findings=(Finding("a.py", 1, "x", "y"), Finding("a.py", 2, "x", "y")))
    assert len({issue["fingerprint"] for issue in json.loads(code_quality([two]))}) == 2


def decoded(sections: list[Section]) -> dict:
    text = classroom_result(sections)
    assert "\n" not in text
    return json.loads(base64.b64decode(text))


def test_classroom_gets_the_points():
    data = decoded([section()])
    assert data["max_score"] == 6
    assert data["status"] == "fail"
    assert [test["status"] for test in data["tests"]] == ["pass", "fail", "fail"]
    # The reporter adds the scores up.
    assert sum(test["score"] for test in data["tests"]) == 2
    assert data["tests"][1]["line_no"] == 7


def test_classroom_counts_public_checks():
    data = decoded([section(kind="public", points=None)])
    assert data["max_score"] == 3
    assert sum(test["score"] for test in data["tests"]) == 1


def test_classroom_is_not_told_what_is_withheld():
    lines = tuple(Line(title, NOT_SHOWN, 5, None, "", None) for title in "ab")
    data = decoded([section(lines=lines, findings=(), points=None)])
    assert data["max_score"] == 0
    assert {test["score"] for test in data["tests"]} == {0}
    assert data["status"] == "pass"


def test_what_is_not_begun_fails_nobody():
    idle = section(begun=False)
    done = section(lines=section().lines[:1], findings=())
    assert status([done, idle]) == "pass"
    assert status([idle]) == "pass"
    assert status([section(begun=False, outcome="error")]) == "error"
    assert {test["status"] for test in decoded([idle])["tests"]} == {"pass"}
    assert status([done, section()]) == "fail"
    assert status([done, section(outcome="error")]) == "error"
    assert "skipped" in junit_xml([idle])
    assert "<failure" not in junit_xml([idle])


def test_one_line_closes_over_all_exercises():
    done, idle = section(lines=section().lines[:1], findings=()), section(begun=False)
    words = "2 of 3 exercises begun; 2 of 4 checks passed; 6 of 18 points"
    assert closing([done, idle, section()]) == words
    withheld = [replace(one, points=None) for one in (done, idle)]
    assert closing(withheld) == "1 of 2 exercises begun; 1 of 1 checks passed"
    assert words in summary([done, idle, section()]).replace("&#59;", ";")
    assert log([done, idle, section()]).rstrip().endswith(words)
    assert "exercises begun" not in log([done])
