# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# The host-side tests as a check; sourced by check.sh.

check "pfncache.c against schedules of its races: make unit" "$TOP/scripts/unit.sh"
