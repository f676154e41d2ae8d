#!/bin/sh
# Runs in a guest, on the host's root: runs the tests and tells how it went in /run/results, which is a folder of the
# host. The guest has failed where `exit-code` is missing at the end.
# Variables, from the kernel's command line: TEST_FILES (with commas between), MODULES_FOLDER, TEST_SLOWNESS.
set -u
cd "$(dirname "$0")/../../.."
export PATH="$PWD/.cache/node/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What tests leave behind is found there afterwards, say the recording of what went wrong.
export HOME=/root LANG=C.UTF-8 TEST_SLOWNESS TEST_ARTIFACTS=/run/results
# Known of every kernel on which programs load at all: to lose them is a failure.
export TEST_HAS_TRAMPOLINES=1
# An agent takes half a minute to load here.
export TEST_PLAN_FILES=events
# In memory: the layer over the host's root has neither handles of files nor files without a name.
export TMPDIR=/dev/shm

mkdir -p /lib/modules
ln -s "$MODULES_FOLDER" "/lib/modules/$(uname -r)"
ip link set lo up
ulimit -n 65536

code=0
for file in $(echo "$TEST_FILES" | tr , ' '); do
  # As bin/throughline does, and for its reason.
  node --liftoff-only --disable-warning=ExperimentalWarning scripts/kernels/guest/run-tests.ts "$file" /run/results/tests.jsonl \
    >>/run/results/output.txt 2>&1 || code=$?
done
dmesg >/run/results/dmesg.txt
echo $code >/run/results/exit-code
sync
# The machine ends with it: there is nothing that has to be put in order.
echo o >/proc/sysrq-trigger
while :; do :; done # no program can be started any more
