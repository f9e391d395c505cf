"""How much memory a worker may have now, set from outside while it runs.

The hard limits are the most that it may ever have and stay as they were made; the soft ones are what counts, and the
filter refuses the worker every call that could set them. The kernel lets nobody but root raise a hard limit again, so
that only soft ones can follow what is being judged: the import, a check, another check.
"""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator

from autograder.sandbox.lockdown import Owner


class Memory:
    """The memory limits of one worker, in the hands of its minder.

    Args:
        most: bytes that it may ever have, beyond `sizes`.
        sizes: address space and private data that it started with, in bytes; of the first None where it is not
            limited: what a GPU's driver reserves is no memory.

    Attributes:
        allowed: bytes that it may have now, beyond `sizes`.
    """

    def __init__(self, worker: int, owner: Owner, most: int, sizes: tuple[int | None, int]) -> None:
        self._worker = worker
        self._owner = owner
        self._most = most
        self._sizes = sizes
        self.allowed = most

    def allow(self, memory_bytes: int) -> None:
        """Let the worker have so much from now on, at most what it was made with; it keeps what it has already.

        Raises:
            ProcessLookupError: the worker has died.
            PermissionError: this system lets nobody set the limits of another process.
        """
        self.allowed = min(memory_bytes, self._most)
        with self._in_the_owners_name():
            for kind, size in zip((resource.RLIMIT_AS, resource.RLIMIT_DATA), self._sizes, strict=True):
                if size is None:
                    continue
                hard = resource.prlimit(self._worker, kind)[1]
                wanted = size + self.allowed
                soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
                resource.prlimit(self._worker, kind, (soft, hard))

    @contextlib.contextmanager
    def _in_the_owners_name(self) -> Iterator[None]:
        """Root itself may be denied this over others (CAP_SYS_RESOURCE): their own user may do it.

        Only the real ids are changed: the parent-death signal stays, and so does the power to change back.
        """
        uid, gid = os.getuid(), os.getgid()
        if uid == self._owner.uid:
            yield
            return
        os.setresgid(self._owner.gid, -1, -1)
        os.setresuid(self._owner.uid, -1, -1)
        try:
            yield
        finally:
            os.setresuid(uid, -1, -1)
            os.setresgid(gid, -1, -1)
