#!/usr/bin/env bash
# All tests, those on real clusters included; it gets the engine and the images that they need. The last lines
# say how many of each kind ran. What could not run is reported as such; with CI=true that is a failure.
#
# Exit codes: 0 nothing failed, 1 something did.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
readonly TEST=.build/test TALLY=.build/bin/tally
readonly LOG=$TEST/prepare.log

# packages: those with tests behind the tag.
packages() {
    find . \( -name .build -o -name nodeimage \) -prune -o -name '*_test.go' -print0 |
        xargs -0 grep -lE '^//go:build .*\be2e\b' | xargs -r -n1 dirname | sort -u
}

prepare() {
    scripts/test-tools.sh && scripts/engine.sh &&
        scripts/parts.sh node-image='scripts/node-image.sh --current' mirror-images=scripts/mirror-images.sh build=scripts/build.sh &&
        e2e/ec2/host/build.sh # it takes kubectl from the node image
}

# real runs the tests on real clusters. One package at a time: two clusters at once would measure each other.
real() {
    go test -json -vet=off -tags e2e -p 1 -timeout 60m -count=1 "$@" |
        "$TALLY" record -v -stage real-cluster -out "$TEST/real-cluster.json"
}

not_run() {
    local why=$1
    shift
    { go test -vet=off -tags e2e -list . "$@" || true; } |
        "$TALLY" not-run -stage real-cluster -why "$why" -out "$TEST/real-cluster.json"
}

main() {
    local code=0 prepared=0 strict=() wanted
    if [[ ${CI:-} == true ]]; then strict=(-strict); fi
    mkdir -p "$TEST"
    rm -f "$TEST"/*.json
    scripts/check.sh --part || code=1
    if [[ ! -e $TEST/unit.json ]]; then
        # It does not build, or is not in order: no test has run, and a cluster would prove nothing.
        printf '\n0 passed, 1 failed, 0 skipped\n'
        return 1
    fi
    mapfile -t wanted < <(packages)
    prepare 2> >(tee "$LOG" >&2) || prepared=$?
    case $prepared in
    0) real "${wanted[@]}" || code=1 ;;
    3) not_run "$(sed -nE '/error: /{s/.*error: //p;q}' "$LOG")" "${wanted[@]}" ;;
    *)
        # A build that breaks is no missing engine.
        code=1 strict=(-strict)
        not_run "what they need could not be made (exit $prepared, see above)" "${wanted[@]}"
        ;;
    esac
    "$TALLY" sum "${strict[@]}" "$TEST/unit.json" "$TEST/real-cluster.json" || code=1
    return "$code"
}

main "$@"
