#!/usr/bin/env bash
# Builds bin/labctl: static, without paths of this machine in it, with its version from git where there is one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
STEP_LOGS=.build/logs

compile() {
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$1" -o bin/labctl ./cmd/labctl
}

have go || die 3 "no Go toolchain: install Go $(sed -n 's/^go //p' go.mod) or later (https://go.dev/dl)"
trap stop_steps EXIT
version=$(git describe --tags --always --dirty 2>/dev/null || echo devel)
step build 60 "bin/labctl $version; 3 s when little has changed" compile "$version"
