# Everything happens in .venv; nothing else on the machine is touched.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo demo-train test check docs format clean

demo: .venv/core
	@rm -rf runs/demo
	@$(BIN)/seedbed run examples/demo.toml --out runs/demo
	@$(BIN)/seedbed show runs/demo

# One thread: a student this small loses more to waiting than it gains from a second one.
demo-train: export OMP_NUM_THREADS = 1
demo-train: MARK = --benchmark practice --k 1,2 --items 150 --trained runs/demo-train
demo-train: .venv/train
	@rm -rf runs/demo-train
	@$(BIN)/seedbed run examples/demo_train.toml --out runs/demo-train
	@$(BIN)/seedbed train runs/demo-train
	@$(BIN)/seedbed eval runs/demo-train/training/base $(MARK) --out runs/demo-train/before --json > /dev/null
	@$(BIN)/seedbed eval runs/demo-train/training $(MARK) --out runs/demo-train/after
	@echo "after and before:"
	@$(BIN)/seedbed compare runs/demo-train/after runs/demo-train/before

test: .venv/dev
	$(BIN)/pytest -n 2

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: .venv/dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The pins in constraints.txt hold for all that is installed here, so that a red run means a change of ours.
.venv/core: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

# PyTorch first: whatever depends on it would else bring a build of its own.
.venv/train: .venv/core
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[train]'
	@touch $@

.venv/dev: .venv/train
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

clean:
	rm -rf .venv runs build dist src/*.egg-info
