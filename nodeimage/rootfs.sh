#!/usr/bin/env bash
# Makes the node's root file system from Debian's packages and kind's own base files. Called by build.sh, as root.
#
#   rootfs.sh packages TAR          install the packages into a new root file system, archived as TAR
#   rootfs.sh node TAR DIR KIND     unpack it into DIR and make it a node, with the files of the kind module in KIND
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ../scripts/lib.sh

# bookworm's systemd still runs on cgroup v1, its successor's does not; both run on v2.
readonly RELEASE=bookworm

# sources prints apt's own lines for RELEASE: this machine's, whatever its form and place. On another Debian release the
# archive is the same one, without its updates.
sources() {
    local found
    found=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(ORIGIN) $(LABEL)' 'Created-By: Packages' | sort -u)
    if [[ -n ${LABCTL_DEBIAN_MIRROR:-} ]]; then
        echo "deb $LABCTL_DEBIAN_MIRROR $RELEASE main"
    elif grep -q " $RELEASE Debian Debian$" <<<"$found"; then
        awk -v release="$RELEASE" '$3 == "Debian" && $2 ~ "^" release "(-updates|-security)?$" { print "deb", $1, $2, "main" }' <<<"$found"
    else
        awk -v release="$RELEASE" '$3 == "Debian" && $4 == "Debian" { print "deb", $1, release, "main"; exit }' <<<"$found"
    fi
}

packages() {
    local archive=$1 list keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    list=$(sources)
    [[ -n $list ]] || die 3 "apt on this machine names no Debian mirror (or apt-get update was never run): set LABCTL_DEBIAN_MIRROR"
    local options=(--variant=minbase --mode=root
        --include="$(grep -v '^#' packages.txt | xargs | tr ' ' ',')"
        --aptopt='APT::Install-Recommends "false"'
        --dpkgopt=force-unsafe-io)
    [[ ! -f $keyring ]] || options+=(--keyring="$keyring")
    local path
    # Never used in a node, and half of these packages' size.
    for path in /usr/share/{doc,info,lintian,locale,man} '/usr/lib/*/gconv'; do
        options+=(--dpkgopt="path-exclude=$path/*")
    done
    options+=(--dpkgopt='path-exclude=/usr/bin/containerd-stress')
    mmdebstrap "${options[@]}" --format=tar "$RELEASE" "$archive.new" - <<<"$list"
    mv "$archive.new" "$archive"
}

node() {
    local root=$2 kind=$3/images/base/files name
    rm -rf "$root"
    mkdir -p "$root"
    tar -C "$root" --numeric-owner -xpf "$1"
    # Where the packages came from is this machine's affair; a node has no use for it.
    rm -rf "$root"/etc/apt/sources.list* "$root"/var/lib/apt/lists/* "$root"/var/cache/* \
        "$root"/etc/{hostname,resolv.conf}
    # Files alone: the directory /var/log/journal is what lets a node's journal survive its restart.
    find "$root/var/log" -type f -delete
    # Only what nodenet's configuration names; the others are 40 MB.
    mkdir -p "$root/opt/cni/bin"
    for name in host-local loopback portmap ptp; do mv "$root/usr/lib/cni/$name" "$root/opt/cni/bin/"; done
    rm -rf "$root/usr/lib/cni"
    ln -s /opt/cni/bin "$root/usr/lib/cni"

    # The files' places and modes are those of kind's own Dockerfile.
    cp -r --no-preserve=mode,ownership "$kind/." "$root/"
    cp -r --no-preserve=mode,ownership files/. "$root/"
    chmod 755 "$root"/usr/local/bin/* "$root"/kind/bin/*
    cat containerd-registry.toml >>"$root/etc/containerd/config.toml"
    mkdir -p "$root/etc/containerd/certs.d" "$root/etc/kubernetes/manifests"

    # Debian puts these elsewhere than kind's unit files expect them.
    for name in containerd ctr containerd-shim-runc-v2; do ln -sf "/usr/bin/$name" "$root/usr/local/bin/$name"; done
    ln -sf /usr/sbin/runc "$root/usr/local/sbin/runc"
    ln -sf /usr/lib/systemd/systemd "$root/usr/sbin/init"

    # As in kind's Dockerfile: nothing is started but what is enabled below, and the host's kernel log is not ours.
    rm -f "$root"/lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service \
        "$root"/lib/systemd/system/{multi-user,local-fs,basic}.target.wants/* "$root"/etc/systemd/system/*.wants/* \
        "$root"/lib/systemd/system/sockets.target.wants/*{udev,initctl}*
    echo "ReadKMsg=no" >>"$root/etc/systemd/journald.conf"
    chroot "$root" systemctl enable kubelet.service containerd.service undo-mount-hacks.service
    chroot "$root" systemctl mask systemd-binfmt.service
    # What kind's Dockerfile does with the same two tools: every container gets the hook that hides the host's product name.
    chroot "$root" sh -euc 'ctr oci spec | jq "$1" >/etc/containerd/cri-base.json' - \
        '.hooks.createContainer += [{"path": "/kind/bin/mount-product-files.sh"}] | del(.process.rlimits)'
    [[ -s $root/etc/containerd/cri-base.json ]] || die 1 "ctr oci spec printed nothing"
}

"$@"
