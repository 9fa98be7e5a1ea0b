#!/usr/bin/env bash
# Runs commands side by side, each line of theirs behind the name of its part. The first failure ends the others.
#
#   scripts/parts.sh NAME='COMMAND WORD...'...
#
# Exit code: that of the first part that failed.
set -euo pipefail

declare -A NAMES=()

end_all() {
    local pid
    for pid in "${!NAMES[@]}"; do kill -- "-$pid" 2>/dev/null || true; done
}

run() {
    local command
    read -ra command <<<"$2"
    set -o pipefail
    "${command[@]}" 2>&1 </dev/null | sed -u "s/^/$(printf '%-13s' "$1") | /" >&2
}

trap 'end_all; exit 130' INT TERM
for part in "$@"; do
    # Job control gives each part a process group of its own, so that ending it ends its children.
    set -m
    run "${part%%=*}" "${part#*=}" &
    set +m
    NAMES[$!]=${part%%=*}
done
while ((${#NAMES[@]})); do
    code=0
    wait -n -p ended "${!NAMES[@]}" || code=$?
    name=${NAMES[$ended]}
    unset "NAMES[$ended]"
    if ((code != 0)); then
        printf '%-13s | failed (exit %d)\n' "$name" "$code" >&2
        end_all
        wait || true
        exit "$code"
    fi
done
