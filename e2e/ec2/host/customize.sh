#!/usr/bin/env bash
# Makes of Debian's packages a machine that boots in a container. Called by mmdebstrap, as root, before it packs up.
#
#   customize.sh ROOT BOUNDING     BOUNDING: the capabilities that the machine can give, as /proc/self/status has them
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly ROOT=$1 BOUNDING=$2

# What belongs to the kernel and the hardware is the machine's around us: a privileged container could change it.
# A login prompt on the console would hang up what is being read from there. apt's own timers make runs differ.
readonly MASKED=(
    systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udev-trigger.service
    systemd-modules-load.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount
    dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount
    systemd-remount-fs.service systemd-random-seed.service systemd-pstore.service
    console-getty.service getty@.service serial-getty@.service getty-static.service
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
)

in_root() { chroot "$ROOT" "$@"; }

# acquire prints what this machine's apt needs to be told to fetch anything at all: proxies, clocks.
acquire() {
    apt-config dump --no-empty --format '%F "%v";%n' | grep -E '^Acquire::(Check-|https?::(Proxy|Timeout))' || true
}

cp -r --no-preserve=mode,ownership files/. "$ROOT/"
acquire >"$ROOT/etc/apt/apt.conf.d/90machine"

in_root systemctl mask --quiet "${MASKED[@]}"
in_root systemctl enable --quiet ssh.service cloud-init-local.service cloud-init.service cloud-config.service cloud-final.service
# Kernel settings are the whole machine's. Only what user-data sets is set, as it would be on EC2.
rm -f "$ROOT"/usr/lib/sysctl.d/*.conf "$ROOT"/etc/sysctl.d/*.conf
: >"$ROOT/etc/sysctl.conf"

# Where the instance's user-data and metadata are put before its first boot.
mkdir -p "$ROOT/var/lib/cloud/seed/nocloud"

# Made at the first boot, as on EC2.
rm -f "$ROOT"/etc/ssh/ssh_host_* "$ROOT/var/lib/dbus/machine-id"
: >"$ROOT/etc/machine-id"
rm -f "$ROOT"/etc/{hostname,resolv.conf}

# Where the machine cannot give CAP_SYS_RESOURCE (number 24), no engine on it can either. The wrapper is the one that
# engine.sh puts before runc; this place comes first on the engine's PATH.
if (((16#$BOUNDING >> 24 & 1) == 0)); then
    wrapper=$(sed -n "/<<'WRAPPER'\$/,/^WRAPPER\$/{//!p}" ../../../scripts/engine.sh)
    [[ $wrapper == *$'\nexec runc "$@"' ]] || { echo "scripts/engine.sh has no runc wrapper any more" >&2 && exit 1; }
    printf '%s\n' "${wrapper/%exec runc \"\$@\"/exec /usr/sbin/runc \"\$@\"}" >"$ROOT/usr/local/sbin/runc"
    chmod 755 "$ROOT/usr/local/sbin/runc"
fi
