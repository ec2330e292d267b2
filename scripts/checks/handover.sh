# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Checks of what leaves the lab: mails, the quilt series, the archive of selftests;
# sourced by check.sh, after verify and with the results of that.

# identity NAME EMAIL COMMAND...: run it with that git identity
identity()
{
	name=$1
	email=$2
	shift 2
	env GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0=user.name GIT_CONFIG_VALUE_0="$name" \
		GIT_CONFIG_KEY_1=user.email GIT_CONFIG_VALUE_1="$email" "$@"
}

nobody()
{
	refuses "a sign-off needs your git identity" identity "" "" "$TOP/scripts/mail.sh"
	refuses "V=two is no version" env V=two "$TOP/scripts/mail.sh"
}

# Those of this repository have to be there; for another series they are for its owner to measure.
has_costs()
{
	is_own || [ -n "$(costs)" ] || skip "there are no costs of this series; make bench makes them"
}

mails()
{
	has_costs
	identity lab lab@localhost "$TOP/scripts/mail.sh"
	dir=$OUT/mail/v1
	[ "$(find "$dir" -name '*.patch' | wc -l)" -eq $(($(patches | wc -l) + 1)) ]
	for mail in "$dir"/*.patch; do
		grep -q '^To: ' "$mail"
		case $mail in
		*/0000-*)
			grep -q '^PASS: ' "$mail"
			grep -qxF "base: $(cat "$OUT/origin")" "$mail"
			;;
		*) grep -qx 'Signed-off-by: lab <lab@localhost>' "$mail" ;;
		esac
	done
}

# In a clone, as it takes a tag
second_version()
{
	# Or a worktree's file
	[ -e "$TOP/.git" ] || skip "this is no git repository, where a tag could tell what was sent"
	has_costs
	rm -rf "$WORK/clone"
	git clone -q "$TOP" "$WORK/clone"
	refuses "V=2 needs to know what v1 was" identity lab lab@localhost env V=2 "$WORK/clone/scripts/mail.sh"
	git -C "$WORK/clone" tag "sent/linux-$BASE/v1"
	identity lab lab@localhost env V=2 "$WORK/clone/scripts/mail.sh"
	grep -q '^Range-diff against v1:' "$OUT/mail/v2/v2-0000-cover-letter.patch"
}

check "no mail without a sign-off of the sender's" nobody
check "the mails carry the series, results and recipients: make mail" mails
check "a second version has a range-diff: make mail V=2" second_version
check "the series in quilt's form applies: make quilt" "$TOP/scripts/quilt.sh"
check "the archive of selftests passes and fails where it has to: make selftests-bundle" \
	"$TOP/scripts/record.sh" selftests-bundle
