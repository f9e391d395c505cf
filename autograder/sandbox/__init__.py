"""Process isolation: a warm parent that forks locked workers, and the limits they run under."""

from autograder.sandbox.isolation import Exit, Isolation, IsolationRefused, WarmParentDied, WorkerLimits
from autograder.sandbox.warm import WarmParent
from autograder.sandbox.worker import Worker

__all__ = ["Exit", "Isolation", "IsolationRefused", "WarmParent", "WarmParentDied", "Worker", "WorkerLimits"]
