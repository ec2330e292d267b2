#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Install the Debian packages that the lab needs and this machine lacks: as root
# or through sudo, else say the one line to run.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"

wanted="gcc make libc6-dev linux-libc-dev flex bison bc perl patch git xz-utils
	libelf-dev ccache procps qemu-system-x86 busybox-static shellcheck"
[ $# -eq 0 ] || wanted=$*

# Not Debian: whoever runs the lab there has the tools, or a later step that
# misses one says so.
command -v dpkg-query >/dev/null || exit 0

missing=
for name in $wanted; do
	dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null |
		grep -qx installed || missing="$missing $name"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
	sudo -n true 2>/dev/null ||
		die "packages are missing, run this and then the command again:" \
			"sudo apt-get install -y --no-install-recommends$missing"
	as_root="sudo -n"
fi
say "packages missing:$missing"
# shellcheck disable=SC2086 # lists of words
step "reading the package lists" "$BUILD/log/packages" $as_root apt-get update
# shellcheck disable=SC2086
step "installing them" "$BUILD/log/packages" $as_root \
	env DEBIAN_FRONTEND=noninteractive \
	apt-get install -y --no-install-recommends $missing
