#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run every x86 KVM selftest of the patched tree on both kernels.  Some fail for
# reasons of their own, TCG above all; what counts is that a test's verdict is the
# same on both, but for those that lab/expect/linux-BASE wants to fail on stock.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

take_lock
"$TOP/scripts/prepare.sh"

tests=$OUT/suite
key=$(cat "$OUT/patched/.lab-built")
if [ "$key" != "$(cat "$tests/.lab-built" 2>/dev/null)" ]; then
	rm -rf "$tests"
	mkdir -p "$tests/bin"
	step "building all selftests" "$LOGS/suite" env LDFLAGS=-static \
		make -C "$OUT/patched/$selftests" -j"$(nproc)" CC="$CC" OUTPUT="$tests" all
	find "$tests" -maxdepth 2 -type f -perm -u+x ! -name '*.*' ! -path "$tests/bin/*" \
		-exec cp -t "$tests/bin" {} +
	echo "$key" >"$tests/.lab-built"
fi

export TABLE="$OUT/suite.tests" TESTS="$tests/bin"
for name in "$TESTS"/*; do
	echo "$(basename "$name")	plain	90"
done >"$TABLE"
"$TOP/scripts/initramfs.sh"
run=$RESULTS/suite
rm -rf "$run"
boot_both "$run"

# verdicts KERNEL: a line a test, its name and what became of it
verdicts()
{
	sed -n -e 's/^ok [0-9]* \([^ ]*\) # SKIP.*/\1 skip/p' -e 's/^ok [0-9]* \([^ ]*\).*/\1 pass/p' \
		-e 's/^not ok [0-9]* \([^ ]*\).*/\1 FAIL/p' "$run/$1/ktap" | sort
}

for kernel in stock patched; do
	verdicts "$kernel" >"$run/$kernel.verdicts"
done
tests | sort >"$run/names"
# A test that a kernel did not get to is not the same verdict.
join -a 1 -e MISSING -o 0,2.2 "$run/names" "$run/stock.verdicts" |
	join -a 1 -e MISSING -o 0,1.2,2.2 - "$run/patched.verdicts" >"$run/both"

bad=0
while read -r name stock patched; do
	mark=
	if [ "$stock" = FAIL ] && [ "$patched" = pass ] &&
	   grep -q "^$name .*fail #" "$TOP/lab/expect/linux-$BASE"; then
		mark=" *"
	elif [ "$stock" != "$patched" ] || [ "$stock" = MISSING ]; then
		mark=" DIFFERS"
		bad=$((bad + 1))
	fi
	printf '%-44s  %-7s -> %s%s\n' "$name" "$stock" "$patched" "$mark"
done <"$run/both"
echo "* stock must fail here: this is what the series mends"
echo "suite: $(wc -l <"$run/names") tests, $bad with another verdict on the patched kernel"
[ "$bad" -eq 0 ]
