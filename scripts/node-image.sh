#!/usr/bin/env bash
# Gets the image that the cluster's nodes run into this machine's Docker engine: one that was built there and fits,
# else kind's own, pinned by digest, else one built here from source (see nodeimage/).
#
#   scripts/node-image.sh [--current]       --current: not one that was built from other sources than today's, either
#   scripts/node-image.sh --record IMAGE    has labctl take an image labctl/node:… that was brought from elsewhere
#
# Exit codes: 0 it is there, 1 a step failed, 3 refused (it says what is missing).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
STEP_LOGS=.build/logs
readonly KUBERNETES=${KUBERNETES:-1.35}
# An engine gives up by itself where names do not resolve (at once) or nothing answers (15 s); this bounds the rest.
readonly PULL_SECONDS=${LABCTL_PULL_SECONDS:-1200}

# local_image: the name of an image of this Kubernetes that was built on this engine.
local_image() {
    local name version
    for name in $(docker images --format '{{ .Repository }}:{{ .Tag }}' labctl/node); do
        version=$(docker image inspect --format '{{ index .Config.Labels "labctl.kubernetes" }}' "$name")
        if [[ $version == "$KUBERNETES" || $version == "$KUBERNETES".* ]] && recorded "$name"; then
            echo "$name"
            return
        fi
    done
}

# released: the image that the release notes of labctl's kind name for this Kubernetes. labctl has the one table.
released() {
    sed -nE 's/^\s*"('"${KUBERNETES//./\\.}"'\.[0-9]+)":\s*"(sha256:[0-9a-f]{64})".*/kindest\/node:v\1@\2/p' provision/kind/image.go
}

# stale IMAGE: it was built by nodeimage/, from other inputs than those that are there now.
stale() {
    local built
    built=$(docker image inspect --format '{{ index .Config.Labels "labctl.nodeimage" }}' "$1")
    [[ -n $built && $built != "$(nodeimage/build.sh --hash)" ]]
}

pull() { timeout "$PULL_SECONDS" docker pull "$1"; }

main() {
    timeout 10 docker info >/dev/null 2>&1 || die 3 "no Docker engine answers: run 'make engine' first"
    if [[ ${1:-} == --record ]]; then
        [[ ${2:-} == labctl/node:* ]] || die 3 "--record takes the name of an image labctl/node:…"
        docker image inspect "$2" >/dev/null 2>&1 || die 3 "there is no image $2 on this engine"
        record "$2"
        say "node-image: $2 is recorded"
        return
    fi
    trap stop_steps EXIT
    local image
    image=$(local_image)
    if [[ -n $image && ${1:-} == --current ]] && stale "$image"; then
        say "node-image: $image is of other sources than nodeimage/ holds now"
        exec nodeimage/build.sh
    fi
    if [[ -n $image ]]; then
        say "node-image: $image is here"
        return
    fi
    image=$(released)
    if [[ -n $image ]]; then
        if docker image inspect "$image" >/dev/null 2>&1; then
            say "node-image: $image is here"
            return
        fi
        # In a subshell: a pull that fails is no failure of this script.
        if (step pull 60 "$image" pull "$image"); then return; fi
        say "node-image: it cannot be pulled here, so it is built from source"
    fi
    nodeimage/build.sh
}

main "$@"
