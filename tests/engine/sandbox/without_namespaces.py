"""Run a command as an ordinary user for whom the kernel refuses user namespaces, as hardened systems do.

    python without_namespaces.py UID command...            needs root

The refusal is set in a user namespace of the command's own, so that nobody else on the machine notices.
"""

from __future__ import annotations

import os
import sys

from autograder.sandbox import kernel


def main() -> None:
    uid, command = int(sys.argv[1]), sys.argv[2:]
    entered, map_written = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        kernel.unshare(kernel.CLONE_NEWUSER)
        os.write(entered[1], b"x")
        os.read(map_written[0], 1)
        with open("/proc/sys/user/max_user_namespaces", "w") as file:
            file.write("0")
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        os.execvp(command[0], command)
    os.read(entered[0], 1)
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{child}/{name}", "w") as file:
            file.write("0 0 65536")
    os.write(map_written[1], b"x")
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()
