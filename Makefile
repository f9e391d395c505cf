# Two commands: `make demo` sets up and grades the example class, `make test` sets up and passes all tests.

PYTHON ?= python3
BIN := .venv/bin
# The CPU build, without CUDA packages. With a GPU: make TORCH=torch==2.13.0 CONSTRAINTS= ...
TORCH ?= torch==2.13.0
CONSTRAINTS ?= -c constraints.txt
# A process per core; what shares warm workers stays together (tests/conftest.py).
SHARED_OUT ?= -n logical --maxprocesses 8 --dist loadscope
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: demo test test-all bridges lint docs assign handout messages calibrate verify bench clean

demo: .venv/assigned
	@# Status 3: some of what the example class handed in needs a person.
	$(BIN)/autograder grade examples/submissions --out out/demo || [ $$? -eq 3 ]
	$(BIN)/autograder report out/demo --class out/demo/pages --html out/demo/pages/students --teacher --submissions examples/submissions
	@echo "open:    out/demo/pages/class.html           the class"
	@echo "         out/demo/pages/students/bilal.html  a student who did well"
	@echo "         out/demo/pages/students/daniel.html one with a typical mistake"

test: .venv/assigned
	$(BIN)/python -m pytest -m "not slow" $(SHARED_OUT)

test-all: .venv/assigned
	$(BIN)/python -m pytest $(SHARED_OUT)

lint: .venv/assigned
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/autograder assign --check
	$(BIN)/python docs/generate.py --check

# The pages that follow from the code, then all of them as HTML; a warning is an error.
docs: .venv/assigned
	$(BIN)/python docs/generate.py
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs out/docs
	@echo "docs:    out/docs/index.html"

assign: .venv/installed
	$(BIN)/autograder assign

# What a teacher gives to students: exercises/LANGUAGE with the package as a wheel, zipped.
handout: .venv/assigned
	rm -rf out/handout && mkdir -p out/handout
	$(BIN)/autograder assign > /dev/null
	cp -r exercises/* out/handout/
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w out/handout/wheel .
	cd out/handout && for file in */course.yaml; do \
		cp wheel/*.whl "$${file%/*}"; \
		"$(CURDIR)/$(BIN)/python" -m zipfile -c "$${file%/*}.zip" "$${file%/*}"; \
	done
	rm -r out/handout/wheel
	@ls out/handout/*.zip

messages: .venv/installed
	$(BIN)/autograder messages --framework
	$(BIN)/autograder messages

calibrate: .venv/installed
	$(BIN)/autograder calibrate --all

verify: .venv/installed
	$(BIN)/autograder verify --all --exact-seeds 150 --picture docs/pictures

# Side by side with nbgrader and otter-grader; needs a machine that does nothing else, and an hour.
bench: .venv/installed .venv-bridges/installed
	$(BIN)/python benchmarks/bench.py

# What students get is made from the solutions and not committed.
.venv/assigned: .venv/installed grading_config.yaml $(wildcard solutions/*/*.py tests/hidden/*/*.py translations/*/*/*.po)
	$(BIN)/autograder assign > /dev/null
	@touch $@

# torch first and by itself: another package that asks for torch would take a build with CUDA.
.venv/installed: Makefile pyproject.toml setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) $(CONSTRAINTS) "$(TORCH)" || { echo "No CPU build of torch was found: name an index that has it in PIP_EXTRA_INDEX_URL, or for a GPU run: make TORCH=torch CONSTRAINTS="; exit 1; }
	$(PIP) $(CONSTRAINTS) setuptools babel
	$(PIP) $(CONSTRAINTS) --no-build-isolation -e ".[instructor,classroom,postgresql,cluster,development]"
	@touch $@

# nbgrader and otter-grader, with Jupyter, beside ours: for the slow tests of the bridges and for `make bench`.
bridges: .venv-bridges/installed

.venv-bridges/installed: pyproject.toml constraints.txt
	test -x .venv-bridges/bin/python || $(PYTHON) -m venv .venv-bridges
	.venv-bridges/bin/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS) "$(TORCH)" setuptools babel
	.venv-bridges/bin/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS) --no-build-isolation -e ".[instructor,nbgrader,otter]"
	@touch $@

clean:
	rm -rf .venv .venv-bridges out
