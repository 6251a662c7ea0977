# The commands of every day. `make check` is what must pass before a merge.

TOOL := go tool -modfile=tools/go.mod

.DEFAULT_GOAL := help
.PHONY: help build release test race lint format generate fuzz bench soak screenshots check

# What this build is called.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## compile everything, and leave the program in bin/bot
	go build ./...
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-X main.version=$(VERSION)" -o bin/bot ./cmd/bot

release: ## static programs for Linux and macOS in dist/, with checksums and what has changed
	deploy/release.sh $(VERSION)

test: ## run the tests, as fast as they go
	go test ./...

race: ## run the tests as the check does, with the race detector and in random order
	go test -race -shuffle=on ./...

lint: ## go vet and every linter of .golangci.yml
	go vet ./...
	$(TOOL) golangci-lint run ./...

format: ## format the Go files in place
	$(TOOL) golangci-lint fmt

generate: ## write the generated files anew, config.example.toml among them
	go generate ./...

fuzz: ## run every fuzz target for 20 seconds
	.ci/fuzz 20 3600

bench: ## measure this bot beside one for Node, and the store on Redis (eight minutes on an idle machine)
	npm ci --prefix e2e/bench/node --ignore-scripts
	go test -run '^$$' -bench Bots -benchtime 1x -timeout 30m ./e2e/bench
	go test -run '^$$' -bench Redis -benchtime 10000x -timeout 30m ./e2e/bench

soak: ## kill the bot again and again for LTXBOT_SOAK minutes, 10 unless told
	LTXBOT_SOAK=$${LTXBOT_SOAK:-10} go test -count=1 -v -timeout 24h -run TestSoak ./e2e/faults

screenshots: ## write the pictures in docs/screenshots anew, with Chromium
	npm ci --prefix e2e/browser --ignore-scripts
	mkdir -p docs/screenshots
	LTXBOT_SCREENSHOTS=$(CURDIR)/docs/screenshots go test -count=1 -run TestScreenshots ./e2e/browser
	for f in docs/screenshots/*.png; do \
	  ffmpeg -v error -y -i $$f -vf 'split[a][b];[a]palettegen=max_colors=200[p];[b][p]paletteuse=dither=none' $$f.small.png && mv $$f.small.png $$f || exit 1; \
	done

check: ## all of it, as it runs before a merge
	.ci/run
