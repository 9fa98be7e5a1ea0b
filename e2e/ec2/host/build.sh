#!/usr/bin/env bash
# Builds the images that stand in for a freshly booted EC2 instance with Debian 12: systemd, cloud-init and sshd, all
# of Debian's mirror, without a registry.
#
#   labctl/ec2-host:bare      as Debian's machine image: no Docker, user-data has to install it
#   labctl/ec2-host:docker    the same with Debian's Docker, as a machine image of one's own may have it, and with the
#                             kubectl of the node image that is here: a closed machine can get it nowhere else
#
#   build.sh [--force]     build what is missing or of other inputs; --force builds in any case
#   build.sh --hash        print the hash of the inputs, the images' label labctl.ec2host
#
# Exit codes: 0 the images are there, 1 a step failed (its log's end is shown), 2 usage, 3 refused: something is missing here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ../../../scripts/lib.sh

readonly IMAGE=labctl/ec2-host RELEASE=bookworm
readonly BUILD=$PWD/.build STEP_LOGS=$PWD/.build/logs
readonly ENGINE=../../../scripts/engine.sh SOURCES=../../../nodeimage/rootfs.sh

# bounding: the capabilities that this machine can give; some containers have to do with fewer.
bounding() { awk '/^CapBnd:/ { print $2 }' /proc/self/status; }

# node prints the name of the newest node image, where there is one. Its tag is its version of Kubernetes.
node() { docker images --filter label=labctl.nodeimage --format '{{.Repository}}:{{.Tag}}' 2>/dev/null | grep -v '<none>' | sort -V | tail -n 1; }

# inputs is one hash of everything that decides what is in the images, but for the day's versions of Debian's packages.
inputs() {
    {
        bounding
        node || true
        cat "$ENGINE" "$SOURCES"
        find . -name .build -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
    } | sha256sum | cut -c1-16
}

present() {
    local tag
    for tag in bare docker; do
        [[ $(docker image inspect --format '{{index .Config.Labels "labctl.ec2host"}}' "$IMAGE:$tag" 2>/dev/null) == "$1" ]] || return 1
    done
}

# packages PREFIX: the list's lines that begin so, comments aside, without the prefix.
packages() { sed -n "/^#/d; s/^$1\([a-z]\)/\1/p" packages.txt | xargs; }

bare() {
    local list hash=$1
    list=$("$SOURCES" sources)
    [[ -n $list ]] || die 3 "apt on this machine names no Debian mirror (or apt-get update was never run): set LABCTL_DEBIAN_MIRROR"
    local options=(--variant=minbase --mode=root --include="$(packages '' | tr ' ' ',')"
        --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io
        --customize-hook="$PWD/customize.sh \"\$1\" $(bounding)")
    local path keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [[ ! -f $keyring ]] || options+=(--keyring="$keyring")
    for path in /usr/share/{doc,info,lintian,locale,man}; do options+=(--dpkgopt="path-exclude=$path/*"); done
    mmdebstrap "${options[@]}" --format=tar "$RELEASE" - - <<<"$list" |
        docker import --change 'ENV container=docker' --change 'CMD ["/sbin/init"]' \
            --change "LABEL labctl.ec2host=$hash" - "$IMAGE:bare"
}

# with_docker installs what the bare image lacks, as user-data would, but for starting it.
with_docker() {
    local name=labctl-ec2host-build-$$ wanted
    read -ra wanted < <(packages '+')
    # shellcheck disable=SC2064
    trap "docker rm -f -v $name >/dev/null 2>&1 || true" EXIT
    docker run --name "$name" --network host "$IMAGE:bare" sh -euc '
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -q
        apt-get install -q -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io "$@"
        apt-get clean
        rm -rf /var/lib/apt/lists/*' - "${wanted[@]}"
    local node
    node=$(node || true)
    if [[ -n $node ]]; then
        docker run --rm --network none --entrypoint tar "$node" -C /usr/bin --hard-dereference -c kubectl | docker cp - "$name:/usr/local/bin"
    fi
    docker commit --change 'CMD ["/sbin/init"]' "$name" "$IMAGE:docker"
}

main() {
    local force='' hash
    case ${1:-} in
    '') ;;
    --force) force=yes ;;
    --hash) inputs && return ;;
    *) die 2 "unknown argument $1: want --force or --hash" ;;
    esac
    hash=$(inputs)
    if [[ -z $force ]] && have docker && present "$hash"; then
        say "ec2-host: $IMAGE:bare and :docker are up to date ($hash)"
        return
    fi
    [[ $(uname -s) == Linux ]] || die 3 "the host's image is built on Linux"
    ((EUID == 0)) || die 3 "root is needed to unpack a root file system: sudo $0"
    mkdir -p "$BUILD" "$STEP_LOGS"
    printf '*\n' >"$BUILD/.gitignore"
    trap stop_steps EXIT
    trap 'exit 130' INT TERM
    if ! have mmdebstrap; then
        is_debian || die 3 "mmdebstrap is missing, and only on Debian or Ubuntu this script knows how to install it"
        step tools 15 "installing mmdebstrap from this machine's Debian mirror" apt_install mmdebstrap debian-archive-keyring
    fi
    "$ENGINE"
    exec 9>"$BUILD/lock"
    flock -n 9 || { say "ec2-host: another build runs, waiting for it" && flock 9; }
    if [[ -z $force ]] && present "$hash"; then
        say "ec2-host: $IMAGE:bare and :docker are up to date ($hash)"
        return
    fi
    step bare 60 "Debian's packages, without Docker" bare "$hash"
    step docker 40 "the same with Docker" with_docker
    # Earlier builds have lost the names to these.
    docker image prune --force --filter label=labctl.ec2host >/dev/null
    say "ec2-host: ready after $SECONDS s ($(docker image inspect --format '{{.Size}}' "$IMAGE:docker" | awk '{ print int($1 / 1e6) " MB" }'))"
}

main "$@"
