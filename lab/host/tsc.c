// SPDX-License-Identifier: GPL-2.0
/*
 * tsc.c - print the frequency of this machine's TSC, in kHz
 *
 * A VM under TCG has the host's TSC and measures it twice.  If the first, quick measurement
 * is off by more than 250 ppm, as it is on a busy host, KVM in that VM refuses to run a
 * guest at the frequency that it took for the CPU's ("user requested TSC rate below
 * hardware speed"), and its guests' clocks are wrong.  So boot.sh tells the VM.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define TRIES	1000
#define NSECS	200000000L

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* read_both() - both clocks at the same time: the pair that took the least to read */
static void read_both(uint64_t *tsc, uint64_t *ns)
{
	uint64_t best = UINT64_MAX;
	int i;

	for (i = 0; i < TRIES; i++) {
		uint64_t before = __rdtsc();
		uint64_t at = now();
		uint64_t after = __rdtsc();

		if (after - before < best) {
			best = after - before;
			*tsc = before + best / 2;
			*ns = at;
		}
	}
}

int main(void)
{
	const struct timespec wait = { .tv_nsec = NSECS };
	uint64_t tsc[2], ns[2];

	read_both(&tsc[0], &ns[0]);
	nanosleep(&wait, NULL);
	read_both(&tsc[1], &ns[1]);
	printf("%.0f\n", (double)(tsc[1] - tsc[0]) * 1e6 / (double)(ns[1] - ns[0]));
	return 0;
}
