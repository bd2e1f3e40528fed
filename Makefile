# What people run. `make test` is what CI runs: everything, on a machine that has nothing but Go and make.

SHELL   := bash
GO      ?= go
RUN     ?= .

.PHONY: build test setup lint test-go test-bench test-js test-browser test-crash-long test-cluster verify-long test-model-long test-websocket-long fuzz-websocket measure clean

build: ## the binary, in bin/parley
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/parley ./cmd/parley

test: setup lint test-go test-bench test-js test-browser ## everything: linters, Go with the race detector, JavaScript, a real browser
	@echo "all tests passed"

setup: ## installs what the tests need (system packages as root, npm packages)
	@scripts/setup.sh

# Compiled as the binary is shipped, so that what is compiled for one serves the other: SQLite alone takes a minute.
lint: export CGO_ENABLED = 0
lint: export GOFLAGS := $(shell $(GO) env GOFLAGS) -trimpath
lint: ## formatting, vet, staticcheck, the three systems' builds, JavaScript types
	@test -z "$$(gofmt -l . | grep -v node_modules | tee /dev/stderr)" || { echo "run gofmt -w on these files"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	GOOS=darwin $(GO) vet ./websocket/ ./channel/ ./cmd/parley/
	GOOS=windows $(GO) vet ./websocket/ ./channel/ ./cmd/parley/
	GOARCH=386 $(GO) vet ./websocket/ ./channel/ ./transport/
	cd web && npm run --silent types

# Much of what tests do is wait, for other processes and for real time: so half as many packages again as there are processors.
PACKAGES ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) * 3 / 2)))
# What counts bytes and allocations says nothing with the race detector, which adds its own; elsewhere such tests bear it.
GATES := ^(TestAlloc_|TestListener_BlockingConnectionsWaitOnSmallStacks|TestServer_7692_(Idle|Bombs))
test-go: ## Go, with the race detector; then what counts bytes and allocations, without
	$(GO) test -race -p $(PACKAGES) -timeout 15m ./...
	$(GO) test -run '$(GATES)' ./websocket

test-bench: ## the benchmarks' own tests: one tiny round of everything
	cd bench && $(GO) vet ./... && $(GO) test ./...

test-js: build ## the tests of the SDK and of the pages' modules
	cd web && PARLEY_BIN=$(CURDIR)/bin/parley npm test --silent

test-browser: build ## real Chromium, real proxies, against the built binary
	cd e2e && npm test --silent

test-crash-long: ## kill -9 under load, 50 times (make test does it 5 times)
	PARLEY_KILLS=50 $(GO) test -count=1 -timeout 60m -run TestKill -v ./cmd/parley

SEEDS ?= 5000
test-model-long: ## the model test of delivery for SEEDS seeds (make test has 16); PARLEY_FIRST_SEED=N begins there, PARLEY_SEED=N runs that one
	set -o pipefail; PARLEY_SEEDS=$(SEEDS) $(GO) test -count=1 -timeout 120m -run TestSimulation -v ./internal/simulation | grep -v '^=== \|--- PASS: TestSimulation/'

test-cluster: ## faults of Redis, Sentinels and clusters under writes, again and again (make test does each once)
	PARLEY_ROUNDS=10 $(GO) test -race -count=1 -timeout 60m -run 'TestFault|TestSentinels|TestCluster' -v ./engine/redis
	PARLEY_ROUNDS=10 $(GO) test -race -count=1 -timeout 60m -run TestNodes -v ./cmd/parley

test-websocket-long: ## 100,000 WebSocket connections come and go, in each form of server (make test has 5,000)
	PARLEY_CONNECTIONS=100000 $(GO) test -count=1 -timeout 60m -run TestEcho_NothingIsLeft -v ./websocket

verify-long: ## parley verify while the server is killed 20 times, directly and through a bad proxy, and against liars, a few minutes (make test does it in seconds)
	PARLEY_KILLS=20 $(GO) test -count=1 -timeout 30m -run TestVerify -v ./cmd/parley
	$(GO) test -count=3 -timeout 30m ./verify

FUZZTIME ?= 1m
fuzz-websocket: ## each fuzz target of the WebSocket library for FUZZTIME
	@for f in $$($(GO) test ./websocket -list 'Fuzz.*' | grep ^Fuzz); do $(GO) test ./websocket -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) || exit 1; done

measure: build ## start time, idle memory, page weight, durable publishes a second
	cd bench && $(GO) run ./measure ../bin/parley

clean:
	rm -rf bin

BENCH ?=
.PHONY: bench-websocket
bench-websocket: ## WebSocket servers side by side, about a quarter of an hour; BENCH='-rows echo-64 -rounds 3' for less (bench/README.md)
	cd bench && $(GO) run ./websocket $(BENCH)

.PHONY: bench-delivery
bench-delivery: ## whole servers side by side, about ten minutes; BENCH='-rows fanout-ws -rounds 1' for less (bench/README.md)
	cd bench && $(GO) run ./delivery $(BENCH)

.PHONY: bench-nodes
bench-nodes: ## two nodes on one Redis, beside Redis alone, a few minutes; BENCH='-rows ballots -rounds 1' for less (bench/README.md)
	cd bench && taskset -c 0,1 $(GO) run ./nodes $(BENCH)
