# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Checks of our own code by the tools that read it; sourced by check.sh.

lint()
{
	cd "$TOP" || exit
	shellcheck -x scripts/*.sh scripts/checks/*.sh .ci/run packaging/dkms/postinst.in packaging/dkms/prerm.in
}

warnings()
{
	make -C "$TOP" BUILD="$WORK/programs" programs
}

# The judge reads what a crashed machine left: it runs under the sanitizers in
# all checks of it.  It never frees, so leaks are not looked for.
sanitized()
{
	make -C "$TOP" BUILD="$WORK/sanitized" "$WORK/sanitized/bin/judge" \
		HOSTCFLAGS="-std=gnu11 -O1 -g -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all"
}

licences()
{
	cd "$TOP" || exit
	# Recorded runs and the licence's own text carry no licence line.
	lacking=$(find . -path ./.git -prune -o -path "./${BUILD#"$TOP"/}" -prune -o \
		-path './lab/fixtures/*/*' -prune -o -path './patches/*' -prune -o \
		-type f ! -name COPYING ! -name '*.md' ! -path ./lab/fixtures/README \
		-exec grep -L SPDX-License-Identifier {} +)
	[ -z "$lacking" ] || {
		echo "no SPDX line: $lacking"
		exit 1
	}
}

check "shellcheck finds nothing in the scripts" lint
check "the programs build without a warning" warnings
check "the judge builds with the sanitizers" sanitized
check "every file names its licence" licences
