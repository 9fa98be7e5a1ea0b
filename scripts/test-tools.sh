#!/usr/bin/env bash
# The programs that tests run against beside Docker: a real sshd, the shells that people have, and moto_server, which
# speaks EC2's protocol.
# What is there is left alone. Nothing is started: the tests start their own, on loopback.
#
# Exit codes: 0 all are there, 3 one is missing and cannot be installed from here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
STEP_LOGS=.build/logs

if [[ ! -x /usr/sbin/sshd ]]; then
    is_debian && ((EUID == 0)) || die 3 "sshd is missing: install your system's OpenSSH server (Debian: openssh-server)"
    step openssh 20 "installing OpenSSH's server from Debian" apt_install openssh-server openssh-client
fi
if ! have zsh || ! have fish; then
    is_debian && ((EUID == 0)) || die 3 "zsh or fish is missing: install both with your system's packages"
    step shells 20 "installing zsh and fish from Debian" apt_install zsh fish
fi
if ! have moto_server; then
    die 3 "moto_server is missing: pip install 'moto[server]==5.2.1'"
fi
