#!/usr/bin/env bash
# Makes the root file system of one substitute image from Debian's packages. Needs no root's rights.
#
#   images/substitute.sh NAME OUT        NAME is a folder beside this file
#
# Writes OUT/rootfs.tar (all files owned by root, sorted) and OUT/source ("nginx=1.22.1-9 curl=…").
set -euo pipefail
IMAGES=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly IMAGES

# The empty directories that programs and container engines expect.
readonly DIRECTORIES=(usr/bin usr/sbin usr/lib usr/lib64 etc run var/log var/lib root home proc sys dev)

# apt runs apt-get with lists of its own: the machine's may be missing or older than its mirror.
apt() {
    local command=$1
    shift
    "$command" -q -o APT::Sandbox::User="$(id -un)" "${APT[@]}" "$@"
}

# closure PACKAGE...: the packages and the libraries they depend on, one per line.
# Libraries alone: the other dependencies serve maintainer scripts, which are not run.
closure() {
    apt apt-cache depends --recurse --important "$@" | awk -v wanted="$*" '
        /^[^ ]/         { package = $1 }
        /^ *(Pre)?Depends: [^<]/ { needs[package] = needs[package] " " $2 }
        END {
            last = split(wanted, queue, " ")
            for (i = 1; i <= last; i++) {
                if (queue[i] in seen) continue
                seen[queue[i]] = 1
                print queue[i]
                count = split(needs[queue[i]], next_, " ")
                for (j = 1; j <= count; j++) if (next_[j] ~ /^(lib|zlib)/) queue[++last] = next_[j]
            }
        }'
}

# fetch NAME DIR: downloads the closure into DIR; the machine's own package lists first, fresh ones else.
fetch() {
    local wanted packages
    mapfile -t wanted <"$IMAGES/$1/packages"
    mkdir -p "$2"
    for APT in "" "-o Dir::State::Lists=$2/lists -o Dir::Cache=$2/cache"; do
        read -ra APT <<<"$APT"
        if ((${#APT[@]})); then
            mkdir -p "$2/lists/partial" "$2/cache/archives/partial"
            apt apt-get update
        fi
        mapfile -t packages < <(closure "${wanted[@]}")
        if (cd "$2" && apt apt-get download "${packages[@]}"); then return; fi
    done
    return 1
}

# unpack DEBS ROOT: everything into one tree with merged /usr, as Debian itself is laid out.
unpack() {
    local deb link
    mkdir -p "$2/usr/"{bin,sbin,lib,lib64}
    for link in bin sbin lib lib64; do ln -s "usr/$link" "$2/$link"; done
    for deb in "$1"/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink --no-same-owner -C "$2"
    done
}

# libraries TREE PROGRAM...: the files in TREE that its own loader maps for the programs, relative to TREE.
libraries() {
    local tree=$1 loader program path
    shift
    loader=$(find "$tree/usr/lib64" "$tree/usr/lib" -name 'ld-linux-*.so.*' | head -n 1)
    for program in "$@"; do
        # A static program has no interpreter to name.
        if ! head -c 4096 "$tree/$program" | grep -aq '/ld-linux-'; then continue; fi
        "$loader" --library-path "$(find "$tree/usr/lib" -maxdepth 1 -type d -name '*-linux-gnu*')" --list "$tree/$program"
        printf '%s\n' "$loader"
    done | while read -r path; do
        if [[ $path == *"not found"* ]]; then
            echo "a library is in none of the packages: $path" >&2
            return 1
        fi
        path=${path#*=> } path=${path%% (*}
        [[ $path != "$tree"/* ]] || printf '%s\n' "${path#"$tree"/}"
    done | sort -u
}

# select_files NAME TREE ROOT: copies what `files` lists, and the libraries that the programs among it load.
# A line of `files` that ends in a slash is a directory to make.
select_files() {
    local tree=$2 root=$3 kept directories programs path directory
    mapfile -t kept < <(grep -v '/$' "$IMAGES/$1/files")
    mapfile -t programs < <(cd "$tree" && for path in "${kept[@]}"; do [[ ! -x $path ]] || printf '%s\n' "$path"; done)
    mkdir -p "$root"
    mapfile -t directories < <(sed -n 's|/$||p' "$IMAGES/$1/files")
    for directory in "${DIRECTORIES[@]}" "${directories[@]}"; do mkdir -p "$root/$directory"; done
    for path in bin sbin lib lib64; do ln -s "usr/$path" "$root/$path"; done
    mkdir -p "$root/tmp" && chmod 1777 "$root/tmp"
    # Copied as the file that a link leads to: the name that a program asks for is all that counts.
    libraries "$tree" "${programs[@]}" >"$tree.libraries"
    mapfile -t -O "${#kept[@]}" kept <"$tree.libraries"
    (cd "$tree" && cp -L --preserve=mode --parents "${kept[@]}" "$root")
}

# finish NAME TREE ROOT: lays the overlay on top, links busybox's applets, bundles the CA certificates.
finish() {
    local name=$1 tree=$2 root=$3 applet
    cp -a "$IMAGES/$name/rootfs/." "$root"
    # Addresses of the cluster's own names come from /etc/hosts first, as in Debian's images.
    printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"
    if [[ -d $tree/usr/share/ca-certificates ]]; then
        mkdir -p "$root/etc/ssl/certs"
        find "$tree/usr/share/ca-certificates" -name '*.crt' | sort | xargs cat >"$root/etc/ssl/certs/ca-certificates.crt"
    fi
    for applet in $("$root/usr/bin/busybox" --list); do
        if [[ ! -e $root/usr/bin/$applet && ! -e $root/usr/sbin/$applet ]]; then ln -s busybox "$root/usr/bin/$applet"; fi
    done
}

main() {
    local name=$1 out work
    out=$(mkdir -p "$2" && cd "$2" && pwd)
    work=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    # umask decides the modes inside the image.
    umask 022
    fetch "$name" "$work/debs"
    unpack "$work/debs" "$work/tree"
    select_files "$name" "$work/tree" "$work/root"
    finish "$name" "$work/tree" "$work/root"
    local deb sources=()
    for deb in "$work"/debs/*.deb; do
        sources+=("$(dpkg-deb -W --showformat='${Package}=${Version}' "$deb")")
    done
    printf '%s\n' "${sources[*]}" >"$out/source"
    tar -C "$work/root" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf "$out/rootfs.tar.new" .
    mv "$out/rootfs.tar.new" "$out/rootfs.tar"
    echo "$out/rootfs.tar: $(du -h "$out/rootfs.tar" | cut -f1)"
}

main "$@"
