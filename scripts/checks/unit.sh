# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# The host-side tests as checks; sourced by check.sh.

check "pfncache.c in all its states and schedules: make unit" "$TOP/scripts/steps/record.sh" unit
check "the unit tests catch each protection that is missing: make faults" "$TOP/scripts/steps/record.sh" faults
check "the fuzzer fails stock and not patched: make fuzz" env FUZZ_SECONDS=10 "$TOP/scripts/fuzz.sh"
check "unit tests and fuzzer reach pfncache.c: make coverage" "$TOP/scripts/steps/record.sh" coverage
