#!/usr/bin/env bash
# Makes a Docker engine answer on this machine. Safe to call at any time: if one answers, it does nothing.
#
#   scripts/engine.sh          install (Debian, Ubuntu; root) and start what is missing
#
# Exit codes: 0 an engine answers, 1 a step failed, 3 refused (it says what to do by hand).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./lib.sh

readonly LOG=/var/log/labctl-dockerd.log
readonly RUNTIME=/usr/local/sbin/labctl-runc
readonly DAEMON_JSON=/etc/docker/daemon.json
STEP_LOGS=${TMPDIR:-/tmp}/labctl-engine.$$

answers() { timeout 10 docker info >/dev/null 2>&1; }

describe() {
    timeout 10 docker info --format 'docker: engine {{.ServerVersion}} answers ({{.Driver}}, cgroup v{{.CgroupVersion}}, {{.NCPU}} CPUs)' >&2
}

# lacks_sys_resource: `docker run --privileged`, which kind needs, asks for every capability and fails
# ("unable to apply caps") where the machine itself was started without CAP_SYS_RESOURCE, number 24.
lacks_sys_resource() {
    local bounding
    bounding=$(awk '/^CapBnd:/ { print $2 }' /proc/self/status)
    (((16#$bounding >> 24 & 1) == 0))
}

install_engine() {
    local packages=(docker.io iptables ca-certificates)
    apt-get update -q
    # Newer releases keep the client in a package of its own.
    if ! have docker && apt-cache show docker-cli >/dev/null 2>&1; then packages+=(docker-cli); fi
    apt_install "${packages[@]}"
}

# write_runtime puts a wrapper before runc that takes the one missing capability out of what is asked for.
# sed is enough and costs 2 ms per call: inside these lists there are only quoted names.
write_runtime() {
    cat >"$RUNTIME.new" <<'WRAPPER'
#!/bin/sh
# Written by labctl's scripts/engine.sh: runc for a machine that has no CAP_SYS_RESOURCE to give.
prev= bundle= process= command=
for arg in "$@"; do
    case $prev in
    --bundle | -b) bundle=$arg ;;
    --process | -p) process=$arg ;;
    esac
    case $arg in
    --bundle=*) bundle=${arg#*=} ;;
    --process=*) process=${arg#*=} ;;
    create | run | exec) [ -n "$command" ] || command=$arg ;;
    esac
    prev=$arg
done
case $command in
create | run) spec=${bundle:-.}/config.json ;;
exec) spec=$process ;;
*) spec= ;;
esac
if [ -n "$spec" ] && [ -f "$spec" ] && grep -qE '"CAP_SYS_RESOURCE"|"oomScoreAdj":-' "$spec"; then
    lists='"(bounding|effective|inheritable|permitted|ambient)":\['
    sed -E -i \
        -e "s/($lists[^]]*)\"CAP_SYS_RESOURCE\",?/\1/g" \
        -e "s/($lists[^]]*),\]/\1]/g" \
        -e 's/"oomScoreAdj":-[0-9]+/"oomScoreAdj":0/' "$spec"
fi
exec runc "$@"
WRAPPER
    chmod 755 "$RUNTIME.new"
    mv "$RUNTIME.new" "$RUNTIME"
}

# configure_runtime makes the wrapper the default runtime, and keeps whatever else daemon.json says.
configure_runtime() {
    write_runtime
    local ours='{"default-runtime":"labctl-runc","runtimes":{"labctl-runc":{"path":"'$RUNTIME'"}}}' merged
    mkdir -p "$(dirname "$DAEMON_JSON")"
    if [[ ! -s $DAEMON_JSON ]]; then
        merged=$ours
    elif grep -q "\"$RUNTIME\"" "$DAEMON_JSON"; then
        return
    elif grep -q '"default-runtime"' "$DAEMON_JSON"; then
        die 3 "$DAEMON_JSON already names a default runtime, and privileged containers need $RUNTIME here (CAP_SYS_RESOURCE is missing): add $ours by hand"
    elif have jq; then
        merged=$(jq --argjson ours "$ours" '. * $ours' "$DAEMON_JSON")
    elif have python3; then
        merged=$(python3 -c 'import json, sys
have, ours = json.load(open(sys.argv[1])), json.loads(sys.argv[2])
ours["runtimes"] = {**have.get("runtimes", {}), **ours["runtimes"]}
print(json.dumps({**have, **ours}, indent=2))' "$DAEMON_JSON" "$ours")
    else
        die 3 "$DAEMON_JSON exists and neither jq nor python3 is here to extend it: add $ours by hand"
    fi
    [[ ! -s $DAEMON_JSON ]] || cp -p "$DAEMON_JSON" "$DAEMON_JSON.before-labctl"
    printf '%s\n' "$merged" >"$DAEMON_JSON.new"
    mv "$DAEMON_JSON.new" "$DAEMON_JSON"
    say "docker: CAP_SYS_RESOURCE is missing on this machine, so $DAEMON_JSON makes $RUNTIME the default runtime"
}

# raise_inotify: a node runs systemd, kubelet and containerd, each watching files; the kernel's defaults
# end three-node clusters with "too many open files". The values are those of kind's known issues.
raise_inotify() {
    local key want have
    for key in max_user_instances=512 max_user_watches=524288; do
        want=${key#*=} key=/proc/sys/fs/inotify/${key%=*}
        have=$(cat "$key")
        ((have < want)) || continue
        if { echo "$want" >"$key"; } 2>/dev/null; then
            say "sysctl: fs.inotify.${key##*/} raised from $have to $want until the next boot"
        else
            say "warning: fs.inotify.${key##*/} is $have, kind asks for $want, and it cannot be written here"
        fi
    done
}

# spawn starts dockerd away from this process: its own session, no terminal, none of our callers' pipes.
spawn() {
    # A pid file from before a reboot or a snapshot may name another process by now; dockerd would refuse to start.
    local file pid
    for file in /run/docker.pid /run/docker/containerd/containerd.pid; do
        pid=$(cat "$file" 2>/dev/null || true)
        if [[ -n $pid && $(cat "/proc/$pid/comm" 2>/dev/null || true) != @(dockerd|containerd) ]]; then rm -f "$file"; fi
    done
    (
        cd /
        local fd
        for fd in /proc/self/fd/*; do
            fd=${fd##*/}
            ((fd <= 2)) || eval "exec $fd>&-"
        done
        setsid nohup dockerd </dev/null >>"$LOG" 2>&1 &
    )
}

begin_engine() {
    if [[ -d /run/systemd/system ]]; then
        systemctl enable --now docker
    elif pgrep -x dockerd >/dev/null; then
        say "docker: dockerd runs but does not answer yet"
    else
        spawn
    fi
    local deadline=$((SECONDS + 60))
    until answers; do
        if ((SECONDS >= deadline)); then
            say "docker info: $(docker info 2>&1 | tail -n 1)"
            [[ ! -f $LOG ]] || tail -n 20 "$LOG"
            return 1
        fi
        sleep 0.2
    done
}

by_hand() {
    die 3 "no Docker engine answers, and this script installs one only on Debian or Ubuntu as root: $1
  Debian, Ubuntu:  sudo apt-get install docker.io && sudo usermod -aG docker \$USER   (then log in again)
  Fedora, RHEL:    sudo dnf install moby-engine && sudo systemctl enable --now docker
  macOS, Windows:  install Docker Desktop and start it
  running already: see what 'docker info' says; DOCKER_HOST or the docker context may point elsewhere"
}

main() {
    if answers; then
        describe
        return
    fi
    [[ -z ${DOCKER_HOST:-} ]] || die 3 "DOCKER_HOST is $DOCKER_HOST and nothing answers there: start that engine, or unset DOCKER_HOST"
    [[ $(uname -s) == Linux ]] || by_hand "this is $(uname -s)"
    ((EUID == 0)) || by_hand "you are not root"
    have dockerd || is_debian || by_hand "this is not Debian"

    # Several tests may ask at once: the first starts it, the others find it running.
    exec 9>/run/labctl-engine.lock
    flock -w 300 9 || die 1 "another engine.sh has held /run/labctl-engine.lock for 300 s"
    if answers; then
        describe
        return
    fi
    trap 'stop_steps; rm -rf "$STEP_LOGS"' EXIT
    have dockerd || step install 40 "installing docker.io from this machine's Debian mirror" install_engine
    if lacks_sys_resource; then configure_runtime; fi
    raise_inotify
    step dockerd 3 "starting the engine, log in $LOG" begin_engine
    describe
}

main "$@"
