#!/usr/bin/env bash
# Turns the root file system and the programs into the node image. Called by build.sh, which sets the variables below.
#
#   assemble.sh IMAGE HASH      commit IMAGE, labelled with the hash of its inputs
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ../scripts/lib.sh

readonly IMAGE=$1 HASH=$2 BUILD=$PWD/.build
readonly BIN=$BUILD/bin ROOT=$BUILD/root NAME=labctl-nodeimage-build-$$

# one VALUE: refuses an empty answer or several lines.
one() {
    [[ -n $1 && $1 != *$'\n'* ]] || die 1 "$2: expected one line, got: $1"
    printf '%s' "$1"
}

ln -sf node "$BIN/kubeadm"
ln -sf node "$BIN/etcd"
kubernetes=$(one "$(go list -m -f '{{.Version}}' k8s.io/kubernetes)" "version of Kubernetes")
# kubeadm refuses to look at containerd here; it only has to print names.
wanted=$("$BIN/kubeadm" config images list --kubernetes-version "$kubernetes" 2>/dev/null)
etcd=$(one "$(grep /etcd: <<<"$wanted")" "etcd's image")
coredns=$(one "$(grep /coredns: <<<"$wanted")" "CoreDNS's image")
pause=$(one "$(sed -n 's/^ *sandbox_image = "\(.*\)"$/\1/p' "$ROOT/etc/containerd/config.toml")" "sandbox image")
agent=$(one "$(sed -n 's/^ *image: //p' files/kind/manifests/*.yaml | sort -u)" "nodenet's image in the manifests")

# A tag must not promise a version that is not in the image.
[[ $("$BIN/etcd" --version | sed -n 's/^etcd Version: //p') == "$(sed 's/.*:\(v\)\?//; s/-[0-9]*$//' <<<"$etcd")" ]] ||
    die 1 "kubeadm $kubernetes wants $etcd, go.mod has another etcd: go get go.etcd.io/etcd/server/v3@..."
[[ $("$BIN/coredns" -version | sed -n 's/^CoreDNS-/v/p') == "${coredns##*:}" ]] ||
    die 1 "kubeadm $kubernetes wants $coredns, coredns/go.mod has another version: go get github.com/coredns/coredns@..."

say "writing the images"
"$BIN/images" -bin "$BIN" -root "$ROOT" -out "$BUILD/images.tar" -kubernetes "$kubernetes" \
    -etcd "$etcd" -coredns "$coredns" -pause "$pause" -agent "$agent" | tee "$BUILD/images.txt"

say "completing the root file system"
install -m 755 "$BIN/node" "$ROOT/usr/bin/kubelet"
# Hard links, so that each is a whole program when it is copied out of a node.
for name in kubeadm kubectl; do ln -f "$ROOT/usr/bin/kubelet" "$ROOT/usr/bin/$name"; done
install -m 755 "$BIN/crictl" "$ROOT/usr/local/bin/crictl"
printf '%s' "$kubernetes" >"$ROOT/kind/version"
{
    echo "# Debian packages"
    chroot "$ROOT" dpkg-query --show --showformat '${Package} ${Version}\n'
    echo "# Go modules"
    go list -m k8s.io/kubernetes go.etcd.io/etcd/server/v3 github.com/vishvananda/netlink
    (cd coredns && go list -m github.com/coredns/coredns)
    (cd crictl && go list -m sigs.k8s.io/cri-tools)
    (cd kind && go list -m sigs.k8s.io/kind)
    echo "# Images"
    cat "$BUILD/images.txt"
} >"$ROOT/kind/packages.txt"

say "importing the root file system into the engine"
trap 'docker rm -f -v "$NAME" >/dev/null 2>&1 || true; docker rmi "$NAME" >/dev/null 2>&1 || true' EXIT
tar -C "$ROOT" --numeric-owner --one-file-system -c . | docker import - "$NAME" >/dev/null

# Every node of a cluster gets a copy of the image's /var: what lies there stays packed until a node needs it. The stop
# signal, systemd's, is given here because a commit keeps it but cannot set it.
say "importing the images into the node's containerd"
docker run -d --name "$NAME" --privileged --network none --stop-signal SIGRTMIN+3 -v "$BUILD/images.tar:/images.tar:ro" \
    --tmpfs /run --tmpfs /tmp --entrypoint sleep "$NAME" infinity >/dev/null
docker exec "$NAME" bash -euc '
    containerd >/tmp/containerd.log 2>&1 &
    daemon=$!
    trap "tail -n 20 /tmp/containerd.log" ERR
    for attempt in {1..150}; do [[ -S /run/containerd/containerd.sock ]] && ctr version >/dev/null 2>&1 && break; sleep 0.2; done
    ctr -n k8s.io images import --no-unpack /images.tar >/dev/null
    ctr -n k8s.io images ls -q
    kill "$daemon"
    wait "$daemon" || true
    rm -rf /var/lib/containerd/io.containerd.content.v1.content/ingest/*
' >"$BUILD/imported.txt"
while read -r name; do
    grep -qxF "$name" "$BUILD/imported.txt" || die 1 "$name was not imported: $(cat "$BUILD/imported.txt")"
done <"$BUILD/images.txt"

say "committing $IMAGE"
docker commit \
    --change 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]' --change 'CMD []' \
    --change 'ENV container=docker PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change "LABEL labctl.kubernetes=${kubernetes#v} labctl.nodeimage=$HASH" \
    "$NAME" "$IMAGE" >/dev/null
# Earlier builds have lost the name to this one: those that no cluster runs on are half a gigabyte each, of no use.
docker image prune --force --filter label=labctl.nodeimage >/dev/null
docker image inspect --format 'committed {{index .RepoTags 0}}: {{.Size}} bytes' "$IMAGE" >&2
