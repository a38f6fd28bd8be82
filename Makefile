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
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: setup  ## ruff, mypy and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# $(call part,WHAT IT SHOWS,MINUTES,STUDY WITH ITS ARGUMENTS); minutes alone on two cores, scaled from shorter runs
define part
@printf '\n== %s (about %s min)\n' '$(1)' '$(2)'
$(BIN)/python -m simulations.$(3)
endef

bench: setup  ## every study in small, the markets last: figures of each (about 55 minutes alone on two cores; each says its share first)
	$(call part,allocation: time and gap of a nested solve,1,bench_allocation --keywords 10000 --nested)
	$(call part,rates: share of the oracle and coverage,1,bench_rates --keywords 20000)
	$(call part,responses to bids,1,bench_elasticity --keywords 5000)
	$(call part,late conversions,1,bench_lag --seeds 2)
	$(call part,predictions held to what came,2,bench_predictive --seeds 6 --kind-seeds 2 --markets 4)
	$(call part,bid tests,3,bench_exploration --seeds 1)
	$(call part,creative tests against peers,2,bench_creatives --seeds 2)
	$(call part,creative tests read daily: false winners,1,bench_stopping --runs 400)
	$(call part,creative tests replayed,1,replay_creatives)
	$(call part,review of 100 000 keywords,3,bench_review)
	$(call part,a queue of 56 000 suggestions in a browser,5,bench_queue --times 2)
	$(call part,import of 500 000 rows,1,bench_import --rows 500000 --xlsx 20000)
	$(call part,history read as of a day,1,bench_history --keywords 10000 --days 100)
	$(call part,ten operators on a live server,6,bench_load --minutes 5)
	$(call part,imports killed half way,1,bench_kill --times 10)
	$(call part,past weeks forecast from what was known then,1,bench_backtest --seeds 1 --weeks 3)
	$(call part,plans held to the truth of small markets,1,bench_plans --seeds 2)
	$(call part,the adapter in auctions of other makes,1,bench_adapter --seeds 1)
	$(call part,what orders let anybody earn under a tight budget,1,bench_ceiling --seeds 2)
	$(call part,every policy in every market on 20 seeds,20,bench_market --seeds 20 --jobs 2)

app: setup  ## serve the pages on this machine
	$(BIN)/optimizer serve --store .demo
