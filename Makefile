# Everything that a person does with the source. `make help` lists it; nothing needs to be set up before.

# Debian's packages: what a Qt window needs, and what the tests and the drawing of pictures need beside it. Of MariaDB
# only the programs: mariadb-server would start a database of its own.
TO_RUN := python3-venv ca-certificates fonts-dejavu-core libdbus-1-3 libegl1 libfontconfig1 libgl1 libglib2.0-0 \
	libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 \
	libxkbcommon-x11-0
TO_TEST := at-spi2-core bind9 bind9-dnsutils curl dbus dbus-x11 gir1.2-atspi-2.0 gnome-keyring imagemagick iproute2 knot \
	libglib2.0-bin mariadb-client-core mariadb-server-core nginx-light openbox pdns-backend-sqlite3 pdns-server postgresql \
	procps prometheus-blackbox-exporter python3-pyatspi trayer unbound x11-utils xdotool xvfb

PYTHONS := python3 python3.14 python3.13 python3.12 python3.11
BIN := .venv/bin
PYTEST := pytest -n 3 --dist worksteal --max-worker-restart 0 --durations 25 --durations-min 1

# Debian keeps name servers and web servers where an ordinary user's PATH does not look.
export PATH := $(CURDIR)/$(BIN):$(PATH):/usr/local/sbin:/usr/sbin:/sbin
# The tests open real windows on a screen of their own, and start hundreds of programs that are compiled once.
unexport QT_QPA_PLATFORM PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help lab run test lint long bench pictures providers stage clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

lab: .venv/installed ## set everything up and open the practice ground: a service to break and to switch
	changeover lab

run: .venv/installed ## open the desktop on your own settings
	changeover

test: lint ## set everything up and run all checks and tests but the long ones
	$(PYTEST) -m "not long"

lint: .make/to-test .venv/installed ## the checks without the tests: format, style, types, imports
	ruff format --check .
	ruff check .
	mypy
	lint-imports

long: .make/to-test .venv/installed ## the tests that take minutes
	$(PYTEST) -m long

bench: .make/to-test .venv/installed ## measure against other programs, and print the ratios
	python bench/measure.py

pictures: .make/to-test .venv/installed ## draw the pictures of the documentation anew
	python docs/draw_pictures.py

providers: .venv/installed ## write docs/providers.md and docs/platforms.md anew from what is declared
	python docs/write_providers.py

stage: .venv/installed ## put together what an installer is built from, in build/stage
	python packaging/build.py stage

clean: ## remove all that was made here
	rm -rf .venv .make build dist app/changeover/resources
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find app bench docs packaging tests -name __pycache__ -prune -exec rm -rf {} +

.venv/installed: pyproject.toml Makefile | .make/to-run
	@python=; for name in $(PYTHONS); do \
	    if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	done; \
	[ "$$python" ] || { echo "Changeover needs Python 3.11 or newer; none was found." >&2; exit 1; }; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $$python -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	ln -sfn ../../resources app/changeover/resources
	@touch $@

.make/to-run: Makefile
	$(call install,$(TO_RUN))
	@mkdir -p .make && touch $@

.make/to-test: Makefile
	$(call install,$(TO_RUN) $(TO_TEST))
	@mkdir -p .make && touch .make/to-run $@

# Installs the Debian packages that are not there yet. Elsewhere it names them and goes on.
define install
	@missing=; for package in $(1); do \
	    [ "$$(dpkg-query -W -f '$${db:Status-Status}' $$package 2>/dev/null)" = installed ] || missing="$$missing $$package"; \
	done; \
	root=; [ "$$(id -u)" = 0 ] || root=sudo; \
	if [ -z "$$missing" ]; then :; \
	elif ! command -v apt-get >/dev/null || { [ "$$root" ] && ! command -v sudo >/dev/null; }; then \
	    echo "Please install what these Debian packages hold, if it is not there yet:$$missing" >&2; \
	else \
	    echo "Installing Debian packages:$$missing"; \
	    $$root apt-get -qq -o DPkg::Lock::Timeout=300 update && \
	    $$root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
	        install -y --no-install-recommends $$missing >/dev/null; \
	fi
endef
