# Everything that is built or fetched goes to the user's cache directory: see scripts/setup.

SHELL := bash
.DEFAULT_GOAL := help

# Read anew for every recipe, since setup changes it. Inside an `if`, a failing
# `eval "$(...)"` would go unseen: hence the assignment of its own.
env = set -euo pipefail; environment=$$(scripts/setup env); eval "$$environment";

ARGS ?=
PKG ?= ./...
BENCH ?= .

.PHONY: help
help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Build llama.cpp, fetch a 135M model, run examples/smishing (ARGS='...' goes to it)
	@scripts/setup llama
	@scripts/setup models smollm2
	@$(env) go run -tags llamacpp ./examples/smishing $(ARGS)

.PHONY: setup
setup: ## Set up all that the tests use: llama.cpp, both models, schemas, golangci-lint
	@scripts/setup llama
	@scripts/setup models all
	@scripts/setup schemas
	@scripts/setup lint

.PHONY: models
models: ## Fetch the models SmolLM2 135M and Gemma 3 270M
	@scripts/setup models all

.PHONY: dspy
dspy: ## Install the pinned DSPy for the interop test; prints the line to eval
	@scripts/setup dspy
	@scripts/setup env | grep WHET_DSPY_PYTHON

.PHONY: server
server: ## Build llama-server of the pinned llama.cpp (5-9 min); test then runs its suites, too
	@scripts/setup server

.PHONY: test
test: setup ## Set up, then vet, lint and test all with -race (llama-server: after make server)
	@scripts/check all

.PHONY: test-quick
test-quick: ## Test without llama.cpp and without setting anything up
	@go test ./...

.PHONY: test-all
test-all: dspy server test ## What CI runs: test, also against the real DSPy and llama-server

.PHONY: bench
bench: ## Run benchmarks (PKG=./module BENCH=Predict)
	@scripts/setup llama
	@$(env) go test -tags llamacpp -run '^$$' -bench '$(BENCH)' -benchmem $(PKG)

.PHONY: bench-calibration
bench-calibration: ## Cross-validate the defaults of optimize.Calibrate on the SMS training rows
	@scripts/setup llama
	@scripts/setup models smollm2
	@$(env) go run -tags llamacpp ./bench/calibration $(ARGS)

.PHONY: bench-compose
bench-compose: ## Compare ensembles, votes, mixtures and cascades on the SMS example (ARGS=-assertions for those; 50 min)
	@scripts/setup llama
	@scripts/setup models all
	@$(env) go run -tags llamacpp ./bench/compose $(ARGS)

.PHONY: bench-optimizers
bench-optimizers: ## Compare Race with DSPy's optimizers on synthetic models (ARGS='-dspy' for DSPy's side)
	@scripts/setup dspy
	@$(env) go run ./bench/optimizers $(ARGS)

.PHONY: bench-regret
bench-regret: ## Race, MIPROv2 and random order on a grid of SMS programs whose true scores are known (first run 30 to 100 min)
	@scripts/setup llama
	@scripts/setup models all
	@$(env) go run -tags llamacpp ./bench/regret $(ARGS)

.PHONY: bench-overhead
bench-overhead: dspy ## Measure the overhead of Predict, whet's and DSPy's, one after the other
	@$(env) go test -run '^$$' -bench '^BenchmarkPredict' -benchmem ./module
	@$(env) "$$WHET_DSPY_PYTHON" bench/peers/dspy_overhead.py

.PHONY: bench-llama
bench-llama: ## Compare with DSPy + llama-server on one model file (ARGS='-rounds 1 -limit 16', -search, -model gemma)
	@scripts/setup llama
	@scripts/setup models all
	@scripts/setup dspy || echo "bench-llama: without DSPy our side runs alone" >&2
	@scripts/setup server || echo "bench-llama: without llama-server our side runs alone" >&2
	@$(env) go run -tags llamacpp ./bench/llama $(ARGS)

.PHONY: bench-engine
bench-engine: ## Measure the engine: rows/s, tokens, a form's cost, time outside of llama_decode
	@scripts/setup llama
	@scripts/setup models all
	@$(env) go test -tags llamacpp -run '^$$' -bench 'Classify|Form|Overhead|Tokenize' -timeout 60m ./lm/llamacpp

.PHONY: bench-grammar
bench-grammar: ## Let SmolLM2 generate 10,000 values of 33 schemas and validate each (40 min)
	@scripts/setup llama
	@scripts/setup models smollm2
	@$(env) go test -tags llamacpp -run TestGenerateBySchema/smollm2 -v -timeout 120m ./lm/llamacpp -generations 10000

.PHONY: prices
prices: ## Make lm/price's table anew from the pinned genai-prices (10 s)
	@python3 lm/price/gen/gen.py

.PHONY: bench-dspy
bench-dspy: dspy ## Measure DSPy's overhead per call on this machine
	@$(env) "$$WHET_DSPY_PYTHON" bench/peers/dspy_overhead.py

.PHONY: asan
asan: ## Run lm/llamacpp under AddressSanitizer (3 min; gcc with libasan)
	@scripts/setup llama
	@scripts/setup models all
	@$(env) CC=gcc go test -asan -tags llamacpp -timeout 30m ./lm/llamacpp -run 'TestSuite/smollm2|TestCancelStops|TestNoTemplate|TestOpenRefuses|TestReasonIsItsOwn|TestEmbedBERT|TestEmbedStops|TestScore|TestDataIsText/smollm2|TestChoiceProbabilities/smollm2'

.PHONY: lint
lint: ## Lint with the pinned golangci-lint
	@scripts/setup llama
	@scripts/setup lint
	@scripts/check lint

.PHONY: fmt
fmt: ## Format with the pinned golangci-lint
	@scripts/setup lint
	@$(env) "$$WHET_GOLANGCI_LINT" fmt

.PHONY: clean
clean: ## Remove what lies in the tree; the cache directory stays
	@rm -rf bin dist smishing-program.json
