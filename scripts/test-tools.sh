#!/usr/bin/env bash
# The programs that tests run against beside Docker: a real sshd, and moto_server, which speaks EC2's protocol.
# What is there is left alone. Nothing is started: the tests start their own, on loopback.
#
# Exit codes: 0 both are there, 3 one is missing and cannot be installed from here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
STEP_LOGS=.build/logs

if [[ ! -x /usr/sbin/sshd ]]; then
    is_debian && ((EUID == 0)) || die 3 "sshd is missing: install your system's OpenSSH server (Debian: openssh-server)"
    step openssh 20 "installing OpenSSH's server from Debian" apt_install openssh-server openssh-client
fi
if ! have moto_server; then
    die 3 "moto_server is missing: pip install 'moto[server]==5.2.1'"
fi
