#!/usr/bin/env bash
# Builds the kind node image labctl/node:v<Kubernetes> from the Go module proxy and a Debian mirror, without a registry.
#
#   build.sh [--force]     build it, unless an image of the same inputs is there; --force builds in any case
#   build.sh --name        print the image's name
#   build.sh --hash        print the hash of the inputs, the image's label labctl.nodeimage
#
# Exit codes: 0 the image is there, 1 a step failed (its log's end is shown), 2 usage, 3 refused: something is missing here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ../scripts/lib.sh

readonly BUILD=$PWD/.build
readonly BIN=$BUILD/bin STEP_LOGS=$BUILD/logs
# The same bytes wherever it is built: no paths, no repository state, no C compiler.
export CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off

image() { echo "labctl/node:$(go list -m -f '{{.Version}}' k8s.io/kubernetes)"; }

# inputs is one hash of everything that decides what is in the image, but for the day's versions of Debian's packages.
inputs() {
    {
        go env GOVERSION GOARCH
        find . -name .build -prune -o -type f ! -name 'README.md' ! -name 'check*' ! -name '*_test.go' -print0 |
            LC_ALL=C sort -z | xargs -0 sha256sum
    } | sha256sum | cut -c1-16
}

# present NAME HASH: it was built on this engine, from these inputs.
present() {
    recorded "$1" && [[ $(docker image inspect --format '{{index .Config.Labels "labctl.nodeimage"}}' "$1" 2>/dev/null) == "$2" ]]
}

# tools refuses, or on Debian as root installs, what is missing.
tools() {
    [[ $(uname -s) == Linux ]] || die 3 "the node image is built on Linux; elsewhere, build it there and move it: docker save, docker load"
    have go || die 3 "go is missing: install the version that go.mod names"
    ((EUID == 0)) || die 3 "root is needed to unpack a root file system: sudo $0"
    have mmdebstrap && return
    is_debian || die 3 "mmdebstrap is missing, and only on Debian or Ubuntu this script knows how to install it"
    step tools 15 "installing mmdebstrap from this machine's Debian mirror" apt_install mmdebstrap debian-archive-keyring
}

# compile PACKAGE PROGRAM [FLAGS...]: in the current directory's module. Debug information is half of a Go program.
compile() {
    local package=$1 program=$2
    shift 2
    go build -trimpath -o "$BIN/$program" -ldflags "-s -w $*" "$package"
}

kubernetes() {
    local version flags='' at=k8s.io/component-base/version
    version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
    local major=${version#v} minor=${version#*.}
    # What Kubernetes' own build stamps in; kubeadm and kubectl compare versions by it.
    flags+=" -X $at.gitVersion=$version -X $at.gitMajor=${major%%.*} -X $at.gitMinor=${minor%%.*} -X $at.gitTreeState=clean"
    compile ./cmd/node node "$flags"
}

small() {
    compile ./cmd/nodenet nodenet
    compile ./cmd/pause pause
    compile ./cmd/images images
}

coredns() { cd coredns && compile . coredns; }

crictl() {
    cd crictl
    compile sigs.k8s.io/cri-tools/cmd/crictl crictl \
        "-X sigs.k8s.io/cri-tools/pkg/version.Version=$(go list -m -f '{{.Version}}' sigs.k8s.io/cri-tools)"
}

# packages keeps Debian's part between builds: it changes only with the list.
packages() {
    local stamp
    stamp=$(cat packages.txt rootfs.sh | sha256sum)
    if [[ -f $BUILD/packages.tar && $(cat "$BUILD/packages.stamp" 2>/dev/null) == "$stamp" ]]; then
        echo "as before: $BUILD/packages.tar"
        return
    fi
    ./rootfs.sh packages "$BUILD/packages.tar"
    echo "$stamp" >"$BUILD/packages.stamp"
}

node() {
    ./rootfs.sh node "$BUILD/packages.tar" "$BUILD/root" "$(cd kind && go mod download sigs.k8s.io/kind && go list -m -f '{{.Dir}}' sigs.k8s.io/kind)"
}

main() {
    local force='' name hash
    case ${1:-} in
    '') ;;
    --force) force=yes ;;
    --name) image && return ;;
    --hash) inputs && return ;;
    *) die 2 "unknown argument $1: want --force, --name or --hash" ;;
    esac
    have go || tools
    name=$(image) hash=$(inputs)
    if [[ -z $force ]] && have docker && present "$name" "$hash"; then
        say "nodeimage: $name is up to date ($hash)"
        return
    fi
    tools
    ../scripts/engine.sh
    mkdir -p "$BIN" "$STEP_LOGS"
    printf '*\n' >"$BUILD/.gitignore"
    exec 9>"$BUILD/lock"
    flock -n 9 || { say "nodeimage: another build runs, waiting for it" && flock 9; }
    if [[ -z $force ]] && present "$name" "$hash"; then
        say "nodeimage: $name is up to date ($hash)"
        return
    fi
    [[ -z $force ]] || rm -f "$BUILD/packages.stamp"
    trap stop_steps EXIT
    trap 'exit 130' INT TERM

    say "nodeimage: building $name ($hash), about 8 minutes the first time and 1 after that; logs in $STEP_LOGS"
    # Unpacking packages waits for the disk and the mirror, so it costs the compiler next to nothing.
    start packages 60 "Debian packages of the root file system" packages
    step kubernetes 290 "compiling Kubernetes and etcd, one program" kubernetes
    step small 15 "compiling the network, storage and pause programs" small
    step coredns 70 "compiling CoreDNS" coredns
    step crictl 40 "compiling crictl" crictl
    await packages
    step node 5 "making the root file system a node" node
    step assemble 20 "writing the images and committing $name" ./assemble.sh "$name" "$hash"
    record "$name"
    rm -rf "$BUILD/root" "$BUILD"/*.layer "$BUILD/images.tar"
    say "nodeimage: $name is ready after $SECONDS s ($(docker image inspect --format '{{.Size}}' "$name" | awk '{ print int($1 / 1e6) " MB" }'))"
}

main "$@"
