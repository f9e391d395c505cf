"""Pictures of pages for the documentation, of the example class.

    make demo
    python docs/screenshots.py out/demo

Needs Chromium. Pages are written anew, the student's as it is once the results are published. Each picture carries the
hash of `examples/expected.yaml`, which says what the example class gets: a test sees where the class is another by now.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import yaml

from autograder import Course
from autograder.course import load_config
from autograder.reports.stamp import write_stamp

ROOT = Path(__file__).parents[1]
# Picture: the page, and the pixels that are shown of it, from the top.
SHOWN = {
    "class-report.png": ("class.html", 1180, 1330),
    "student-page.png": ("students/daniel.html", 1000, 1500),
}


def main(out: Path) -> None:
    """Draw the pictures of a class that was graded into `out`."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("Chromium is needed (Debian: apt-get install chromium)")
    shown = yaml.safe_load((ROOT / "examples" / "expected.yaml").read_text(encoding="utf-8"))
    config = load_config(ROOT / "grading_config.yaml")
    seen = tuple(replace(exercise, published=True, examples="visible") for exercise in config.exercises)
    with tempfile.TemporaryDirectory() as folder, Course(replace(config, exercises=seen)).book(out) as book:
        pages = Path(folder)
        book.write_report(pages, pages=pages / "students")
        book.write_pages(pages / "students")
        for name, (page, width, height) in SHOWN.items():
            picture = ROOT / "docs" / "pictures" / name
            how = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
            what = [
                f"--user-data-dir={pages}/profile",
                f"--window-size={width},{height}",
                f"--screenshot={picture}",
                (pages / page).as_uri(),
            ]
            subprocess.run([browser, *how, *what], check=True, capture_output=True)
            write_stamp(picture, shown)
            print(picture.relative_to(ROOT))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
