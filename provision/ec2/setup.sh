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
  command -v apt-get >/dev/null || fail "the image has no apt-get to install $install with: it has to be a Debian or an Ubuntu"
  say "installing $install"
  again apt-get -qq -o DPkg::Lock::Timeout=300 update || fail 'the package lists cannot be read (apt-get update)'
  # From Debian 13 on the command is a package of its own.
  case $install in docker*) apt-cache show docker-cli >/dev/null 2>&1 && install="$install docker-cli" ;; esac
  # shellcheck disable=SC2086
  again apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $install >/dev/null || fail "apt-get install $install"
fi

# fetch VERSION: kubectl, of a minor version the newest. The lab works without, since labctl kubectl can
# use the one in the control-plane node.
fetch() {
  say "fetching kubectl $1"
  new=/usr/local/bin/kubectl.new
  release=v$1
  case $1 in *.*.*) ;; *) release=$(get "stable-$1.txt") ;; esac
  from=$release/bin/linux/$(dpkg --print-architecture)/kubectl
  if get "$from" >$new && sum=$(get "$from.sha256") && echo "$sum  $new" | sha256sum -c --quiet; then
    chmod 755 $new && mv $new /usr/local/bin/kubectl
  else
    rm -f $new
    say 'kubectl could not be fetched; going on without'
  fi
}
get() { curl -fsSL --connect-timeout 10 --retry 3 --max-time 120 "https://dl.k8s.io/release/$1"; }
# Nothing waits for it.
if [ -n "${1-}" ] && ! command -v kubectl >/dev/null; then fetch "$1" & fi

say 'starting Docker'
systemctl --quiet enable --now docker || fail "Docker does not start: $(systemctl show -p Result docker)"
again docker version >/dev/null || fail 'Docker runs and does not answer'

touch $var/ready
say 'the host is ready'
wait
