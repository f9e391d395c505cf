"""The two scripts of an autograder for Gradescope: `setup.sh` and `run_autograder`.

`AUTOGRADER_BASE` and `AUTOGRADER_PYTHON` let them run in any folder laid out like Gradescope's /autograder.
"""

from __future__ import annotations

import shlex

_SETUP = """\
#!/usr/bin/env bash
# Run once, when the image is built: Python 3.11 or newer, the libraries, and a look at what the sandbox can use here.
set -euo pipefail
base="${AUTOGRADER_BASE:-/autograder}"
cd "$base/source"
export DEBIAN_FRONTEND=noninteractive

new_enough() {
    command -v "$1" > /dev/null &&
        "$1" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2> /dev/null
}
python=""
for candidate in python3.13 python3.12 python3.11 python3; do
    if new_enough "$candidate"; then python="$candidate"; break; fi
done
if [ -z "$python" ]; then
    apt-get update
    apt-get install -y --no-install-recommends python3.11 python3.11-venv
    python=python3.11
fi
"$python" -m venv /opt/autograder
pip() { /opt/autograder/bin/python -m pip --disable-pip-version-check --no-cache-dir "$@"; }
# torch first and by itself: another package that asks for torch would take a build with CUDA.
pip install @TORCH@
pip install -r requirements.txt
/opt/autograder/bin/python -m compileall -q package

# The sandbox keeps student code from these files; root's alone they are as well.
chmod -R go-rwx "$base/source"
PYTHONPATH="$base/source/package" /opt/autograder/bin/python -P -m autograder.bridges.gradescope.run --probe
"""

_RUN = """\
#!/usr/bin/env bash
# Run for every submission. What is printed here is for instructors; students see results/results.json.
set -uo pipefail
base="${AUTOGRADER_BASE:-/autograder}"
export PYTHONPATH="$base/source/package" PYTHONDONTWRITEBYTECODE=1
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
exec "${AUTOGRADER_PYTHON:-/opt/autograder/bin/python}" -P -m autograder.bridges.gradescope.run "$base"
"""


def setup_script(torch: str, index: str | None) -> str:
    """`setup.sh`."""
    words = [*(["--extra-index-url", index] if index else []), torch]
    return _SETUP.replace("@TORCH@", " ".join(map(shlex.quote, words)))


def run_script() -> str:
    """`run_autograder`."""
    return _RUN
