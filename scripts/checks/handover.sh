# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Checks of what leaves the lab: mails, the quilt series, the archive of selftests;
# sourced by check.sh, after verify and with the results of that.

nobody()
{
	TOPIC=$(topics | head -n 1)
	export TOPIC
	refuses "a sign-off needs your git identity" identity "" "" "$TOP/scripts/mail.sh"
	refuses "V=two is no version" env V=two "$TOP/scripts/mail.sh"
}

no_topic()
{
	every=$(topics | sed 's/^/TOPIC=/' | paste -sd ' ' | sed 's/ / or /g')
	refuses "mails are of one topic of the series; give $every\.\$" env -u TOPIC "$TOP/scripts/mail.sh"
	refuses "mails are of one topic of the series, and all is none; give $every\.\$" env TOPIC=all "$TOP/scripts/mail.sh"
}

# Those of this repository have to be there; for another series they are for its owner to measure.
has_costs()
{
	is_own || [ -n "$(costs)" ] || skip "there are no costs of this series; make bench makes them"
}

# mails TOPIC: each patch of it and a cover letter, which names the topics below
mails()
{
	case $1 in fixes|tests) ;; *) has_costs ;; esac
	identity lab lab@localhost env TOPIC="$1" "$TOP/scripts/mail.sh"
	dir=$OUT/mail/$1/v1
	[ "$(find "$dir" -name '*.patch' | wc -l)" -eq $(($(patches_of "$1" | wc -l) + 1)) ]
	for mail in "$dir"/*.patch; do
		grep -q '^To: ' "$mail"
		case $mail in
		*/0000-*)
			grep -q '^PASS: ' "$mail"
			[ -n "$KTREE" ] || grep -qxF "base: $(cat "$OUT/origin")" "$mail"
			below=$(topics | sed "/^$1\$/,\$d" | wc -l)
			sed -n '/^Depends on: /,/^$/p' "$mail" | grep -c '("..*")' | grep -qx "$below"
			sed -n "s|.* fail \($1/[0-9]*\) # .*|\1|p" "$TOP/lab/tables/expect/linux-$BASE" |
				while read -r patch; do
					! is_own || grep -q "^    .*  $patch\$" "$mail"
				done
			;;
		*) grep -qx 'Signed-off-by: lab <lab@localhost>' "$mail" ;;
		esac
	done
}

# One topic's mails after the other's, by git am on the source's files
taken()
{
	has_costs
	rm -rf "$WORK/taken"
	mkdir "$WORK/taken"
	while read -r file; do
		[ ! -e "$OUT/src/$file" ] || (cd "$OUT/src" && cp --parents "$file" "$WORK/taken")
	done <"$OUT/series.touched"
	git -C "$WORK/taken" init -q
	git -C "$WORK/taken" add -A -f
	identity lab lab@localhost git -C "$WORK/taken" commit -q -m source
	for topic in $(topics); do
		find "$OUT/mail/$topic/v1" -name '*.patch' ! -name '0000-*' | sort |
			identity lab lab@localhost xargs git -C "$WORK/taken" am -q
	done
	rm -rf "$WORK/taken/.git"
	diff -r "$OUT/series" "$WORK/taken"
}

# In a clone, as it takes a tag
second_version()
{
	# Or a worktree's file
	[ -e "$TOP/.git" ] || skip "this is no git repository, where a tag could tell what was sent"
	TOPIC=$(topics | head -n 1)
	export TOPIC
	rm -rf "$WORK/clone"
	git clone -q "$TOP" "$WORK/clone"
	refuses "V=2 needs to know what v1 was" identity lab lab@localhost env V=2 "$WORK/clone/scripts/mail.sh"
	git -C "$WORK/clone" tag "sent/linux-$BASE/$TOPIC/v1"
	identity lab lab@localhost env V=2 "$WORK/clone/scripts/mail.sh"
	grep -q '^Range-diff against v1:' "$OUT/mail/$TOPIC/v2/v2-0000-cover-letter.patch"
}

check "no mail without a sign-off of the sender's" nobody
check "no mail without a topic" no_topic
for topic in $(topics); do
	check "the mails carry the patches, results and recipients: make mail TOPIC=$topic" mails "$topic"
done
check "git am of all topics gives the series" taken
check "a second version has a range-diff: make mail TOPIC=... V=2" second_version
check "the series in quilt's form applies: make quilt" "$TOP/scripts/quilt.sh"
check "the archive of selftests passes and fails where it has to: make selftests-bundle" \
	"$TOP/scripts/steps/record.sh" selftests-bundle
