# Thin: each target is a script that can also be run by itself. The scripts exit 3 where they refuse before any
# change (no engine, not Debian, not root); make itself turns every failure into its own 2.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help build engine node-image mirror-images up down check test soak bench fmt clean

# The Kubernetes minor version of the node image.
KUBERNETES ?= 1.35
export KUBERNETES

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## everything from nothing: engine, images, labctl, then the lab of labs/day10.hcl on this machine
	@scripts/up.sh labs/day10.hcl

down: build ## remove that lab, and prove that it is gone
	@bin/labctl down labs/day10.hcl

build: ## bin/labctl
	@scripts/build.sh

engine: ## a Docker engine that answers (Debian, root: installs and starts one)
	@scripts/engine.sh

node-image: engine ## the image of the cluster's nodes: pulled, else built here (about 9 minutes)
	@scripts/node-image.sh

mirror-images: engine ## the images that labs run: pulled, else substitute images built here
	@scripts/mirror-images.sh

check: ## formatting, build, vet, staticcheck, dead code and unit tests: under two minutes when warm
	@scripts/check.sh

test: ## everything: check, and every test on real clusters; ends with the counts by kind
	@scripts/test.sh

soak: ## hours: fuzzing, the race detector, full sweeps; resumes, and writes docs/proofs
	@scripts/soak.sh

bench: ## labctl against doing it by hand, and over SSH against on the host; a table and JSON
	@scripts/bench.sh

fmt: ## gofmt everything
	@find . -name .build -prune -o -name '*.go' -print0 | xargs -0 gofmt -l -w

clean: ## remove what was built in this folder; images and the engine stay
	@rm -rf --one-file-system bin .build
