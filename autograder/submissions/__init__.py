"""Reading what students hand in. Text only: nothing of it is compiled or parsed as Python in this process."""

from autograder.submissions.folder import FolderScan, scan_folder, scan_student
from autograder.submissions.gathering import Entry
from autograder.submissions.layout import Unplaced
from autograder.submissions.model import Cell, Submission, SubmissionUnreadable, code_cells
from autograder.submissions.reader import read_submission

__all__ = [
    "Cell",
    "Entry",
    "FolderScan",
    "Submission",
    "SubmissionUnreadable",
    "Unplaced",
    "code_cells",
    "read_submission",
    "scan_folder",
    "scan_student",
]
