# SPDX-License-Identifier: GPL-2.0
# The front door: each command is a script of its own in scripts/.

BUILD ?= build
HOSTCC ?= gcc
HOSTCFLAGS ?= -std=gnu11 -O2 -Wall -Wextra -Werror

# Only what was given: scripts/lib/common.sh knows the defaults.
export BASE KTREE KTARBALL SERIES BUILD RUN BOOTS KERNEL KIND SEED ROUND PHASES TOPIC V FLAVOUR GUEST MIGRATIONS
# A shell has a variable SECONDS of its own.
export FUZZ_SECONDS = $(SECONDS)

# Those whose result goes into the report, and the others
RECORDED := verify unit faults fuzz coverage mutants suite bisect alone matrix debug guests no-xen bench soak selftests-bundle modules deb
OTHERS := check results tree export mail quilt report judge shell times

.PHONY: help $(RECORDED) $(OTHERS) programs clean

help:
	@echo 'Commands:'
	@echo '  verify   build the stock and the patched kernel, boot both, run the same tests'
	@echo '           on both, print the table and the verdict'
	@echo '  check    all that CI runs: the lab on itself, the series, and verify'
	@echo '  results  run all that has a result and that docs/results lacks of this series; hours'
	@echo '  unit     pfncache.c on the host: its states, the schedules of its races, threads'
	@echo '  faults   take its protections out one by one, the unit tests must catch it'
	@echo '  fuzz     random operations: on the host against a model, then in the VM'
	@echo '  coverage which of its lines the unit tests and the fuzzer reach'
	@echo '  mutants  build deliberate faults into the patched kernel, the tests must catch them'
	@echo '  suite    all x86 KVM selftests on both kernels, the verdicts must be the same'
	@echo '  bisect   after each patch: builds without a warning, the tests pass, and what stock'
	@echo '           fails passes from the patch on that mends it'
	@echo '  alone    each fix by itself applies and builds without a warning'
	@echo '  matrix   configurations, compilers and checkers; no message that stock does not give'
	@echo '  debug    Xen selftests and a random stress on kernels with KASAN, lockdep, KCSAN, ...'
	@echo '  guests   kernels of Debian as Xen guests of QEMU, on both kernels: stopped, robbed of'
	@echo '           CPU time, migrated'
	@echo '  no-xen   the tests of kvmclock on both kernels without CONFIG_KVM_XEN'
	@echo '  judge    judge a stored run again, without a boot'
	@echo '  shell    a prompt inside the patched VM'
	@echo '  tree     the series as a git branch to edit, in build/linux-BASE/tree'
	@echo '  export   that branch as the series, byte-stable'
	@echo '  mail     a topic as mails with a cover letter, signed off by you; sends nothing'
	@echo '  report   one page of all results, build/report.html and .txt; and docs/results'
	@echo '  quilt    the series for a Debian source package, with DEP-3 headers'
	@echo '  deb      installable kernel packages with the configuration of the distribution'
	@echo '  selftests-bundle  an archive of the Xen selftests, to run on any x86 host'
	@echo '  soak     boot again and again and demand the same table each time'
	@echo '  bench    what it costs, in instructions, stock beside patched; table and picture'
	@echo '  times    how long verify and a boot take, against their limits'
	@echo '  modules  KVM alone as a DKMS package for the kernel that Debian built (6.1, 6.12; root)'
	@echo '  clean    remove build/'
	@echo 'Variables:'
	@echo '  BASE=6.1          the base kernel, one of bases/linux-*; check: all of them'
	@echo '  KTREE=dir         a kernel tree to use in place of the Debian package; if it is a git'
	@echo '                    clone, mail looks up commits in its history'
	@echo '  KTARBALL=file     the same, from an archive'
	@echo '  SERIES=dir        another series than patches/linux-BASE'
	@echo '  BUILD=dir         another place than build/ (5 GB)'
	@echo '  RUN=dir           judge: the run, by default the latest'
	@echo '  SECONDS=60        fuzz, debug: how long'
	@echo '  SEED=1            fuzz, debug: where the random stress begins'
	@echo '  KERNEL=stock      debug: that one in place of the patched one'
	@echo '  KIND=kcsan        debug: only the kernel with KCSAN; kasan, rt, or plain as in fuzz'
	@echo '  PHASES="plain"    debug: only these phases of the stress, see lab/vm/stress.c'
	@echo '  ROUND=17          debug: only that round of PHASES, as the stress reports it'
	@echo '  TOPIC=fixes       mail: the topic, one of the folders in patches/linux-BASE'
	@echo '  V=1               mail: which version of the topic it is'
	@echo '  FLAVOUR=amd64     deb: which configuration of Debian'
	@echo '  GUEST=guest_i386  guests: only that one, or guest_amd64'
	@echo '  MIGRATIONS=4      guests: how often each of them is migrated'
	@echo '  KUT=dir           guests: the tests of that checkout of kvm-unit-tests, too'
	@echo '  BOOTS=20          soak: how many boots of each kernel'

$(RECORDED):
	@scripts/steps/record.sh $@

$(OTHERS):
	@scripts/$@.sh

clean:
	rm -rf '$(BUILD)'

# The lab's own programs; the scripts call this when they need them.  A path that is no
# one word to make has no rules: the scripts refuse it, and have the words for it.
ifeq ($(words $(BUILD))$(findstring :,$(BUILD)),1)
programs: $(BUILD)/bin/init $(BUILD)/bin/judge $(BUILD)/bin/bundle $(BUILD)/bin/stress $(BUILD)/bin/cost \
	$(BUILD)/bin/restore $(BUILD)/bin/tsc $(BUILD)/bin/guest $(BUILD)/bin/kut

JUDGE := lab/host/judge.c lab/host/ktap.c lab/host/splat.c lab/host/text.c
JUDGE_H := lab/host/ktap.h lab/host/splat.h lab/host/text.h

$(BUILD)/bin/init: lab/vm/init.c lab/vm/run.c lab/vm/run.h
	@mkdir -p $(@D)
	$(HOSTCC) $(HOSTCFLAGS) -static -o $@ lab/vm/init.c lab/vm/run.c

$(BUILD)/bin/bundle: lab/vm/bundle.c lab/vm/run.c lab/vm/run.h
	@mkdir -p $(@D)
	$(HOSTCC) $(HOSTCFLAGS) -static -o $@ lab/vm/bundle.c lab/vm/run.c

$(BUILD)/bin/judge: $(JUDGE) $(JUDGE_H)
	@mkdir -p $(@D)
	$(HOSTCC) $(HOSTCFLAGS) -o $@ $(JUDGE)

$(BUILD)/bin/stress $(BUILD)/bin/cost $(BUILD)/bin/restore: $(BUILD)/bin/%: lab/vm/%.c
	@mkdir -p $(@D)
	$(HOSTCC) $(HOSTCFLAGS) -static -pthread -o $@ $<

$(BUILD)/bin/tsc: lab/host/tsc.c
	@mkdir -p $(@D)
	$(HOSTCC) $(HOSTCFLAGS) -o $@ $<

$(BUILD)/bin/guest $(BUILD)/bin/kut: $(BUILD)/bin/%: lab/vm/%.c
	@mkdir -p $(@D)
	$(HOSTCC) $(HOSTCFLAGS) -static -o $@ $<

# The init of its guests; the one of 32 bits needs gcc-multilib.
$(BUILD)/bin/guest-init-%: lab/guest/init.c
	@mkdir -p $(@D)
	$(HOSTCC) $(HOSTCFLAGS) -m$* -static -pthread -o $@ $<

endif
