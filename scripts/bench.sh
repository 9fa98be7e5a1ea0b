#!/usr/bin/env bash
# Measures labctl against doing the same by hand, on real clusters. Nothing else should run on the machine.
#
#   scripts/bench.sh [FLAG...]     flags go to e2e/bench
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/engine.sh
scripts/parts.sh node-image=scripts/node-image.sh mirror-images=scripts/mirror-images.sh build=scripts/build.sh
e2e/ec2/host/build.sh # it takes kubectl from the node image
mkdir -p .build/bin
# The kind CLI of the very version that labctl links: it comes with the module.
go build -o .build/bin/kind sigs.k8s.io/kind
go build -o .build/bin/bench ./e2e/bench
exec .build/bin/bench "$@"
