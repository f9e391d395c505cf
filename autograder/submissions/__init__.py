"""Reading what students hand in. Text only: nothing of it is compiled or parsed as Python in this process."""

from autograder.submissions.folder import FolderScan, scan_folder, scan_student
from autograder.submissions.gathering import Entry
from autograder.submissions.intake import LAYOUTS, Wanted, read_class
from autograder.submissions.layout import Unplaced
from autograder.submissions.model import Cell, Submission, SubmissionUnreadable, code_cells
from autograder.submissions.reader import read_submission

__all__ = [
    "LAYOUTS",
    "Cell",
    "Entry",
    "FolderScan",
    "Submission",
    "SubmissionUnreadable",
    "Unplaced",
    "Wanted",
    "code_cells",
    "read_class",
    "read_submission",
    "scan_folder",
    "scan_student",
]
