#!/usr/bin/env bash
# Measures labctl against doing the same by hand, on real clusters, and over SSH against the same labctl on the host.
# Nothing else should run on the machine.
#
#   scripts/bench.sh [FLAG...]     flags go to e2e/bench
#   scripts/bench.sh -only ssh     one half alone: local or ssh
#
# Over SSH needs moto_server (pip install 'moto[ec2,server]'). Without it that half is reported as not measured;
# asked for alone, it fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

have moto_server || say "bench: moto_server is not there (pip install 'moto[ec2,server]'): over SSH will NOT be measured"
scripts/engine.sh
scripts/parts.sh node-image=scripts/node-image.sh mirror-images=scripts/mirror-images.sh build=scripts/build.sh
e2e/ec2/host/build.sh # it takes kubectl from the node image
mkdir -p .build/bin
# The kind CLI of the very version that labctl links: it comes with the module.
go build -o .build/bin/kind sigs.k8s.io/kind
go build -o .build/bin/bench ./e2e/bench
exec .build/bin/bench "$@"
