# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Checks of our own code by the tools that read it; sourced by check.sh.

lint()
{
	cd "$TOP" || exit
	shellcheck -x scripts/*.sh scripts/*/*.sh .ci/run packaging/dkms/postinst.in packaging/dkms/prerm.in
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
		-path './lab/host/fixtures/*/*' -prune -o -path './patches/*' -prune -o \
		-type f ! -name COPYING ! -name '*.md' ! -path ./lab/host/fixtures/README \
		-exec grep -L SPDX-License-Identifier {} +)
	[ -z "$lacking" ] || {
		echo "no SPDX line: $lacking"
		exit 1
	}
}

# What was run on another series has to be marked so.
page()
{
	"$TOP/scripts/report.sh" docs | diff -u "$TOP/docs/results/README.md" - || {
		echo "docs/results/README.md is not of the series and records that are here; make report brings it up to date."
		exit 1
	}
}

check "shellcheck finds nothing in the scripts" lint
check "the programs build without a warning" warnings
check "the judge builds with the sanitizers" sanitized
check "every file names its licence" licences
check "the page of results is of this series, or says that it is not" page
