# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Packages of another suite of Debian than this machine's, or for another architecture;
# sourced after common.sh by those who fetch some.

# private_apt SUITE: point apt at SUITE, for amd64 and i386, on the mirror that this machine
# uses, in a configuration of its own: the system's lists and sources stay as they are.
# Fails if that is not to be had.
private_apt()
{
	apt=$BUILD/apt/$1
	# shellcheck disable=SC2016 # apt's own variables
	mirror=$(apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' |
		sed -n 's/ Debian$//p' | head -n 1)
	[ -n "$mirror" ] || {
		echo "apt knows no mirror of Debian"
		return 1
	}
	mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
	for type in deb deb-src; do
		echo "$type [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main"
	done >"$apt/sources.list"
	cat >"$apt/apt.conf" <<-CONF
		APT::Architectures { "amd64"; "i386"; };
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "-";
		Dir::State "$apt/state";
		Dir::Cache "$apt/cache";
		APT::Sandbox::User "root";
	CONF
	export APT_CONFIG="$apt/apt.conf"
	apt-get update
}
