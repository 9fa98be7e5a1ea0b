#!/bin/sh
# Makes of a fresh image the host that the lab needs, skipping what is there. It runs at every boot
# until it has been through once, so a reboot in the middle does no harm.
set -u
var=/var/lib/labctl
say() { /usr/local/sbin/labctl-host say "$1"; }
fail() {
	say "FAILED: $1"
	printf '%s\n' "$1" >$var/failed
	exit 1
}
# again COMMAND...: five times, for mirrors that are not there at once.
again() {
	for pause in 2 5 10 20 0; do
		"$@" && return 0
		sleep $pause
	done
	return 1
}
rm -f $var/failed

say 'setting the inotify limits'
sysctl -q -p /etc/sysctl.d/90-labctl.conf || say 'the inotify limits could not be set'

install=
export DEBIAN_FRONTEND=noninteractive
if ! command -v dockerd >/dev/null; then install='docker.io iptables'; fi
if ! command -v curl >/dev/null; then install="$install curl ca-certificates"; fi
if [ -n "$install" ]; then
	say "installing $install"
	again apt-get -qq -o DPkg::Lock::Timeout=300 update || fail 'the package lists cannot be read (apt-get update)'
	# From Debian 13 on the command is a package of its own.
	case $install in docker*) apt-cache show docker-cli >/dev/null 2>&1 && install="$install docker-cli" ;; esac
	# shellcheck disable=SC2086
	again apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $install >/dev/null || fail "apt-get install $install"
fi

say 'starting Docker'
systemctl --quiet enable --now docker || fail "Docker does not start: $(systemctl show -p Result docker)"
again docker version >/dev/null || fail 'Docker runs and does not answer'

version=${1-}
if [ -n "$version" ] && ! command -v kubectl >/dev/null; then
	say "fetching kubectl $version"
	arch=$(dpkg --print-architecture)
	from=https://dl.k8s.io/release/v$version/bin/linux/$arch/kubectl
	if again curl -fsSL --max-time 120 -o /usr/local/bin/kubectl.new "$from" &&
		sum=$(curl -fsSL --max-time 30 "$from.sha256") &&
		echo "$sum  /usr/local/bin/kubectl.new" | sha256sum -c --quiet; then
		chmod 755 /usr/local/bin/kubectl.new && mv /usr/local/bin/kubectl.new /usr/local/bin/kubectl
	else
		# The lab works without: labctl kubectl uses the one in the control-plane node.
		rm -f /usr/local/bin/kubectl.new
		say 'kubectl could not be fetched; go on without'
	fi
fi

touch $var/ready
say 'the host is ready'
