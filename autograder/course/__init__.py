"""The course: its configuration, where its files are, its secret and its data."""

from autograder.course.config import CONFIG_NAME, CourseConfig, ExerciseConfig, load_config
from autograder.course.discovery import Exercise, find_course, find_exercise, list_exercises
from autograder.course.errors import ConfigurationError
from autograder.course.secret import derive_seed, load_secret
from autograder.course.written import Limits

__all__ = [
    "CONFIG_NAME", "ConfigurationError", "CourseConfig", "Exercise", "ExerciseConfig", "Limits", "derive_seed",
    "find_course", "find_exercise", "list_exercises", "load_config", "load_secret",
]  # fmt: skip
