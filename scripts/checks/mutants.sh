# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# The tests' teeth as a check; sourced by check.sh.

mutants()
{
	"$TOP/scripts/steps/record.sh" mutants >&3 2>&1
}

check "the tests catch every deliberate fault: make mutants" mutants
