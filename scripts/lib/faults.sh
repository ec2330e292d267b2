# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Deliberate faults, as the files in unit/faults and lab/mutants say them; sourced after
# common.sh by those who show that tests have teeth.
#
# A file is one fault on all bases.  It has these lines, and then a diff on top of the series:
#
#   Breaks: what is wrong in this kernel
#   Caught-by: the test that has to fail
#   Not-for: BASE, why                    a line a base that has no such fault
#   For: BASE...                          what follows is of these bases alone: lines that
#                                         differ, or a diff in place of the one above

# faults FOLDER: the files of the faults that $BASE has
faults()
{
	found=$(grep -L "^Not-for: $BASE," "$TOP/$1"/*.patch) || :
	[ -n "$found" ] || die "there is no fault for linux-$BASE in $1."
	echo "$found"
}

# fault FILE NAME: what its line NAME says for $BASE, or with the name "diff" its diff
fault()
{
	awk -v base="$BASE" -v name="$2" '
		function is_ours(list,   i, n, bases) {
			n = split(list, bases, " ")
			for (i = 1; i <= n; i++)
				if (bases[i] == base)
					return 1
			return 0
		}
		/^For: / {
			ours = is_ours(substr($0, 6))
			skip = !ours
			again = ours
			in_diff = 0
			next
		}
		skip { next }
		/^--- / {
			if (again)
				diff = ""
			again = 0
			in_diff = 1
		}
		in_diff { diff = diff $0 "\n" }
		!in_diff && index($0, name ": ") == 1 { said = substr($0, length(name) + 3) }
		END { printf "%s", name == "diff" ? diff : said "\n" }' "$1"
}

# put_fault FILE DIR: apply it there
put_fault()
{
	fault "$1" diff | patch -d "$2" -p1 --fuzz=0 --force --no-backup-if-mismatch --reject-file=- \
		>"$2.fault" 2>&1 ||
		die "$(shown "$1") does not apply to the patched tree; make it anew: $(tail -n 1 "$2.fault")"
}
