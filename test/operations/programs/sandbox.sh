#!/bin/sh
# The first process of a sandbox: a root of its own above the host's, of which nothing is written to, with its own
# processes, network, host name and devices. Then it runs the scripts whose paths it reads, one after the other, and says
# "ended STATUS" after each. Nothing of it is left when its input ends.
#
#   sandbox.sh DIRECTORY FILES CONTAINER   an empty folder to make it in, a folder whose content becomes /ops, and the id of
#                                          a container: processes that are put into its cgroup are in that container
set -eu
exec <&3 3<&-
directory=$1 files=$2 container=$3

mount --make-rprivate /
mount -t tmpfs -o mode=755 sandbox "$directory"
mkdir "$directory/upper" "$directory/work" "$directory/root"
mount -t overlay -o "lowerdir=/,upperdir=$directory/upper,workdir=$directory/work" sandbox "$directory/root"
root=$directory/root

mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755,nosuid sandbox "$root/dev"
mkdir -p "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 sandbox "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
  numbers=${device#*:}
  mknod -m 666 "$root/dev/${device%%:*}" c "${numbers%:*}" "${numbers#*:}"
done
for name in tmp run; do mount -t tmpfs -o mode=1777 sandbox "$root/$name"; done
mkdir -p "$root/var/tmp" "$root/run/lock" "$root/tmp/old" "$root/ops"
chmod 1777 "$root/var/tmp"
cp -a "$files/." "$root/ops/"

# What would tell on which machine this is, and what its owner has there.
hostname fixture
echo fixture >"$root/etc/hostname"
cp "$root/ops/passwd" "$root/etc/passwd"
cp "$root/ops/shadow" "$root/etc/shadow"
cp "$root/ops/group" "$root/etc/group"
rm -f "$root/etc/gshadow" "$root/var/lib/dpkg/statoverride" "$root/etc/resolv.conf" "$root/etc/apt/apt.conf" "$root/etc/ld.so.preload"
printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >"$root/etc/resolv.conf"
printf '127.0.0.1 localhost fixture\n' >"$root/etc/hosts"
mkdir -p "$root/etc/cron.d"
echo '* * * * * root /bin/sh -e /ops/daily.sh && touch /tmp/work/job' >"$root/etc/cron.d/job"
for name in root home; do mount -t tmpfs -o mode=755 sandbox "$root/$name"; done
mount -t tmpfs -o mode=755 sandbox "$root/etc/apt/apt.conf.d"

# Every address is this host's: what connects to them leaves it as little as what connects to none.
ip link set lo up
ip route add local 198.51.100.0/24 dev lo
ip route add local 10.0.0.0/8 dev lo
ip route add local 169.254.169.254/32 dev lo

mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
cgroups=$root/sys/fs/cgroup
own=$cgroups/sandbox-$(echo "$container" | cut -c1-12)
mkdir -p "$cgroups/docker/$container" "$own"
# A cgroup of its own: who floods the agent with events loses those of his own cgroup, and not these.
echo $$ >"$own/cgroup.procs"
ln -s "/sys/fs/cgroup/docker/$container/cgroup.procs" "$root/run/container"
cd "$root"
pivot_root . tmp/old
umount -l /tmp/old
rmdir /tmp/old
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
  /bin/sh /ops/runner.sh "$container"
