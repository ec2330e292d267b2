# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Checks of the series as mails and as files; sourced by check.sh.

# checkpatch PATCH: a sign-off is given by the person who sends.  Three questions
# are not for here: FILE_PATH_CHANGES asks whether MAINTAINERS knows a new file,
# and its patterns for the KVM selftests do; UNKNOWN_COMMIT_ID and MISSING_FIXES_TAG
# are about commits of a history that the source has not got.
checkpatch()
{
	cd "$OUT/src" || exit
	scripts/checkpatch.pl --strict --no-signoff --show-types \
		--ignore FILE_PATH_CHANGES,UNKNOWN_COMMIT_ID,MISSING_FIXES_TAG "$SERIES/$1"
}

applies()
{
	"$TOP/scripts/series.sh" apply
}

# The series file and the folder name the same patches, and nobody signed.
complete()
{
	patches | sort >"$WORK/named"
	(cd "$SERIES" && find . -name '[0-9]*.patch' ! -name '0000-*' -printf '%P\n') |
		sort >"$WORK/there"
	diff -u "$WORK/named" "$WORK/there"
	if grep -n '^Signed-off-by:' "$SERIES"/*.patch; then
		exit 1
	fi
	[ -f "$SERIES/0000-cover-letter.patch" ]
}

# Out to a branch and back: not a byte may change.  On copies, as what a user
# edits in the real branch is not this check's to replace, and of those files
# alone that git looks at: what the series touches, and how to head its hunks.
round_trip()
{
	round=$WORK/round/${OUT##*/}
	cp -r "$SERIES" "$WORK/copy"
	mkdir -p "$round/src"
	cp "$OUT/origin" "$round/"
	cp "$OUT/src/.gitattributes" "$round/src/"
	while read -r file; do
		[ ! -e "$OUT/src/$file" ] ||
			(cd "$OUT/src" && cp --parents "$file" "$round/src")
	done <"$OUT/series.touched"
	for script in tree export; do
		env BUILD="$WORK/round" SERIES="$WORK/copy" "$TOP/scripts/$script.sh"
	done
	diff -r "$SERIES" "$WORK/copy"
}

# An edit on either side alone goes through; where one would be lost, the command
# refuses.
drift()
{
	tree=$WORK/round/${OUT##*/}/tree
	last=$(patches | tail -n 1)
	export BUILD="$WORK/round" SERIES="$WORK/copy"
	echo edit >>"$tree/virt/kvm/pfncache.c"
	refuses "not committed" "$TOP/scripts/export.sh"
	git -C "$tree" -c user.name=lab -c user.email=lab@localhost commit -qam edit
	sed -i 's/^Subject: .*/&!/' "$SERIES/$last"
	refuses "was changed since 'make tree'" "$TOP/scripts/export.sh"
	refuses "were changed since they were the same" "$TOP/scripts/tree.sh"
	sed -i 's/^\(Subject: .*\)!$/\1/' "$SERIES/$last"
	"$TOP/scripts/export.sh"
	tail -n 1 "$SERIES/series" | grep -q -- '-edit.patch$'
	"$TOP/scripts/tree.sh"
}

check "the source is there" "$TOP/scripts/source.sh"
# Nothing else about this base can be checked without.
# shellcheck disable=SC2034 # check.sh asks for it
if [ "$STATUS" -eq 4 ]; then
	no_source=yes
	return
fi

check "the series applies with fuzz 0" applies
check "the series file names every patch, nobody signed off" complete
for name in $(patches); do
	check "checkpatch --strict: $name" checkpatch "$name"
done
check "tree and export change not a byte" round_trip
check "branch and patches that differ: nothing is lost" drift
