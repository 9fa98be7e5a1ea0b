#!/usr/bin/env bash
# Runs the whole sweep of e2e/ec2/account, about 12 minutes, on what is committed, and writes docs/proofs/ec2-sweep.md, to be committed.
#
# Exit codes: 0 nothing failed, 1 something did (nothing is written), 3 refused (no moto_server).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v moto_server >/dev/null || { echo "proof: there is no moto_server (scripts/test-tools.sh)" >&2 && exit 3; }
COMMIT=$(git rev-parse --short HEAD)
WORK=$(mktemp -d)
readonly COMMIT WORK PROOF=docs/proofs/ec2-sweep.md
trap 'rm -rf "$WORK"' EXIT

# A tree of its own: what is proven is the commit, not what somebody is about to write here.
git archive "$COMMIT" | tar -x -C "$WORK"
began=$SECONDS
if ! (cd "$WORK" && go test -vet=off -tags e2e,soak -count=1 -timeout 60m -v ./e2e/ec2/account) >"$WORK/log" 2>&1; then
    grep -E '^ *--- FAIL|^FAIL|NOT RUN' "$WORK/log" >&2 || tail -n 30 "$WORK/log" >&2
    exit 1
fi
took=$((SECONDS - began))

# counts RESULT: top-level tests and all of them.
counts() { printf '%s (%s with their cases)' "$(grep -cE "^--- $1" "$WORK/log" || true)" "$(grep -cE "^ *--- $1" "$WORK/log" || true)"; }

mkdir -p docs/proofs
{
    printf '# The sweep of an AWS account\n\n'
    printf "Commit %s, %s, %s CPUs, %d min %02d s. Written by \`e2e/ec2/proof.sh\`.\n\n" "$COMMIT" "$(date -u +%Y-%m-%d)" "$(nproc)" $((took / 60)) $((took % 60))
    cat <<'TEXT'
Real processes of labctl work on moto's EC2 API behind a proxy that adds what AWS does and moto does not (client tokens, groups that cannot be
deleted while in use, answers that lag behind), and strikes. Every changing call of every run is struck in every way, with no lag and with one of
1.5 s: killed before AWS hears of it, killed after AWS acted, the connection dropped after it (once, and for good), an internal error after it
(once, and for good). After each, either the next `up` leaves exactly one instance and one group and the `down` after it nothing, or the
next `down` nothing. After every case the account's instances, volumes, interfaces, groups, key pairs, addresses and snapshots are those from before.

| struck run | cases |
|---|---|
TEXT
    sed -nE 's/^ *sweep_test\.go:[0-9]+: (.*[^ ]) +([0-9]+)$/| \1 | \2 |/p' "$WORK/log" | sort
    printf '\n%s\n\n' "$(sed -nE 's/^ *sweep_test\.go:[0-9]+: ([0-9]+ cases: .*)$/**\1**/p' "$WORK/log")"
    printf 'All tests of the package: passed %s, failed %s, skipped %s. Among them:\n\n' "$(counts PASS)" "$(counts FAIL)" "$(counts SKIP)"
    sed -nE '/sweep_test/d;s/; i-[0-9a-f]+ stays$//;s/^ *[a-z]+_test\.go:[0-9]+: ([0-9]+ [a-z].*)$/\1/p' "$WORK/log" | sort | uniq -c |
        awk '{ n = $1; $1 = ""; print "-" $0 (n > 1 ? " (" n " times)" : "") }'
    printf '\nThe calls that they made and the IAM policy were compared in both directions: they are the same.\n'
} >"$PROOF"
echo "proof: commit $PROOF" >&2
