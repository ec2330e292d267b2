#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The main job: build stock and patched kernel, boot both with the same tests,
# keep the run under $RESULTS and judge it.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

take_lock
patches >/dev/null
"$TOP/scripts/steps/prepare.sh"

run=$RESULTS/$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$run"
cp "$OUT/origin" "$run/version"
series_sums >"$run/series.sha256"
boot_both "$run"
ln -sfn "${run##*/}" "$RESULTS/latest"
say "the run is in $(shown "$run")"
echo
RUN=$run "$TOP/scripts/judge.sh"
