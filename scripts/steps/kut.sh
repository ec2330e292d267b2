#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Build the tests of kvm-unit-tests from the checkout KUT, which is only read, into $BUILD/kut:
# the tests themselves, and for lab/vm/kut.c the list of them.
#
# Tests for 32 bits only are not built, and those that are not run by default are left out.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"

top=$BUILD/kut

# build DIR: configure and build it there
build()
{
	cd "$1"
	./configure --arch=x86_64 --cc="$CC"
	make "-j$(nproc)" all
}

# Called by name through step(), in a shell of its own.
if [ "${1:-}" = build ]; then
	"$@"
	exit
fi

# row: a line of the list, of what follows a [name] in unittests.cfg.  As there, an argument is in
# the shell's quotes and may run a command; `date +%s` is for kut.c to fill in.
row()
{
	[ -n "$test" ] || return 0
	case " $groups " in *" nodefault "*) return 0 ;; esac
	case ${arch:-x86_64} in x86_64) ;; *) return 0 ;; esac
	[ -f "$top/src/x86/$file" ] || die "KUT=$KUT: there is no x86/$file for $test after its build."
	ln -f "$top/src/x86/$file" "$top/bin/"
	set -f
	# shellcheck disable=SC2016 # a command of theirs
	args=$(echo "$args" | sed 's/`date +%s`/@now@/')
	eval "set -- ${args:+-append $args} $params"
	set +f
	tab=$(printf '\t')
	printf '%s\t%s\t%s' "$test" "${timeout%s}" "${condition:--}"
	for word in -no-reboot -nodefaults -global kvm-pit.lost_tick_policy=discard \
		-device pc-testdev -device isa-debug-exit,iobase=0xf4,iosize=0x4 \
		-display none -serial stdio -device pci-testdev -machine accel=kvm \
		-kernel "$file" -smp "$smp" "$@"; do
		case $word in *"$tab"*) die "KUT=$KUT: an argument of $test has a tab." ;; esac
		printf '\t%s' "$word"
	done
	echo
}

"$TOP/scripts/steps/packages.sh" gcc make bash
rm -rf "$top"
mkdir -p "$top/bin"
cp -r "$KUT" "$top/src"
step "building kvm-unit-tests" "$BUILD/log/kut" "$0" build "$top/src"

test=
while read -r key is value; do
	case $key in
	"["*"]")
		row
		test=${key#"["}
		test=${test%"]"}
		file='' smp=1 args='' params='' arch='' groups='' condition='' timeout=90
		;;
	file) file=$value ;;
	smp) smp=$value ;;
	test_args) args=$value ;;
	qemu_params|extra_params) params=$value ;;
	arch) arch=$value ;;
	groups) groups=$value ;;
	check) condition=$value ;;
	timeout) timeout=$value ;;
	"#"*|""|accel) ;;
	*) die "KUT=$KUT: nobody knows '$key $is' of x86/unittests.cfg." ;;
	esac
done <"$top/src/x86/unittests.cfg" >"$top/bin/kut.list"
row >>"$top/bin/kut.list"
say "kvm-unit-tests: $(wc -l <"$top/bin/kut.list") tests"
