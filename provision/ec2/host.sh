#!/bin/sh
# labctl's own hand on this host: the timer that ends it, the marker that pins its key, and what
# labctl asks for over SSH. Written anew at each boot.
set -u
conf=/etc/labctl
var=/var/lib/labctl
console=${LABCTL_CONSOLE:-/dev/console}

# say TEXT: a step, for the console and for whoever logs in later.
say() {
  printf '%s\n' "$1" >>$var/steps
  printf '\nLABCTL-STEP %s\n' "$1" >"$console" 2>/dev/null || :
}

# expiry: the second at which this host ends. What cannot be read counts as long past.
expiry() {
  at=$(cat $conf/expires 2>/dev/null)
  case $at in '' | *[!0-9]*) at=0 ;; esac
  printf '%s\n' "$at"
}

# arm: an absolute timer, and a look every five minutes for a clock that was set or a host that was
# stopped meanwhile. A host that was started after its time has 15 minutes in which to extend it.
arm() {
  cat >/etc/systemd/system/labctl-ttl.service <<EOF
[Unit]
Description=End this host when its time is up
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/labctl-host expire
EOF
  cat >/etc/systemd/system/labctl-ttl.timer <<EOF
[Unit]
Description=The time at which this host ends itself
DefaultDependencies=no
[Timer]
OnCalendar=$(date -u -d "@$(expiry)" '+%Y-%m-%d %H:%M:%S UTC')
OnBootSec=15min
OnUnitInactiveSec=5min
AccuracySec=1s
[Install]
WantedBy=multi-user.target
EOF
  systemctl daemon-reload
  systemctl --quiet enable labctl-ttl.timer
  systemctl --no-block restart labctl-ttl.timer
}

case ${1-} in
arm) arm ;;
expire)
  [ "$(date +%s)" -ge "$(expiry)" ] || exit 0
  say 'the time is up: switching off'
  systemctl --no-block poweroff || poweroff -f
  ;;
extend)
  case ${2-} in '' | *[!0-9]*) echo "extend needs a second since 1970" >&2 && exit 2 ;; esac
  printf '%s\n' "$2" >$conf/expires.new && mv $conf/expires.new $conf/expires
  arm
  ;;
announce)
  key=$(cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub)
  printf '\nLABCTL-HOSTKEY %s\n' "$key" >"$console"
  ;;
report)
  if [ -e $var/ready ]; then setup=ready; elif [ -e $var/failed ]; then setup=failed; else setup=busy; fi
  echo "setup=$setup"
  echo "step=$(tail -n 1 $var/steps 2>/dev/null)"
  echo "expires=$(expiry)"
  echo "timer=$(systemctl is-active labctl-ttl.timer)"
  echo "docker=$(docker version --format '{{.Server.Version}}' 2>/dev/null)"
  ;;
say) say "$2" ;;
*) echo "labctl-host: arm, expire, extend SECOND, announce, report or say TEXT" >&2 && exit 2 ;;
esac
