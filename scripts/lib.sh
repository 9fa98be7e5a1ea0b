# shellcheck shell=bash
# Sourced by the project's scripts: reports progress of long steps and ends them cleanly.
# It does nothing by itself and installs nothing.

say() { printf '%s\n' "$*" >&2; }

# die CODE MESSAGE...: 3 means refused before anything was changed, 1 means that a step failed.
die() {
    local code=$1
    shift
    say "error: $*"
    exit "$code"
}

have() { command -v "$1" >/dev/null 2>&1; }

# A step is a command with a name, a log and an estimate. Steps started before one `await` run side by side.
declare -A STEP_PID=() STEP_START=() STEP_ESTIMATE=()

# start NAME SECONDS WHAT COMMAND...: begins a step; its output goes to $STEP_LOGS/NAME.log.
start() {
    local name=$1 estimate=$2 what=$3
    shift 3
    mkdir -p "$STEP_LOGS"
    say "$name: $what (about ${estimate} s)"
    # Job control gives the step a process group of its own, so that stop_steps ends its children too.
    set -m
    ( "$@" ) >"$STEP_LOGS/$name.log" 2>&1 </dev/null &
    set +m
    STEP_PID[$name]=$! STEP_START[$name]=$SECONDS STEP_ESTIMATE[$name]=$estimate
}

# await NAME...: waits for the steps and says every 15 s what is running. The first step that fails, named or not, stops all.
await() {
    local name code running line last=$SECONDS
    while :; do
        line=
        for name in "${!STEP_PID[@]}"; do
            if kill -0 "${STEP_PID[$name]}" 2>/dev/null; then
                line+="${line:+, }$name $((SECONDS - STEP_START[$name])) s of about ${STEP_ESTIMATE[$name]} s"
                continue
            fi
            code=0
            wait "${STEP_PID[$name]}" || code=$?
            unset "STEP_PID[$name]"
            if ((code != 0)); then
                say "$name: failed after $((SECONDS - STEP_START[$name])) s; the end of $STEP_LOGS/$name.log:"
                tail -n 25 "$STEP_LOGS/$name.log" | sed 's/^/    /' >&2
                stop_steps
                return $((code == 3 ? 3 : 1))
            fi
            say "$name: done in $((SECONDS - STEP_START[$name])) s"
        done
        running=
        for name in "$@"; do running+=${STEP_PID[$name]:-}; done
        [[ -n $running ]] || return 0
        if ((SECONDS - last >= 15)); then
            last=$SECONDS
            say "    running: $line"
        fi
        sleep 0.2
    done
}

# step NAME SECONDS WHAT COMMAND...: one step, waited for.
step() {
    start "$@"
    await "$1"
}

# stop_steps ends the steps that still run. For EXIT traps.
stop_steps() {
    local name
    for name in "${!STEP_PID[@]}"; do
        kill -- "-${STEP_PID[$name]}" 2>/dev/null || true
        wait "${STEP_PID[$name]}" 2>/dev/null || true
        unset "STEP_PID[$name]"
    done
}

# is_debian: apt-get and dpkg are there and this is Debian or a child of it.
is_debian() {
    have apt-get && have dpkg && grep -qE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release 2>/dev/null
}

# apt_install PACKAGE...: never asks, never starts a daemon by itself where no init would look after it.
apt_install() {
    local policy=
    if [[ ! -d /run/systemd/system && ! -e /usr/sbin/policy-rc.d ]]; then
        policy=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    local code=0
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -q && apt-get install -q -y --no-install-recommends "$@"; } || code=$?
    [[ -z $policy ]] || rm -f "$policy"
    return "$code"
}

# record IMAGE: tells labctl that this image was built on this engine, or is trusted by whoever runs this. Kept as a
# volume whose label is the image's id: `docker load` and `docker pull` bring names and labels of images, but no volumes.
record() {
    local id
    id=$(docker image inspect --format '{{ .Id }}' "$1")
    docker volume create --label "labctl.image=$id" "labctl-image-${id#sha256:}" >/dev/null
}

# recorded IMAGE: it is.
recorded() {
    local id
    id=$(docker image inspect --format '{{ .Id }}' "$1" 2>/dev/null) || return 1
    [[ -n $(docker volume ls --quiet --filter "label=labctl.image=$id") ]]
}
