#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Judge a stored run without a boot: RUN=dir, by default the latest.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

RUN=${RUN:-$RESULTS/latest}
[ -d "$RUN" ] || die "there is no run in $RUN; 'make verify' makes one."
"$TOP/scripts/steps/packages.sh" gcc make libc6-dev
make -s -C "$TOP" programs
exec "$BUILD/bin/judge" "$RUN" "$TOP/lab/tables/expect/linux-$BASE" "$TOP/lab/tables/splats"
