# Puts an image, as `docker save` writes it to standard input, into a registry's storage.
#   store.sh REPOSITORY TAG NAME ID
# The layers stay as they are: what is uncompressed is quicker to read within one machine. The link of the tag and
# the inventory's line "NAME ID" are written last, so an image is there whole or not at all.
set -eu
root=/var/lib/registry
storage=$root/docker/registry/v2
repository=$storage/repositories/$1
find "$root" -maxdepth 1 -name 'labctl.work.*' -mmin +60 -exec rm -rf {} +
work=$(mktemp -d "$root/labctl.work.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
tar -xf -
[ -f manifest.json ] || { echo "what docker save wrote holds no manifest.json" >&2; exit 1; }

# put FILE: gives a file its place by its hash, and sets digest and size.
put() {
    digest=$(sha256sum "$1" | cut -d' ' -f1)
    size=$(wc -c <"$1" | tr -d ' ')
    place=$storage/blobs/sha256/$(echo "$digest" | cut -c1-2)/$digest
    mkdir -p "$place"
    ln -f "$(readlink -f "$1")" "$place/data"
}

# link DIRECTORY: says in it that the repository has the blob of that digest.
link() {
    mkdir -p "$1"
    printf 'sha256:%s' "$digest" >"$1/link.new"
    mv "$1/link.new" "$1/link"
}

# part TYPE FILE: puts a blob that belongs to the image, and describes it.
part() {
    put "$2"
    link "$repository/_layers/sha256/$digest"
    printf '{"mediaType":"%s","size":%s,"digest":"sha256:%s"}' "$1" "$size" "$digest"
}

# layer_type FILE: engines that keep layers compressed save them so.
layer_type() {
    case $(head -c 2 "$1" | od -An -tx1 | tr -d ' ') in
    1f8b) echo application/vnd.docker.image.rootfs.diff.tar.gzip ;;
    *) echo application/vnd.docker.image.rootfs.diff.tar ;;
    esac
}

config=$(sed 's/.*"Config":"\([^"]*\)".*/\1/' manifest.json)
layers=$(sed 's/.*"Layers":\[\([^]]*\)\].*/\1/' manifest.json | tr -d '"' | tr , ' ')
{
    printf '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":'
    part application/vnd.docker.container.image.v1+json "$config"
    comma=',"layers":['
    for layer in $layers; do
        printf '%s' "$comma"
        part "$(layer_type "$layer")" "$layer"
        comma=,
    done
    printf ']}'
} >image.manifest
put image.manifest
link "$repository/_manifests/revisions/sha256/$digest"
link "$repository/_manifests/tags/$2/index/sha256/$digest"
link "$repository/_manifests/tags/$2/current"
{
    [ ! -f "$root/labctl.images" ] || awk -v name="$3" '$1 != name' "$root/labctl.images"
    echo "$3 $4"
} >inventory
mv inventory "$root/labctl.images"
