# Everything on a fresh machine with Python 3.11 (and its headers) and make: `make demo`, `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAM := .tools/aws-sam-cli
SAM_VERSION := 1.170.0
AWSCLI := .tools/awscli
AWSCLI_VERSION := 1.46.3
C_CHECKS := -*,clang-analyzer-*,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,-clang-analyzer-unix.cstring.NullArg
LAUNCHER_C := $(filter-out %plain_launcher.c,$(wildcard src/pyl/image/launcher/*.c src/pyl/image/arch/x86_64/*.c))
RUNTIME_C := $(wildcard src/pyl/runtime/c/*.c)
CONFORMANCE := $(patsubst %,tests/unit/runtime/test_conformance_%.py,api fuzz handlers streaming)
HOST_C := $(wildcard src/pyl/bench/*.c src/pyl/bench/c/*.c src/pyl/toolchain/*.c)
# The driver uses vfork to read the clock right before execve and to set a death signal: posix_spawn can do neither.
HOST_C_CHECKS := $(C_CHECKS),-clang-analyzer-security.insecureAPI.vfork,-clang-analyzer-unix.Vfork
C_INCLUDE := -Isrc/pyl/image/launcher -Isrc/pyl/image/arch/x86_64
KERNEL_HEADERS = $(wildcard $(VENV)/lib/python3*/site-packages/ziglang/lib/libc/include/x86-linux-any \
  $(VENV)/lib/python3*/site-packages/ziglang/lib/libc/include/any-linux-any)
PYTHON_HEADERS = $(shell $(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("include"))')
SANITIZED := gcc -std=c11 -O1 -g -fPIC -shared -fsanitize=address,undefined -fno-sanitize-recover=all $(C_INCLUDE)
C_FILES := $(wildcard src/pyl/image/launcher/*.[ch] src/pyl/image/arch/*/*.[ch] src/pyl/runtime/c/*.[ch] \
  src/pyl/bench/*.c src/pyl/bench/c/*.[ch] src/pyl/toolchain/*.c)

.PHONY: help demo bench bench-load coverage test test-unit test-conformance test-integration test-deploy test-container bench-container test-sanitizers test-matrix test-endurance fuzz-image test-truth test-truth-chosen lint format format-c analyze generate clean

help:
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 26

$(VENV)/ready: pyproject.toml requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirements requirements-dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

# Holds AWS's Runtime Interface Emulator and sample events; its dependencies are not needed for either.
$(SAM)/ready: $(VENV)/ready
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --target $(SAM) aws-sam-cli==$(SAM_VERSION)
	touch $@

# The AWS CLI pins its own botocore, so it has an environment of its own.
$(AWSCLI)/ready: $(VENV)/ready
	$(PYTHON) -m venv $(AWSCLI)
	$(BIN)/uv pip install --quiet --python $(AWSCLI)/bin/python awscli==$(AWSCLI_VERSION)
	touch $@

demo: $(VENV)/ready ## build an example both ways, invoke it, show cold start and memory
	$(BIN)/python examples/demo.py

bench: $(VENV)/ready ## measure hello and orders both ways: build/bench/report.{html,json,md}
	$(BIN)/python -m benchmarks.run --also growth --also compute --also crowds --also memory \
	  --json build/bench/report.json --html build/bench/report.html --markdown build/bench/report.md

test: test-unit test-integration test-truth-chosen ## all tests

test-unit: $(VENV)/ready ## the fast tests, on all processors
	$(BIN)/python -m pytest -n auto tests/unit

test-conformance: $(VENV)/ready ## the runtime against Lambda's contract and AWS's client: from source, interpreted, native
	$(BIN)/python -m pytest tests/unit/runtime tests/integration/conformance

test-integration: $(VENV)/ready $(SAM)/ready $(AWSCLI)/ready ## the tests with real compilers, emulators and processes
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not alone" tests/integration
	$(BIN)/python -m pytest -m alone tests/integration

test-deploy: $(VENV)/ready $(AWSCLI)/ready ## deployment, against a local AWS
	$(BIN)/python -m pytest tests/unit/deploy tests/integration/deploy

test-container: $(VENV)/ready $(SAM)/ready ## the tests of the container builder; as root they start an engine themselves
	$(BIN)/python -m pytest tests/unit/packaging/container tests/integration/container

bench-container: $(VENV)/ready ## time builds in the container: first, and after a change
	$(BIN)/python -m benchmarks.container_builds

# A process under ASan keeps freed memory, so the test of a growing process does not apply.
test-sanitizers: $(VENV)/ready ## JSON, HTTP, the loop and the page codec in C under ASan and UBSan (gcc)
	mkdir -p build/sanitized
	$(SANITIZED) -D_GNU_SOURCE -DPYL_IMAGES -isystem $(PYTHON_HEADERS) -o build/sanitized/_native.so $(RUNTIME_C)
	$(SANITIZED) -o build/sanitized/page_codec.so src/pyl/image/launcher/page_codec.c
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" PYTHONMALLOC=malloc \
	  ASAN_OPTIONS=detect_leaks=0 PYL_TEST_NATIVE=build/sanitized/_native.so PYL_TEST_PAGE_CODEC=build/sanitized/page_codec.so \
	  $(BIN)/python -m pytest -p no:cacheprovider -k 'not interpreted and not process_grow' \
	  tests/integration/runtime/test_json.py tests/integration/image/test_page_codec.py $(CONFORMANCE)

test-matrix: $(VENV)/ready ## images on kernels 5.10, 6.1, 6.12 and emulated processors (qemu-system-x86_64; long)
	PYL_MATRIX=1 $(BIN)/python -m pytest tests/integration/matrix

test-endurance: $(VENV)/ready ## 1,000 restores, 100,000 invocations of one restored process
	PYL_RESTORES=1000 PYL_INVOCATIONS=100000 $(BIN)/python -m pytest -s tests/integration/image/test_endurance.py

test-truth: $(VENV)/ready ## 550 handlers, started plainly and from their images: the same answers (build/truth.md)
	$(BIN)/python -m pytest -n 2 --dist loadgroup tests/truth

test-truth-chosen: $(VENV)/ready ## a sixth of test-truth, as part of the tests
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m chosen tests/truth

fuzz-image: $(VENV)/ready ## images damaged at random; PYL_FUZZ: how many (600), PYL_FUZZ_SEED: where to start
	PYL_FUZZ=$${PYL_FUZZ:-600} $(BIN)/python -m pytest -s tests/integration/image/test_fuzz.py

bench-load: $(VENV)/ready ## 64 callers for 30 s through pyl watch, native and interpreted
	$(BIN)/python -m benchmarks.watch_load

lint: $(VENV)/ready ## ruff, mypy, and clang-format where it is installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	@if command -v clang-format >/dev/null; then clang-format --dry-run --Werror $(C_FILES); fi

coverage: $(VENV)/ready ## branch coverage of the unit tests
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest tests/unit
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --sort=cover

format: $(VENV)/ready ## ruff's formatter and fixes
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

format-c: ## the same for C (clang-format 14)
	clang-format -i $(C_FILES)

analyze: $(VENV)/ready ## clang's static analyser on the launcher, the capture loader, the C runtime and the benchmark
	clang-tidy --quiet --checks='$(C_CHECKS)' --warnings-as-errors='*' $(LAUNCHER_C) -- -std=c11 -ffreestanding \
	  -fno-builtin '-DLOADER="loader"' $(C_INCLUDE) $(addprefix -isystem ,$(KERNEL_HEADERS))
	clang-tidy --quiet --checks='$(C_CHECKS)' --warnings-as-errors='*' $(RUNTIME_C) -- -std=c11 -D_GNU_SOURCE \
	  -DPYL_IMAGES $(C_INCLUDE) -isystem $(PYTHON_HEADERS)
	clang-tidy --quiet --checks='$(HOST_C_CHECKS)' --warnings-as-errors='*' $(HOST_C) -- -std=gnu11 -D_GNU_SOURCE

generate: $(VENV)/ready ## C headers, documentation tables and the schema, from their declarations
	$(BIN)/python -m pyl.image.headers
	$(BIN)/python -m pyl.project.config.reference

clean: ## remove what make and pyl made here
	rm -rf $(VENV) .tools build examples/*/build .mypy_cache .ruff_cache .pytest_cache .hypothesis
