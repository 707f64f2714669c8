# Run `make help` for the targets.

GO         ?= go
FUZZTIME   ?= 5s
LINT        = golangci-lint
LINT_VERSION = v2.15.0
VULN_VERSION = v1.8.0
CACHE      ?= $(HOME)/.cache/crawlstats
export PATH := $(CACHE)/bin:$(PATH)

# The rooms that hold no engine and no system call: they build and pass on 32 bits.
PURE = ./events ./kvstore ./kvstore/kvstoretest ./stats ./stats/statstest

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: setup unit e2e examples gate ## all tests; installs what they need where it can

.PHONY: unit
unit: ## the tests that need no server: race detector, random order, 32 bits
	$(GO) test -race -shuffle=on -timeout 10m ./...
	GOARCH=386 CGO_ENABLED=0 $(GO) test -timeout 5m $(PURE)
	$(GO) test -tags crawlstats_portable -run 'Balances|Reset|Handle' ./stats
	$(GO) test -count=1 -run 'TestIdleMemory|TestAllocations' ./kvstore/badgerstore ./crawler/httpstats # what the race detector would change

.PHONY: e2e
e2e: ## the tests against real servers and clients
	cd test/e2e && $(GO) vet ./... && $(GO) test -race -shuffle=on -timeout 15m ./...
	cd test/e2e && $(GO) test -run 'AMillion' ./hostile # whole: under the race detector it is a part

.PHONY: examples
examples: ## crawlers on other clients, a module of its own
	cd examples && $(GO) vet ./... && $(GO) test -race -shuffle=on -timeout 5m ./...

.PHONY: gate
gate: ## the cost of a request against the floor, and its allocations
	cd bench && $(GO) vet ./... && $(GO) test -count=1 -timeout 5m ./...

.PHONY: setup
setup: ## what the tests talk to: Debian packages as root, statsd servers as anybody
	./scripts/setup
	@if command -v npm >/dev/null; then ./test/e2e/install.sh || echo 'the statsd servers could not be installed: their tests will say so'; fi

.PHONY: check
check: tools ## tidy, vet, lint, formatting
	$(GO) mod tidy -diff
	cd test/e2e && $(GO) mod tidy -diff
	cd examples && $(GO) mod tidy -diff
	cd bench && $(GO) mod tidy -diff
	$(GO) vet ./...
	GOOS=windows $(GO) vet ./kvstore/... ./events/... ./logging ./stats/...
	GOOS=darwin $(GO) vet ./kvstore/... ./events/... ./logging ./stats/...
	$(LINT) run --allow-parallel-runners ./...

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (5s)
	@$(GO) list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./... | while read -r pkg; do \
		$(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' | while read -r target; do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg >$(CACHE)/fuzz.log 2>&1 || { cat $(CACHE)/fuzz.log; exit 1; }; \
		done || exit 1; \
	done

.PHONY: fresh
fresh: ## the example twice, as a new user runs it, in a fresh clone
	./scripts/fresh

.PHONY: kills
kills: ## the long form of the crash tests: 2,000 kills
	CRAWLSTATS_KILLS=2000 $(GO) test -count=1 -timeout 60m -run 'Kill' . ./kvstore/badgerstore

.PHONY: faults
faults: ## the long form of the fault tests, with their table; as root, about 20 minutes
	cd test/e2e && CRAWLSTATS_FAULTS=long CRAWLSTATS_TABLE=$(CACHE)/faults.txt $(GO) test -count=1 -timeout 60m ./faults; status=$$?; cat $(CACHE)/faults.txt; exit $$status

.PHONY: soak
soak: ## half an hour (CRAWLSTATS_SOAK) of load, restarts and faults; as root; draws docs/soak.svg
	cd test/e2e && CRAWLSTATS_SOAK=$${CRAWLSTATS_SOAK:-30m} CRAWLSTATS_PLOT=$(CURDIR)/docs/soak.svg $(GO) test -count=1 -v -timeout 0 -run Soak ./faults

.PHONY: engines
engines: ## the long form of the tests on shared engines: 60 kills of Redis, 50 processes for a minute
	cd test/e2e && CRAWLSTATS_LONG=1 $(GO) test -race -count=1 -v -timeout 30m ./redis ./nats ./fleet

.PHONY: vuln
vuln: ## known vulnerabilities in what is linked; needs the network
	$(GO) run golang.org/x/vuln/cmd/govulncheck@$(VULN_VERSION) ./...

.PHONY: bench
bench: ## benchmarks of the recorder, the record and the stores
	$(GO) test -run '^$$' -bench . -benchmem ./stats ./kvstore/...

.PHONY: bench-peers
bench-peers: ## the same requests by crawlstats and its peers, to docs/bench; BENCH=-short for a minute of it
	cd bench && $(GO) run . -out ../docs/bench $(BENCH)

.PHONY: bench-profiles
bench-profiles: ## where the time of a request goes, to docs/bench
	cd bench && $(GO) run . -out ../docs/bench -profiles

.PHONY: tools
tools: $(CACHE)/bin/$(LINT)

$(CACHE)/bin/$(LINT):
	@mkdir -p $(CACHE)/bin
	GOBIN=$(CACHE)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
