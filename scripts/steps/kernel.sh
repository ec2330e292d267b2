#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Configure and build one kernel in place: kernel.sh stock|patched|bisect|alone, or
# kernel.sh mutantN FAULT for the patched one with the fault of that file, or
# kernel.sh stock-KIND|patched-KIND for one with the options of lab/config/KIND.config.
#
# In place, because then no object knows where it lies: `patched` begins as a
# copy of the built `stock`, and rebuilds only what the series changes; likewise
# `mutantN` as a copy of `patched`.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=scripts/lib/faults.sh
. "$TOP/scripts/lib/faults.sh"

which=$1
tree=$OUT/$which
config=$TOP/lab/config
fragments="$config/base.config $config/linux-$BASE.config"
make_flags=
kind=
case $which in
*-*)
	kind=${which#*-}
	fragments="$fragments $config/$kind.config"
	[ "$kind" = no-xen ] || fragments="$fragments $config/linux-$BASE.debug.config"
	own=$config/linux-$BASE.$kind.config
	[ ! -f "$own" ] || fragments="$fragments $own"
	# What the series is about is watched, and nothing else.  Newer kernels call an
	# object by its path, older ones by its name.
	[ "$kind" != kcsan ] || make_flags="KCSAN_SANITIZE=n $(printf 'KCSAN_SANITIZE_%s.o=y ' \
		xen x86 pfncache kvm_main ../../../virt/kvm/pfncache ../../../virt/kvm/kvm_main)"
	;;
esac

# configure: tinyconfig plus the fragments, and proof that Kconfig kept what they ask
# for; an option that silently went away would take its tests with it.
configure()
{
	cd "$tree"
	make CC="$CC" tinyconfig
	# shellcheck disable=SC2086 # a list of files
	scripts/kconfig/merge_config.sh -m .config $fragments
	make CC="$CC" olddefconfig
	# shellcheck disable=SC2086
	lost_options .config $fragments >.lab-lost
	cd "$TOP"
}

# Called by name through step(), in a shell of its own.
if [ "${2:-}" = configure ]; then
	configure
	exit
fi
fault=${2:-}

if [ ! -d "$tree" ]; then
	case $which in
	patched|bisect|alone|stock-no-xen) from=$OUT/stock ;;
	mutant*|patched-no-xen) from=$OUT/patched ;;
	*) from=$OUT/src ;;
	esac
	copy_tree "$from" "$tree.tmp"
	# The copy carries the marks of the tree it came from.
	rm -f "$tree.tmp/.lab-built"
	# Only objtool's objects know where they lie; built anew for that alone,
	# it would have the whole kernel built anew.
	find "$tree.tmp/tools/objtool" -name '.*.cmd' -exec \
		sed -i "s|$from/|$tree/|g" {} +
	mv "$tree.tmp" "$tree"
fi
[ "${which%%-*}" = stock ] || "$TOP/scripts/steps/series.sh" install "$which"
if [ -n "$fault" ]; then
	# The install has taken back the fault before this one, and will take back
	# this one wherever it is.
	fault "$fault" diff | sed -n 's|^+++ b/||p' >>"$tree/.lab-touched"
	put_fault "$fault" "$tree"
	rm -f "$tree/.lab-built"
fi

# What this build depends on; the patched sources carry it in series.key.
key=$({
	# shellcheck disable=SC2086
	cat $fragments "$OUT/origin"
	echo "$make_flags"
	gcc --version
	[ "${which%%-*}" = stock ] || cat "$OUT/series.key"
} | sha256sum)
if [ "$key" = "$(cat "$tree/.lab-built" 2>/dev/null)" ]; then
	say "the $which kernel is built"
	exit 0
fi
rm -f "$tree/.lab-built"

# shellcheck disable=SC2086
config_key=$(cat $fragments | sha256sum)
if [ "$config_key" != "$(cat "$tree/.lab-config" 2>/dev/null)" ]; then
	step "configuring the $which kernel" "$LOGS/configure-$which" "$0" "$which" configure
	[ ! -s "$tree/.lab-lost" ] ||
		die "the $which kernel cannot have these options of $(shown "$config"):" \
			"$(tr '\n' ' ' <"$tree/.lab-lost")"
	echo "$config_key" >"$tree/.lab-config"
fi
# The version's suffix tells in every log which of the two kernels spoke.
# shellcheck disable=SC2086
step "building the $which kernel" "$LOGS/build-$which" \
	make $make_flags -C "$tree" -j"$(nproc)" CC="$CC" LOCALVERSION="-$which" \
	KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab olddefconfig bzImage
[ "$kind" != kcsan ] || for object in arch/x86/kvm/xen arch/x86/kvm/x86 virt/kvm/pfncache virt/kvm/kvm_main; do
	nm "$tree/$object.o" | grep -q __tsan_read || die "$object.o of $which was built without KCSAN."
done
echo "$key" >"$tree/.lab-built"
