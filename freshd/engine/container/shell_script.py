"""The script of the kept shell, for any POSIX ``sh``: requests on its input, answers on its output.

Every request is "OP COUNT ENCODED", a directory and COUNT names, which count from there: `read`
takes a byte at a time, so short names are quick ones. Every answer ends with "NONCE STATUS".
"""

# `read` keeps all bytes but the newline; names with one come octal-encoded for printf, with a
# dot behind that saves trailing newlines from the substitution. The others are kept as lines and
# made arguments all at once: adding one to "$@" copies those that are there. In `mv` an empty line
# ends one group (a directory, then files); groups run side by side: twice as fast on a busy disk.
# A loop whose freshd was killed waits for them, so that once it has ended nothing lands any more.
# Hashes are printed at once: sha256sum writes line by line, and each goes through the engine alone.
#
# `cd -P` sets PWD to what the kernel says of the directory that is held from then on. Where that is
# not the one that was named, a link was on the way, and nothing is changed there.
# Whether a path is absent is told by entering the nearest directory above that lets itself be
# entered: with capabilities dropped root sees no more than others do, and `test -x` of some shells
# does not know it.
LOOP = r"""
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
set -f
umask 022
exec 2>&1
nonce=$1
home=$PWD
blank=$IFS
newline='
'
for tool in mv rm rmdir ln sha256sum stat readlink ls touch; do
  command -v "$tool" >/dev/null && echo "$tool"
done
while read -r key first second more; do
  case $key in
    Uid:) echo "uid=$second" ;;
    Gid:) echo "gid=$second" ;;
    Groups:) for id in $first $second $more; do echo "gid=$id"; done ;;
  esac
done </proc/self/status
echo "$nonce 0"
reap() {
  for pid in $pids; do
    wait "$pid"
    code=$?
    [ "$code" -le "$failed" ] || failed=$code
  done
  pids=
  jobs=0
}
decode() {
  name=$(printf '%b.' "$name")
  name=${name%.}
}
move() {
  place=$1
  shift
  cd -P -- "$place" || return 1
  [ "$PWD" = "$place" ] || return 3
  stamp=${1%/*}/.$nonce
  [ "$op" = mv ] || touch -r . -- "$stamp" 2>/dev/null
  mv -f -- "$@" . || failed=1
  [ "$op" = mv ] || { touch -r "$stamp" . && rm -f -- "$stamp"; } 2>/dev/null
  return "$failed"
}
look() {
  case $1 in
    /*) ;;
    *) set -- "$PWD/$1" ;;
  esac
  child=$1
  [ ! -L "$child" ] || { echo link; return; }
  [ ! -e "$child" ] || { echo there; return; }
  above=${child%/*}
  until cd -- "${above:-/}" 2>/dev/null || [ -z "$above" ]; do
    child=$above
    above=${above%/*}
  done
  if [ "$child" != "$1" ] && { [ -d "$child" ] || [ -L "$child" ]; }; then
    echo hidden
  else
    echo none
  fi
}
while IFS=' ' read -r op count encoded; do
  IFS= read -r name || exit 0
  [ "$encoded" = 0 ] || decode
  cd -P -- "$name" || op=
  from=
  case $op in
    mv|keep) from=${PWD%/}/ ;;
    rm|rmdir) [ "$PWD" = "$name" ] || op=elsewhere ;;
  esac
  set --
  names=
  pids=
  jobs=0
  failed=0
  while [ "$count" -gt 0 ]; do
    IFS= read -r name || { wait; exit 0; }
    count=$((count - 1))
    if [ -n "$name" ] && [ "$encoded" = 0 ]; then
      case $name in
        /*) names=$names$name$newline ;;
        *) names=$names$from$name$newline ;;
      esac
      continue
    fi
    if [ -n "$name" ]; then
      decode
      case $name in
        /*) set -- "$@" "$name" ;;
        *) set -- "$@" "$from$name" ;;
      esac
      continue
    fi
    if [ "$encoded" = 0 ]; then
      IFS=$newline
      set -- $names
      IFS=$blank
      names=
    fi
    if [ -n "$op" ]; then
      move "$@" </dev/null &
      pids="$pids $!"
      jobs=$((jobs + 1))
      [ "$jobs" -lt 8 ] || reap
    fi
    set --
  done
  if [ "$encoded" = 0 ]; then
    IFS=$newline
    set -- $names
    IFS=$blank
  fi
  case $op in
    mv|keep) reap; (exit "$failed") ;;
    hash)
      lines=$(sha256sum -- "$@") || failed=1
      printf '%s\n' "$lines"
      [ "$failed" = 0 ]
      ;;
    stat) stat -c '%f %u %g %s %Y %n' -- "$@" ;;
    rm) rm -f -- "$@" ;;
    rmdir) rmdir -- "$@" ;;
    ln) ln -s -- "$@" ;;
    text) readlink -n -- "$1" ;;
    list) ls -1A -- "$1" ;;
    look) for name; do look "$name"; done ;;
    elsewhere) (exit 3) ;;
    *) false ;;
  esac </dev/null
  status=$?
  cd -P -- "$home" || cd /
  echo "$nonce $status"
done
"""
