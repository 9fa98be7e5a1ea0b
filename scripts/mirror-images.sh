#!/usr/bin/env bash
# Gets the images that labs need into this machine's Docker engine: pulls them, and where no registry
# answers builds substitute images under the same names from Debian's packages (see images/README.md).
# What is there already stays. The node image is not among them: see scripts/node-image.sh.
#
# Exit codes: 0 all are there, 1 a step failed, 3 refused (it says what is missing).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

readonly BUILD=.build/images
STEP_LOGS=$BUILD/logs
# An engine gives up by itself where names do not resolve (at once) or nothing answers (15 s); this bounds the rest.
readonly PULL_SECONDS=${LABCTL_PULL_SECONDS:-600}

# pulled IMAGE: what is pulled for it. The registry by its digest, which labctl names: it has the images of all labs in its hands.
pulled() {
    if [[ $1 == registry:2 ]]; then
        sed -nE 's/^const registryImage = "(.*)"/\1/p' provision/mirror/registry.go
    else
        echo "$1"
    fi
}

mapfile -t IMAGES <images/list
readonly IMAGES

# folder IMAGE: its folder in images/.
folder() { echo "${1%%:*}"; }

label() { docker image inspect --format "{{ index .Config.Labels \"$2\" }}" "$1" 2>/dev/null; }

# inputs FOLDER: a hash of everything that decides what is in a substitute image, but for Debian's package versions.
inputs() {
    tar -C images --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=a+rX,u+w,go-w -cf - substitute.sh "$1" |
        sha256sum | cut -c1-16
}

# present IMAGE: it is in the engine, and not a substitute image made from other inputs than today's.
present() {
    [[ $1 == registry:2 ]] && docker image inspect "$(pulled "$1")" >/dev/null 2>&1 && return
    docker image inspect "$1" >/dev/null 2>&1 || return 1
    # A registry of that name that nobody has recorded may come from anywhere, and labctl does not take it.
    [[ $1 != registry:2 ]] || recorded "$1" || return 1
    [[ $(label "$1" labctl.standin) != true || $(label "$1" labctl.standin.inputs) == "$(inputs "$(folder "$1")")" ]]
}

describe() {
    if [[ $(label "$1" labctl.standin) == true ]]; then
        say "$1: a substitute image from Debian's packages, not the official image ($(label "$1" labctl.standin.source | grep -oE "(nginx|busybox-static|docker-registry)=[^ ]*" | tail -n 1))"
    else
        say "$1: $(docker image inspect --format '{{ if .RepoDigests }}{{ index .RepoDigests 0 }}{{ else }}{{ .Id }}{{ end }}' "$1")"
    fi
}

# archive FOLDER IMAGE: turns OUT/rootfs.tar into OUT/image.tar, which `docker load` takes. The builder is optional
# since engine 23, and `docker import` cannot set a stop signal. The same files give the same image id anywhere.
archive() {
    local folder=$1 image=$2 out=$BUILD/$1 layer labels config
    layer=$(sha256sum "$out/rootfs.tar" | cut -d' ' -f1)
    labels='"labctl.standin": "true", "labctl.standin.inputs": "'$(inputs "$folder")'", "labctl.standin.source": "'$(cat "$out/source")'"'
    config='{"architecture": "'$(docker version --format '{{ .Server.Arch }}')'", "os": "linux", "created": "1970-01-01T00:00:00Z",
        "rootfs": {"type": "layers", "diff_ids": ["sha256:'$layer'"]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "labctl images/'$folder'"}],
        "config": '$(sed "s|\"Labels\": {}|\"Labels\": {$labels}|" "images/$folder/config.json")'}'
    printf '%s\n' "$config" >"$out/config.json"
    printf '[{"Config": "config.json", "RepoTags": ["%s"], "Layers": ["rootfs.tar"]}]\n' "$image" >"$out/manifest.json"
    tar -C "$out" -cf "$out/image.tar" manifest.json config.json rootfs.tar
}

# build IMAGE: a substitute image from Debian's packages.
build() {
    local image=$1 folder before
    folder=$(folder "$1")
    images/substitute.sh "$folder" "$BUILD/$folder"
    archive "$folder" "$image"
    before=$(docker image inspect --format '{{ .Id }}' "$image" 2>/dev/null || true)
    docker load --input "$BUILD/$folder/image.tar"
    record "$image"
    rm -f "$BUILD/$folder"/*.tar
    # A container may still run from the older one: then it stays until someone prunes.
    if [[ -n $before && $before != $(docker image inspect --format '{{ .Id }}' "$image") ]]; then docker rmi "$before" || true; fi
}

get() {
    local image=$1
    if [[ $(label "$image" labctl.standin) != true ]] && timeout "$PULL_SECONDS" docker pull "$(pulled "$image")"; then
        return
    fi
    if ! have apt-get || ! have dpkg-deb || ! have tar; then
        echo "$image cannot be pulled (see above), and substitute images can be built on Debian and Ubuntu alone."
        echo "Load it from a machine that has it: docker save $image | ssh THIS-HOST docker load"
        return 3
    fi
    build "$image"
}

main() {
    timeout 10 docker info >/dev/null 2>&1 || die 3 "no Docker engine answers: run 'make engine' first"
    local image missing=()
    for image in "${IMAGES[@]}"; do
        present "$image" || missing+=("$image")
    done
    trap stop_steps EXIT
    for image in "${missing[@]}"; do
        start "$(folder "$image")" 8 "pulling $image, or building a substitute image" get "$image"
    done
    if ! await "${missing[@]/%:*/}"; then
        have apt-get && have dpkg-deb || exit 3
        exit 1
    fi
    for image in "${IMAGES[@]}"; do describe "$(docker image inspect "$image" >/dev/null 2>&1 && echo "$image" || pulled "$image")"; done
}

main "$@"
