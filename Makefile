# SPDX-License-Identifier: GPL-2.0
# The front door: each command is a script of its own in scripts/.

BUILD ?= build
HOSTCC ?= gcc
HOSTCFLAGS ?= -std=gnu11 -O2 -Wall -Wextra -Werror

# Only what was given: scripts/common.sh knows the defaults.
export BASE KTREE KTARBALL SERIES BUILD RUN BOOTS
# A shell has a variable SECONDS of its own.
export FUZZ_SECONDS = $(SECONDS)

COMMANDS := verify check unit faults fuzz coverage mutants suite tree export judge shell soak bench times modules

.PHONY: help $(COMMANDS) programs clean

help:
	@echo 'Commands:'
	@echo '  verify   build the stock and the patched kernel, boot both, run the same tests'
	@echo '           on both, print the table and the verdict'
	@echo '  check    all that CI runs: the lab on itself, the series, and verify'
	@echo '  unit     pfncache.c on the host: its states, the schedules of its races, threads'
	@echo '  faults   take its protections out one by one, the unit tests must catch it'
	@echo '  fuzz     fuzz it on the host against a model'
	@echo '  coverage which of its lines the unit tests and the fuzzer reach'
	@echo '  mutants  build deliberate faults into the patched kernel, the tests must catch them'
	@echo '  suite    all x86 KVM selftests on both kernels, the verdicts must be the same'
	@echo '  judge    judge a stored run again, without a boot'
	@echo '  shell    a prompt inside the patched VM'
	@echo '  tree     the series as a git branch to edit, in build/linux-BASE/tree'
	@echo '  export   that branch as the series, byte-stable'
	@echo '  soak     boot again and again and demand the same table each time'
	@echo '  bench    what it costs, in instructions, stock beside patched; table and picture'
	@echo '  times    how long verify and a boot take, against their limits'
	@echo '  modules  KVM alone as a DKMS package for the kernel that Debian built (6.1, 6.12; root)'
	@echo '  clean    remove build/'
	@echo 'Variables:'
	@echo '  BASE=6.1          the base kernel, one of bases/linux-*; check: all of them'
	@echo '  KTREE=dir         a kernel tree to use in place of the Debian package'
	@echo '  KTARBALL=file     the same, from an archive'
	@echo '  SERIES=dir        another series than patches/linux-BASE'
	@echo '  BUILD=dir         another place than build/ (6 GB)'
	@echo '  RUN=dir           judge: the run, by default the latest'
	@echo '  SECONDS=60        fuzz: how long'
	@echo '  BOOTS=20          soak: how many boots of each kernel'

$(COMMANDS):
	@scripts/$@.sh

clean:
	rm -rf $(BUILD)

# The lab's own programs; the scripts call this when they need them.
programs: $(BUILD)/bin/init $(BUILD)/bin/judge $(BUILD)/bin/cost

JUDGE := lab/judge.c lab/ktap.c lab/splat.c lab/text.c
JUDGE_H := lab/ktap.h lab/splat.h lab/text.h

$(BUILD)/bin/init: lab/init.c
	@mkdir -p $(@D)
	$(HOSTCC) $(HOSTCFLAGS) -static -o $@ $<

$(BUILD)/bin/judge: $(JUDGE) $(JUDGE_H)
	@mkdir -p $(@D)
	$(HOSTCC) $(HOSTCFLAGS) -o $@ $(JUDGE)

$(BUILD)/bin/cost: lab/cost.c
	@mkdir -p $(@D)
	$(HOSTCC) $(HOSTCFLAGS) -static -o $@ $<
