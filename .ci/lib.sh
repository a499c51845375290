# Shared by the scripts beside it: words to the reader, and packages of the distribution (root on Debian or Ubuntu).
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 2; }

sha256() { { sha256sum 2>/dev/null || shasum -a 256; } | cut -d' ' -f1; }

# within SECONDS COMMAND…: `timeout` where there is one; a Mac has none.
within() {
    if command -v timeout >/dev/null; then timeout "$@"; else shift; "$@"; fi
}

is_private_wanted() { [ "${CI:-}" = true ] || [ "${FRESHD_PRIVATE_ENGINE:-}" = 1 ] || [ "${FRESHD_ENGINE:-}" = old ]; }

can_install() {
    [ "$(id -u)" = 0 ] && [ -r /etc/debian_version ] && command -v apt-get >/dev/null
}

apt() {
    DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null
}

# Services of the packages installed here are not started: the engine that freshd starts is its own.
without_starting_services() {
    local guard=/usr/sbin/policy-rc.d made=0 result=0
    if [ ! -e "$guard" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$guard"
        chmod 755 "$guard"
        made=1
    fi
    "$@" || result=$?
    [ "$made" = 0 ] || rm -f "$guard"
    return "$result"
}

# quietly COMMAND…: its output only when it fails.
quietly() {
    local output
    output=$("$@" 2>&1) || { printf '%s\n' "$output" | tail -n 40 >&2; return 1; }
}

# Scripts that run side by side install one after the other: apt waits for no other `update`.
lock_apt() {
    ! command -v flock >/dev/null || { exec 7<"$(dirname "${BASH_SOURCE[0]}")" && flock 7; }
}
unlock_apt() { exec 7>&-; }

install_from_distribution() {
    lock_apt
    quietly apt update || say "apt: some package lists could not be fetched; trying all the same"
    quietly without_starting_services apt install -y --no-install-recommends "$@" ||
        fail "apt: could not install $*"
    unlock_apt
}

# One value of /etc/os-release.
os_release() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" /etc/os-release; }

# The distribution's own package sources that this machine uses, one `deb` line each; nobody else's.
own_sources() {
    local release=$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg options='' uri suite component
    if [ -r "$keyring" ] && [ "$(os_release ID)" = debian ]; then options="[signed-by=$keyring] "; fi
    # shellcheck disable=SC2016 # the names are apt's
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sort -u |
        while read -r uri suite component; do
            case $suite in "$release" | "$release"-*) printf 'deb %s%s %s %s\n' "$options" "$uri" "$suite" "$component" ;; esac
        done
}
