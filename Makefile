# One word per chore. `make demo` and `make test` are all a newcomer needs.
PYTHON ?= python3
SERVE ?= 1
VENV := .venv
BIN := $(VENV)/bin
APT := DEBIAN_FRONTEND=noninteractive apt-get
.DEFAULT_GOAL := help
.PHONY: help setup browser demo test check bench app

help:  ## list the chores
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/'

$(VENV)/.done: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && $(APT) update -qq && $(APT) install -y -qq python3-venv; } || { echo "install python3-venv first"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

setup: $(VENV)/.done  ## make .venv with the program and its development tools

browser:  # Debian's Chromium and Chinese glyphs, for the page tests
	@if command -v chromium >/dev/null && fc-list :lang=zh 2>/dev/null | grep -q .; then :; \
	elif [ "$$(id -u)" = 0 ]; then echo "installing chromium and fonts-noto-cjk"; $(APT) update -qq && $(APT) install -y -qq --no-install-recommends chromium fontconfig fonts-noto-cjk >/dev/null; \
	else echo "the page tests need chromium and fonts-noto-cjk: ask an administrator to apt-get install them"; exit 1; fi

demo: setup  ## make an account, import it, review it and open the page (SERVE=0: print and exit)
	$(BIN)/optimizer demo --store .demo $(if $(filter 0,$(SERVE)),--no-serve,)

test: setup browser check  ## lint, types, import rules and every test
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: setup  ## ruff, mypy and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup  ## allocation, rates, elasticity, lag, predictions, bid tests, markets, creative tests, review, imports, history, kills; print figures
	$(BIN)/python -m simulations.bench_allocation --keywords 10000 --nested
	$(BIN)/python -m simulations.bench_rates --keywords 20000
	$(BIN)/python -m simulations.bench_elasticity --keywords 5000
	$(BIN)/python -m simulations.bench_lag --seeds 4
	$(BIN)/python -m simulations.bench_predictive --seeds 20 --kind-seeds 4
	$(BIN)/python -m simulations.bench_exploration --seeds 2
	$(BIN)/python -m simulations.bench_market --seeds 20 --jobs 2
	$(BIN)/python -m simulations.bench_creatives --seeds 2
	$(BIN)/python -m simulations.bench_stopping --runs 400
	$(BIN)/python -m simulations.replay_creatives
	$(BIN)/python -m simulations.bench_review
	$(BIN)/python -m simulations.bench_import --rows 500000 --xlsx 20000
	$(BIN)/python -m simulations.bench_history --keywords 10000 --days 200
	$(BIN)/python -m simulations.bench_kill

app: setup  ## serve the pages on this machine
	$(BIN)/optimizer serve --store .demo
