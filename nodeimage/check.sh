#!/usr/bin/env bash
# Boots a three-node cluster from the node image with plain kind and looks whether everything in it works; then removes it.
# Takes about two minutes. KEEP=1 leaves the cluster for a look; ./check.sh --clean removes it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ../scripts/lib.sh
export CGO_ENABLED=0 GOWORK=off

readonly BUILD=$PWD/.build CLUSTER=labctl-nodeimage-check
readonly KIND=$BUILD/bin/kind POD_IMAGE=labctl/check:busybox
readonly NODES=("$CLUSTER-control-plane" "$CLUSTER-worker" "$CLUSTER-worker2")
# The user's own kubeconfig is not touched; kubectl is the one in the control plane node.
export KUBECONFIG=$BUILD/check.kubeconfig

on() { docker exec -i "$@"; }
k() { on "${NODES[0]}" kubectl "$@"; }
ip_of() { k get pod "$1" -o jsonpath='{.status.podIP}'; }
address_of() { k get node "$1" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}'; }

# within SECONDS COMMAND...: until it succeeds; afterwards shows what it said last.
within() {
    local deadline=$((SECONDS + $1)) out=$BUILD/check.out
    shift
    until "$@" >"$out" 2>&1; do
        if ((SECONDS >= deadline)); then
            say "    gave up on: $*"
            sed 's/^/    /' "$out" >&2
            return 1
        fi
        sleep 0.5
    done
}

# says COMMAND... PATTERN: its output has a line that matches; it is shown if not.
says() {
    local out
    out=$("${@:1:$#-1}" 2>&1) || true
    grep -E -- "${*: -1}" <<<"$out" || { echo "no line matches ${*: -1} in: $out" && return 1; }
}

check() {
    local name=$1 began=$EPOCHREALTIME
    shift
    if ! "$@" >"$BUILD/check.log" 2>&1; then
        say "FAIL  $name"
        sed 's/^/    /' "$BUILD/check.log" >&2
        k get nodes,pods -A -o wide >&2 || true
        exit 1
    fi
    say "ok    $name ($(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", b - a }'))"
}

clean() {
    [[ ! -x $KIND ]] || "$KIND" delete cluster --name "$CLUSTER" >/dev/null 2>&1 || true
    docker rmi "$POD_IMAGE" >/dev/null 2>&1 || true
    rm -f "$KUBECONFIG"
}

# pod_image builds the one image that the pods need, of Debian's static busybox.
pod_image() {
    local dir=$BUILD/check
    rm -rf "$dir"
    mkdir -p "$dir/root"
    (cd "$dir" && apt-get download -q busybox-static && dpkg-deb -x busybox-static_*.deb root)
    tar -C "$dir/root" -c . | docker import --change 'ENTRYPOINT ["/bin/busybox"]' --change 'ENV PATH=/bin' - "$POD_IMAGE"
}

create() {
    "$KIND" create cluster --name "$CLUSTER" --image "$1" --retain --config - <<'CONFIG'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
  - role: control-plane
  - role: worker
  - role: worker
kubeadmConfigPatches:
  # Kubernetes 1.35 and later refuse cgroup v1 unless told otherwise; on v2 this changes nothing.
  - |
    kind: KubeletConfiguration
    apiVersion: kubelet.config.k8s.io/v1beta1
    failCgroupV1: false
CONFIG
}

healthy() {
    within 60 k get --raw /readyz
    k wait --for=condition=Ready node --all --timeout=60s
    k -n kube-system rollout status deployment/coredns --timeout=90s
    k -n kube-system rollout status daemonset/nodenet --timeout=60s
    k -n kube-system rollout status daemonset/kube-proxy --timeout=60s
    k -n local-path-storage rollout status daemonset/local-path --timeout=60s
}

pods() {
    sed "s/WORKER/$CLUSTER-worker/; s#IMAGE#$POD_IMAGE#" check.yaml | k apply -f -
    k wait --for=condition=Ready pod --all --timeout=60s
}

# Not wget's own -T: Debian's busybox crashes on it.
fetch() { k exec client -- busybox timeout 3 busybox wget -qO- "$1"; }

across_nodes() {
    within 10 says fetch "http://$(ip_of server)/" '^hello$'
    # No address is translated between pods: the server saw the client's own.
    within 10 says k logs server "$(ip_of client)"
}

masqueraded() {
    within 10 says fetch "http://$(address_of "${NODES[1]}"):8080/" '^hello$'
    within 10 says k logs outside "$(address_of "${NODES[2]}")"
}

# route_table wants exactly these lines: one for the way out, one per other node, one per pod here, and the link's own.
route_table() {
    local node=$1 other want got
    want=$({
        echo "default via $(docker network inspect kind --format '{{range .IPAM.Config}}{{.Gateway}} {{end}}' | tr ' ' '\n' | grep -F . | head -n 1) dev eth0"
        for other in "${NODES[@]}"; do
            [[ $other == "$node" ]] || echo "$(k get node "$other" -o jsonpath='{.spec.podCIDR}') via $(address_of "$other") dev eth0"
        done
        k get pods -A --field-selector "spec.nodeName=$node" --no-headers -o custom-columns=HOST:.spec.hostNetwork,IP:.status.podIP |
            awk '$1 != "true" { print $2, "dev veth scope host" }'
        echo "$(docker network inspect kind --format '{{range .IPAM.Config}}{{.Subnet}} {{end}}' | tr ' ' '\n' | grep -F . | head -n 1) dev eth0 proto kernel scope link src $(address_of "$node")"
    } | sort)
    got=$(on "$node" ip route | sed 's/veth[0-9a-f]*/veth/; s/ *$//' | sort)
    diff <(echo "$want") <(echo "$got")
}

released() {
    local node=${NODES[2]} dir
    dir=$(k get pv -o jsonpath='{.items[0].spec.hostPath.path}')
    on "$node" cat "$dir/written"
    k delete pod client --now
    k delete pvc data --wait=false
    within 30 on "$node" test ! -e "$dir"
    within 30 says k get pv 'No resources found'
}

kubectl_alone() {
    docker cp -L "${NODES[0]}:/usr/bin/kubectl" "$BUILD/kubectl"
    "$BUILD/kubectl" version --client
    "$BUILD/kubectl" --kubeconfig "$KUBECONFIG" get nodes
    rm -f "$BUILD/kubectl"
}

restart() {
    docker stop "${NODES[@]}"
    docker start "${NODES[@]}"
    healthy
}

leftovers() {
    [[ -z $(docker ps -aq --filter "label=io.x-k8s.kind.cluster=$CLUSTER") ]]
}

main() {
    [[ ${1:-} != --clean ]] || { clean && return; }
    local image
    image=$(./build.sh --name)
    docker image inspect "$image" >/dev/null 2>&1 || die 3 "$image is not there: run build.sh first"
    mkdir -p "$BUILD/bin"
    (cd kind && go build -trimpath -o "$KIND" sigs.k8s.io/kind)
    clean
    [[ ${KEEP:-} == 1 ]] || trap clean EXIT

    check "an image for the pods" pod_image
    check "kind create cluster, three nodes" create "$image"
    check "nodes, CoreDNS, network and storage ready" healthy
    check "kind load docker-image" "$KIND" load docker-image "$POD_IMAGE" --name "$CLUSTER"
    check "pods start, a claim is bound" pods
    check "pod to pod across nodes, the sender's address kept" across_nodes
    check "pod to outside, the node's address shown" masqueraded
    check "a Service by name" within 20 says fetch http://server.default.svc.cluster.local/ '^hello$'
    check "a host port" within 20 says on "${NODES[0]}" curl -sS -m 3 "http://$(address_of "${NODES[1]}"):8081/" '^hello$'
    local node
    for node in "${NODES[@]}"; do check "route table of $node" route_table "$node"; done
    check "kubectl logs" says k logs client '^started$'
    check "kubectl exec" says k exec client -- /bin/busybox hostname '^client$'
    check "kubectl, copied out of a node" kubectl_alone
    check "a mirror needs one file" says on "${NODES[1]}" containerd config dump 'config_path = "/etc/containerd/certs.d"'
    check "a released volume's data is deleted" released
    check "stop and start of all nodes" restart
    check "pods back, across nodes" pods
    check "pod to pod after the restart" within 60 says fetch "http://$(ip_of server)/" '^hello$'
    check "a Service by name after the restart" within 60 says fetch http://server.default.svc.cluster.local/ '^hello$'
    for node in "${NODES[@]}"; do check "route table of $node after the restart" within 30 route_table "$node"; done
    [[ ${KEEP:-} != 1 ]] || return 0
    clean
    check "nothing left" leftovers
}

main "$@"
