# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# What import and export of the series share; sourced after common.sh.
#
# .git/lab-head and .git/lab-series remember when branch and patches last were
# the same; that tells which of them was changed since.

tree=$OUT/tree
# A user's own settings must not change what is written into a patch.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null

# as_lab COMMAND...: run git with a committer that is the same everywhere; the
# authors are those of the patches.
as_lab()
{
	GIT_COMMITTER_NAME=lab GIT_COMMITTER_EMAIL=lab@localhost \
	GIT_AUTHOR_NAME=lab GIT_AUTHOR_EMAIL=lab@localhost \
	GIT_AUTHOR_DATE='@0 +0000' GIT_COMMITTER_DATE='@0 +0000' "$@"
}

is_clean()
{
	[ -z "$(git -C "$tree" status --porcelain)" ]
}

# heads: where the branch is, and where the topics end
heads()
{
	git -C "$tree" rev-parse HEAD
	git -C "$tree" for-each-ref --format='%(objectname) %(refname)' refs/heads/topic/
}

remember()
{
	heads >"$tree/.git/lab-head"
	series_hash >"$tree/.git/lab-series"
}
