#!/usr/bin/env bash
# Tries labctl in an AWS account: a small lab from up to down, for a few cents, and a report of how it went.
#
#   e2e/ec2/real.sh [--region REGION] [--image NAME] [--type TYPE] [--report FILE] [--yes]
#
# REGION is by default that of your AWS configuration, NAME debian-12, TYPE t3.large. LABCTL is the program to try
# (default: bin/labctl, else the labctl on the PATH). With the AWS CLI on the PATH everything in the region is compared
# with what was there before; without it only what labctl itself finds. Against a simulated account set AWS_ENDPOINT_URL.
#
# It shows the price and asks before it launches. Whatever happens after that, it runs `labctl down` at the end.
#
# Exit codes: 0 all steps went well and nothing is left, 1 a step failed, 2 wrong arguments, 3 refused before anything was
# made, 6 something is left in the account, 130 interrupted (and cleaned up).
set -euo pipefail
readonly FROM=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-}} IMAGE=debian-12 TYPE=t3.large REPORT='' YES=''
NAME=real-$(date -u +%m%d-%H%M%S)
BEGUN='' FAILED='' INTERRUPTED='' ROWS='' LEFT=''

say() { printf '%s\n' "real: $*" >&2; }
die() {
    local code=$1
    shift
    say "$*"
    exit "$code"
}

# from PATH: a path as it was meant where the script was called.
from() { if [[ $1 == /* ]]; then printf '%s' "$1"; else printf '%s' "$FROM/$1"; fi; }

arguments() {
    while (($#)); do
        case $1 in
        --region | --image | --type | --report)
            [[ -n ${2:-} ]] || die 2 "$1 needs a value"
            case $1 in
            --region) REGION=$2 ;;
            --image) IMAGE=$2 ;;
            --type) TYPE=$2 ;;
            --report) REPORT=$(from "$2") ;;
            esac
            shift 2
            ;;
        --yes) YES=1 && shift ;;
        -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" && exit 0 ;;
        *) die 2 "unknown argument $1 (--help lists them)" ;;
        esac
    done
}

# prerequisites: what can be told before anything is made.
prerequisites() {
    if [[ -n ${LABCTL:-} ]]; then
        LABCTL=$(from "$LABCTL")
    elif [[ -x bin/labctl ]]; then
        LABCTL=$PWD/bin/labctl
    else
        LABCTL=$(command -v labctl) || die 3 "there is no bin/labctl and no labctl on the PATH (make build)"
    fi
    [[ -x $LABCTL ]] || die 3 "there is no program $LABCTL"
    command -v ssh >/dev/null || die 3 "there is no ssh command, which labctl ssh needs"
    if [[ -z $REGION ]] && command -v aws >/dev/null; then REGION=$(aws configure get region || true); fi
    [[ -n $REGION ]] || die 3 "which region? (--region, AWS_REGION)"
    : "${REPORT:=$FROM/ec2-report-$NAME.md}"
    WORK=$(mktemp -d)
    trap 'rm -rf "$WORK"' EXIT
    export LABCTL_HOME=$WORK/home
    lab >"$WORK/lab.hcl"
    "$LABCTL" validate "$WORK/lab.hcl" >"$WORK/validate.log" 2>&1 || die 3 "the lab file is refused: $(<"$WORK/validate.log")"
    local code=0
    "$LABCTL" gc --dry-run --region "$REGION" >"$WORK/gc-before.log" 2>&1 || code=$?
    # 5: this machine's Docker does not answer, which does not matter here.
    if ((code != 0 && code != 5 && code != 6)); then die 3 "the account cannot be looked at: $(<"$WORK/gc-before.log")"; fi
}

lab() {
    cat <<LAB
lab "$NAME" {
  title = "labctl on real EC2"
  ttl   = "1h"
}
host "ec2" "real" {
  region        = "$REGION"
  instance_type = ["$TYPE"]
  image         = "$IMAGE"
  disk_gib      = 20
}
cluster "kind" "real-cluster" {
  host = host.ec2.real
  node "control-plane" {}
  node "worker" {}
}
scenario "imagepull" {}
scenario "crashloop" {}
LAB
}

# ask shows what would be made and what it costs.
ask() {
    "$LABCTL" plan "$WORK/lab.hcl" >"$WORK/plan.log" 2>&1 || die 3 "labctl plan: $(<"$WORK/plan.log")"
    cat "$WORK/plan.log" >&2
    say "It takes about 15 minutes, so a quarter of the price of an hour; the host ends itself after one hour in any case."
    [[ -z $YES ]] || return 0
    [[ -t 0 ]] || die 3 "nobody can be asked here: pass --yes"
    local answer
    read -r -p "real: launch it in $REGION? [y/N] " answer
    [[ $answer == [yY]* ]] || die 3 "nothing was made"
}

# inventory: everything in the region that could cost money or stand in somebody's way.
inventory() {
    if ! command -v aws >/dev/null; then
        "$LABCTL" gc --dry-run --region "$REGION" 2>/dev/null || true
        return 0 # within a trap a bare one returns what was before it
    fi
    describe instances 'Reservations[].Instances[].InstanceId' --filters Name=instance-state-name,Values=pending,running,stopping,stopped,shutting-down &&
        describe volumes 'Volumes[].VolumeId' &&
        describe network-interfaces 'NetworkInterfaces[].NetworkInterfaceId' &&
        describe security-groups 'SecurityGroups[].GroupId' &&
        describe key-pairs 'KeyPairs[].KeyPairId' &&
        describe addresses 'Addresses[].AllocationId' &&
        describe snapshots 'Snapshots[].SnapshotId' --owner-ids self
}

# describe KIND QUERY ARGS...: one line for each thing of a kind.
describe() {
    local what=$1 query=$2 ids
    shift 2
    ids=$(AWS_PAGER="" aws ec2 "describe-$what" --region "$REGION" --query "$query" --output text "$@") || return 1
    tr -s '[:space:]' '\n' <<<"$ids" | sed -n "/^None\$/d;/./s/^/$what /p"
}

# step NAME CODE COMMAND...: runs a step, which has to exit with CODE; the first that does not ends the run.
step() {
    local name=$1 want=$2 code=0 began=${EPOCHREALTIME/,/.} seconds verdict=ok
    shift 2
    say "$name: ${*/#"$LABCTL"/labctl}"
    "$@" >"$WORK/$name.log" 2>&1 || code=$?
    seconds=$(awk -v a="$began" -v b="${EPOCHREALTIME/,/.}" 'BEGIN { printf "%.1f", b - a }')
    if ((code != want)); then verdict="FAILED: exit code $code, not $want"; fi
    ROWS+="| $name | $seconds s | $verdict |"$'\n'
    say "$name: $verdict after $seconds s"
    if ((code != want)); then
        tail -n 15 "$WORK/$name.log" >&2
        FAILED+=" $name"
        exit 1
    fi
}

steps() {
    BEGUN=1
    step up 0 "$LABCTL" up "$WORK/lab.hcl"
    step verify 0 "$LABCTL" verify
    step second-up 0 "$LABCTL" up "$WORK/lab.hcl"
    step status 0 "$LABCTL" status "$NAME"
    step kubectl 0 "$LABCTL" kubectl -- get nodes,pods -A -o wide
    step ssh 0 "$LABCTL" ssh -- 'kubectl get nodes && docker ps && cat /etc/os-release && cat /var/lib/labctl/steps'
    step ssh-exit-code 7 "$LABCTL" ssh -- 'exit 7'
    step extend 0 "$LABCTL" extend 10m
    step stop 0 "$LABCTL" stop
    step start 0 "$LABCTL" start
    step verify-again 0 "$LABCTL" verify
    step down 0 "$LABCTL" down "$NAME"
    BEGUN=''
}

# finish removes what is there, looks whether it is gone, and writes the report.
finish() {
    local code=$?
    trap - EXIT
    trap '' INT TERM
    if [[ -n $BEGUN ]]; then
        say "removing the lab"
        # Without the lab's own files, in case they are what is wrong.
        "$LABCTL" down "$NAME" --region "$REGION" >"$WORK/down-at-the-end.log" 2>&1 ||
            LABCTL_HOME=$WORK/empty "$LABCTL" down "$NAME" --region "$REGION" >>"$WORK/down-at-the-end.log" 2>&1 ||
            LEFT="lab $NAME: labctl down $NAME --region $REGION"$'\n'
    fi
    inventory >"$WORK/after" || LEFT+="what is there cannot be read any more"$'\n'
    LEFT+=$(comm -13 <(sort "$WORK/before") <(sort "$WORK/after"))
    report | sed -E 's/\b[0-9]{12}\b/000000000000/g' >"$REPORT"
    say "the report is in $REPORT; read it before you show it to anybody"
    if [[ -n $LEFT ]]; then
        say "STILL IN THE ACCOUNT, and maybe costing money:"
        printf '%s\n' "$LEFT" >&2
        exit 6
    fi
    rm -rf "$WORK"
    [[ -z $INTERRUPTED ]] || exit 130
    [[ -z $FAILED ]] || exit 1
    exit "$code"
}

report() {
    local log
    printf '# labctl on EC2: %s\n\n' "$(date -u '+%Y-%m-%d %H:%M UTC')"
    printf -- '- %s\n- region %s, image %s, type %s%s\n' "$("$LABCTL" version)" "$REGION" "$IMAGE" "$TYPE" "${AWS_ENDPOINT_URL:+, against $AWS_ENDPOINT_URL}"
    printf -- '- result: %s\n- left in the account: %s\n\n' "${INTERRUPTED:+interrupted }${FAILED:+failed:$FAILED}$([[ -n $FAILED$INTERRUPTED ]] || echo 'all steps went well')" "${LEFT:-nothing}"
    command -v aws >/dev/null || printf 'The AWS CLI is not here: only what labctl finds was compared.\n\n'
    printf '| step | took | |\n|---|---|---|\n%s\n' "$ROWS"
    for log in "$WORK"/*.log; do
        printf '<details><summary>%s</summary>\n\n```\n' "$(basename "$log" .log)"
        tail -n 60 "$log"
        printf '```\n</details>\n\n'
    done
}

main() {
    arguments "$@"
    prerequisites
    inventory >"$WORK/before" || die 3 "what is in the account cannot be read"
    ask
    trap 'INTERRUPTED=1; exit 130' INT TERM
    trap finish EXIT
    steps
}

main "$@"
