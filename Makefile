# The front door. `make` alone lists what there is; ARGS goes to the program: make run ARGS='--json'

MAKEFLAGS += --no-print-directory
export PATH := $(CURDIR)/.cache/node/bin:$(CURDIR)/node_modules/.bin:$(PATH)

node := node --disable-warning=ExperimentalWarning
as_root = @[ "$$(id -u)" = 0 ] || { echo "make $@: needs root to load programs into the kernel; run: sudo make $@" >&2; exit 1; }

.DEFAULT_GOAL := help
.PHONY: help setup build run trace doctor demo test test-kernels check fmt gen dev bench bench-attribution bench-rules fuzz lock clean

help: ## list these targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 26

setup: ## install what is missing: Debian packages, Node 24, npm packages
	@sh scripts/setup.sh

build: setup ## compile the kernel side
	@sh scripts/build-bpf.sh

run: ## observe this host and print findings (root)
	$(as_root)
	@$(MAKE) build
	@bin/throughline run $(ARGS)

trace: ## print every request with what it did (root)
	$(as_root)
	@$(MAKE) build
	@bin/throughline trace $(ARGS)

doctor: build ## say what this kernel supports and what would be attached
	@bin/throughline doctor $(ARGS)

demo: setup ## attack a small vulnerable service; watch it in `make run`
	@$(node) demo/run.ts $(ARGS)

test: ## all tests; ARGS=word runs the files with that word in their path (root)
	$(as_root)
	@sh scripts/setup.sh test
	@sh scripts/build-bpf.sh
	@$(node) scripts/test.ts $(ARGS)

test-kernels: ## what has to work everywhere, on Debian's kernels in QEMU; KERNELS=6.1 runs one (root)
	$(as_root)
	@sh scripts/setup.sh test
	@sh scripts/build-bpf.sh
	@$(node) scripts/test-kernels.ts $(KERNELS) $(ARGS)

check: build ## types, lint, format, layers, generated files, the kernel side's stack, dead code
	@$(node) scripts/check.ts $(ARGS)

fmt: setup ## format the sources
	@oxfmt

gen: build ## write the generated files anew
	@$(node) scripts/gen.ts

dev: setup ## run the tests of src again whenever a file changes
	@$(node) --watch --test 'src/**/*.test.ts'

bench: ## measure what it costs, write docs/BENCHMARKS.md (root)
	$(as_root)
	@sh scripts/setup.sh bench
	@sh scripts/build-bpf.sh
	@$(node) bench/run.ts $(ARGS)

bench-attribution: ## measure which effects are put on the right request (root)
	$(as_root)
	@sh scripts/setup.sh
	@sh scripts/build-bpf.sh
	@sh bench/attribution/setup.sh
	@$(node) bench/attribution/run.ts $(ARGS)

bench-rules: setup ## measure what rules cost; ARGS=--write writes docs/BENCHMARKS-RULES.md
	@$(node) bench/rules.ts $(ARGS)

fuzz: setup ## throw hostile input at the parsers
	@$(node) test/fuzz.ts $(ARGS)

lock: ## bring package-lock.json in line with package.json
	@npm install --package-lock-only --ignore-scripts --loglevel=error
	@$(node) scripts/clean-lock.ts

clean: ## remove all that setup and build made
	rm -rf build .cache node_modules
