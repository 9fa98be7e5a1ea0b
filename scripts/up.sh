#!/usr/bin/env bash
# From nothing to a lab on this machine. What is there already is skipped.
#
#   scripts/up.sh FILE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/engine.sh
scripts/parts.sh node-image=scripts/node-image.sh mirror-images=scripts/mirror-images.sh build=scripts/build.sh
exec bin/labctl up "$1" --local
