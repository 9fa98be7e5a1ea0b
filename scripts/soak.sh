#!/usr/bin/env bash
# The tests that take hours: a million new inputs for every fuzz target, everything under the race detector, and the tests on
# real clusters that have the build tag `soak` as well (full sweeps, the catalogue several times).
#
#   SOAK_FUZZ=1000000x scripts/soak.sh     a number of inputs: go test reports a time limit that ends in the middle of
#                                          one as a failure of the target ("context deadline exceeded")
#
# A part that has passed for this commit is not run again: call it again after an interruption. At the end it
# writes docs/proofs/soak-COMMIT.txt, to be committed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
readonly BIN=.build/bin FUZZ=${SOAK_FUZZ:-1000000x}
COMMIT=$(git rev-parse --short HEAD)
readonly COMMIT
readonly STATE=.build/soak/$COMMIT

tagged() {
    find . \( -name .build -o -name nodeimage \) -prune -o -name '*_test.go' -print0 |
        xargs -0 grep -lE '^//go:build .*\bsoak\b' | xargs -r -n1 dirname | sort -u
}

# part NAME COMMAND...: runs a part once per commit; the command prints go test's events.
part() {
    local name=$1
    shift
    if [[ -e $STATE/$name.passed ]]; then
        say "$name: has passed for $COMMIT"
        return
    fi
    say "$name: $*"
    "$@" | "$BIN/tally" record -v -stage "${name%%-*}" -out "$STATE/$name.json"
    touch "$STATE/$name.passed"
}

fuzz_all() {
    local package target
    while read -r package; do
        while read -r target; do
            part "fuzz-${package//\//_}-$target" go test -json -vet=off -run '^$' -fuzz "^$target\$" -fuzztime "$FUZZ" "$package"
        done < <(go test -vet=off -list '^Fuzz' "$package" | grep '^Fuzz')
    done < <(find . -name .build -prune -o -name '*_test.go' -print0 | xargs -0 grep -l '^func Fuzz' | xargs -r -n1 dirname | sort -u)
}

main() {
    [[ -z $(git status --porcelain) ]] || die 3 "there are changes that are not committed: the proof would name a commit that was not what ran"
    mkdir -p "$STATE" "$BIN" docs/proofs
    go build -o "$BIN/tally" ./e2e/tally
    part race go test -json -vet=off -race -count=1 -timeout 30m ./...
    fuzz_all
    local wanted
    mapfile -t wanted < <(tagged)
    if ((${#wanted[@]})); then
        scripts/engine.sh
        scripts/parts.sh node-image=scripts/node-image.sh mirror-images=scripts/mirror-images.sh build=scripts/build.sh
        e2e/ec2/host/build.sh # it takes kubectl from the node image
        part real-cluster go test -json -vet=off -tags e2e,soak -p 1 -timeout 12h -count=1 "${wanted[@]}"
    fi
    local proof=docs/proofs/soak-$COMMIT.txt
    {
        printf 'commit %s, %s, %s CPUs, %s inputs for each fuzz target\n' "$COMMIT" "$(date -u +%Y-%m-%d)" "$(nproc)" "${FUZZ%x}"
        "$BIN/tally" sum "$STATE"/*.json
    } | tee "$proof"
    say "commit $proof"
}

main "$@"
