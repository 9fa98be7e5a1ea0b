# What a scenario does to a node, and its undo. Before anything is changed, all that was there is kept in a folder of
# the target; so whoever comes after a labctl that was killed can go on or go back, with the API server or without.
#
#   take SCENARIO TARGET PATH CONTENT [DIRECTORY...]  CONTENT in base64; without any the file is removed
#   undo SCENARIO TARGET PATH
#   keep SCENARIO RECORD                              in base64
#   drop SCENARIO
set -eu
root=/var/lib/labctl
mkdir -p "$root"
exec 9>>/run/labctl.lock
flock 9

verb=$1 folder=$root/$2
case $verb in
keep)
  mkdir -p "$folder"
  printf %s "$3" | base64 -d >"$folder/record.new"
  sync "$folder/record.new"
  mv -f "$folder/record.new" "$folder/record"
  exit
  ;;
drop)
  rm -f "$folder/record"
  rmdir "$folder" "$root" 2>/dev/null || true
  exit
  ;;
esac

target=$3 path=$4 kept=$folder/$3
# put SOURCE: makes it the file at the path, at once.
put() {
  mkdir -p "${path%/*}"
  cp -a "$1" /etc/.labctl.new
  sync /etc/.labctl.new
  mv -f /etc/.labctl.new "$path"
}

case $verb in
take)
  content=$5
  shift 5
  for other in "$root"/*/"$target"; do
    if [ -e "$other" ] && [ "$other" != "$kept" ]; then
      other=${other%/*}
      echo "taken ${other##*/}"
      exit
    fi
  done
  mkdir -p "$kept"
  if [ ! -e "$kept/noted" ]; then
    rm -rf "$kept/saved"
    if [ -n "$path" ] && [ -e "$path" ]; then
      cp -a "$path" "$kept/saved"
      sync "$kept/saved"
    fi
    for dir in "$@" ${path:+"${path%/*}"}; do
      while [ ! -e "$dir" ]; do
        echo "$dir"
        dir=${dir%/*}
      done
    done >"$kept/made"
    sync "$kept/made"
    touch "$kept/noted"
    sync "$kept"
  fi
  if [ "$target" = kubelet ]; then
    systemctl stop kubelet
  elif [ -z "$content" ]; then
    rm -f "$path"
  else
    printf %s "$content" | base64 -d >"$kept/new"
    if [ -e "$kept/saved" ]; then
      chmod --reference="$kept/saved" "$kept/new"
    else
      chmod 644 "$kept/new"
    fi
    put "$kept/new"
    rm -f "$kept/new"
  fi
  touch "$kept/done"
  ;;
undo)
  rm -f /etc/.labctl.new
  if [ -e "$kept/noted" ]; then
    if [ "$target" = kubelet ]; then
      systemctl start kubelet
    elif [ ! -e "$kept/saved" ]; then
      rm -f "$path"
    elif ! cmp -s "$kept/saved" "$path" || [ "$(stat -c '%a %u %g %Y' "$kept/saved")" != "$(stat -c '%a %u %g %Y' "$path")" ]; then
      put "$kept/saved"
      # A kubelet that looks by itself takes the API server back after its own waiting times; one that begins, at once.
      if [ "$target" = kube-apiserver ]; then systemctl restart kubelet; fi
    fi
    while read -r dir; do
      case $dir in
      */..*) ;;
      /etc/kubernetes/?* | /etc/cni/net.d/?* | /var/log/kubernetes | /var/log/kubernetes/?*) rm -rf "$dir" ;;
      esac
    done <"$kept/made"
    echo undone
  fi
  rm -rf "$kept"
  rmdir "$folder" "$root" 2>/dev/null || true
  ;;
esac
