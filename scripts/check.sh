#!/usr/bin/env bash
# What can be said about the code without an engine: formatting, build, vet, staticcheck, code without a
# caller, unit tests and fuzz seeds.
#
#   scripts/check.sh [--part]      --part: of a longer run, which sums up at its end and wants no cached results
#
# Leaves the record of the tests in .build/test/unit.json. Exit codes: 0 all is well, 1 it is not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
STEP_LOGS=.build/logs
readonly TEST=.build/test BIN=.build/bin

formatted() {
    local files
    files=$(find . -name .build -prune -o -name '*.go' -print0 | xargs -0 gofmt -l)
    [[ -z $files ]] || { printf 'not formatted (make fmt):\n%s\n' "$files"; return 1; }
}

# The tags bring in the tests on real clusters and the labctl that kills itself: they have to compile as well.
vetted() {
    go vet -tags e2e,soak ./...
    go vet -tags killpoints ./internal/state ./internal/lab
}

# portable: what users run compiles for every system that README names, with its tests. vet builds no binary.
portable() {
    local target
    for target in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64; do
        GOOS=${target%/*} GOARCH=${target#*/} CGO_ENABLED=0 go vet ./cmd/... ./internal/... ./provision/... ./scenarios/... ./labs/...
    done
}

linted() {
    go -C tools build -o "../$BIN/staticcheck" honnef.co/go/tools/cmd/staticcheck
    "$BIN/staticcheck" -tags e2e,soak ./...
}

# called: nothing in labctl is there for its tests alone, in any of its builds, and nothing in the tests for nobody.
# tools/unused.txt lists what may be.
called() {
    local packages found=$TEST/uncalled.txt form='{{range .Funcs}}{{printf "%s:%d: %s.%s\n" .Position.File .Position.Line $.Path .Name}}{{end}}'
    go -C tools build -o "../$BIN/" ./uncalled golang.org/x/tools/cmd/deadcode
    packages=$(go list -deps ./cmd/... | grep "^$(go list -m)/")
    # shellcheck disable=SC2086 # a word each
    "$BIN/uncalled" $packages >"$found"
    "$BIN/deadcode" -f "$form" -test -tags e2e,soak ./... >>"$found"
    go list ./cmd/... ./internal/... ./provision/... ./scenarios/... ./labs/... | grep -v 'test$' | grep -vxF "$packages" >>"$found" || true
    awk 'NR == FNR { if (!/^#/ && NF) may[$1]; next }
        { seen[$NF] }
        !($NF in may) { print "only tests use, or nothing does: " $0; bad = 1 }
        END { for (n in may) if (!(n in seen)) { print "tools/unused.txt names " n ", which is used or gone"; bad = 1 } exit bad }' tools/unused.txt "$found"
}

# node_packages: those of the node image's own module that have tests. The rest of it is Kubernetes.
node_packages() {
    (cd nodeimage && find . -name .build -prune -o -name '*_test.go' -print0 | xargs -r -0 -n1 dirname | sort -u)
}

unit_events() {
    local code=0 packages
    # vet has run already.
    go test -json -vet=off -timeout 10m "$@" ./... || code=$?
    mapfile -t packages < <(node_packages)
    if ((${#packages[@]})); then go -C nodeimage test -json -timeout 10m "$@" "${packages[@]}" || code=$?; fi
    return "$code"
}

unit() { unit_events "$@" | "$BIN/tally" record -stage unit -out "$TEST/unit.json"; }

main() {
    local part=false fresh=()
    if [[ ${1:-} == --part ]]; then part=true fresh=(-count=1); fi
    have go || die 3 "no Go toolchain: install Go $(sed -n 's/^go //p' go.mod) or later (https://go.dev/dl)"
    mkdir -p "$TEST" "$BIN"
    rm -f "$TEST/unit.json"
    trap stop_steps EXIT
    step gofmt 1 "formatting" formatted
    step compile 60 "building everything; 2 s when warm" go build ./...
    go build -o "$BIN/tally" ./e2e/tally
    step vet 40 "go vet, with the tags of all tests; 5 s when warm" vetted
    step portable 200 "go vet for linux and darwin, amd64 and arm64; 10 s when warm" portable
    step staticcheck 40 "staticcheck; 10 s when warm" linted
    step called 60 "code without a caller; 30 s when warm" called
    say "unit: unit tests and fuzz seeds (about 30 s)"
    local code=0
    unit "${fresh[@]}" || code=$?
    $part || "$BIN/tally" sum "$TEST/unit.json" || code=1
    return "$code"
}

main "$@"
