#!/bin/bash
# Runs before containerd. Where the machine gives no CAP_SYS_RESOURCE (number 24), no process may lower its OOM score, and
# pods that ask for that would fail to start. It is decided at every boot, not when the image is built, for an image is
# built on one machine and used on others.
set -eu
bounding=$(awk '/^CapBnd:/ { print $2 }' /proc/self/status)
if (((16#$bounding >> 24 & 1) == 0)); then
    sed -i 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' /etc/containerd/config.toml
fi
