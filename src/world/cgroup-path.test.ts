import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCgroupPaths, unifiedPaths } from './cgroup-path.ts';

const ID = '4f1c'.repeat(16);
const OTHER = '90ab'.repeat(16);
const UID = '8b0d2c4e-1a9f-4c3d-9e8f-0123456789ab';
const UID_UNDERSCORED = UID.replaceAll('-', '_');

const cases: [
  name: string,
  paths: string[],
  containerId: string | null,
  unit: string | null,
  podUid?: string,
][] = [
  ['docker, cgroupfs driver', [`/docker/${ID}`], ID, null],
  ['docker, systemd driver', [`/system.slice/docker-${ID}.scope`], ID, null],
  ['docker with a parent of the user', [`/ci/jobs/${ID}`], ID, null],
  ['docker in docker: the inner one', [`/docker/${OTHER}/docker/${ID}`], ID, null],
  ['systemd inside a container', [`/docker/${ID}/system.slice/nginx.service`], ID, 'nginx.service'],
  ['below the engine itself', [`/system.slice/docker.service/docker/${ID}`], ID, null],
  ['the engine', ['/system.slice/docker.service'], null, 'docker.service'],
  ['buildkit', ['/docker/buildkit/k6ybnjn0oyhbgqx3s7i9bhvsi'], 'k6ybnjn0oyhbgqx3s7i9bhvsi', null],
  ['ctr', ['/default/web-1'], 'web-1', null],
  ['ctr in a namespace of its own', [`/blue/${ID}`], ID, null],
  ['ctr in an unknown namespace with a plain name', ['/blue/web'], null, null],
  ['not a container of the namespace', ['/default/a.service'], null, 'a.service'],
  ['podman, cgroupfs', [`/libpod_parent/libpod-${ID}`], ID, null],
  ['podman, systemd', [`/machine.slice/libpod-${ID}.scope/container`], ID, null],
  ['podman under a unit', [`/system.slice/web.service/libpod-payload-${ID}`], ID, 'web.service'],
  [
    'conmon watches from outside',
    [`/machine.slice/libpod-conmon-${ID}.scope`],
    null,
    `libpod-conmon-${ID}.scope`,
  ],
  [
    'podman without root',
    [`/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope`],
    ID,
    'user@1000.service',
  ],
  [
    'docker without root',
    [`/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${ID}.scope`],
    ID,
    'user@1000.service',
  ],
  [
    'docker, v1 and v2 side by side',
    [`9:name=systemd:/docker/${ID}`, `8:pids:/docker/${ID}`, `0::/docker/${ID}`],
    ID,
    null,
  ],
  ['docker with a parent slice', [`/shop.slice/docker-${ID}.scope`], ID, null],
  ['podman, cgroupfs, in a pod', [`/libpod_parent/${OTHER}/libpod-${ID}`], ID, null],
  [
    'podman, systemd, in a pod',
    [`/machine.slice/machine-libpod_pod_${OTHER}.slice/libpod-${ID}.scope`],
    ID,
    null,
  ],
  ['conmon, cgroupfs', ['/libpod_parent/conmon'], null, null],
  ['conmon of CRI-O', [`/system.slice/crio-conmon-${ID}.scope`], null, `crio-conmon-${ID}.scope`],
  ['kubernetes, cgroupfs, CRI-O', [`/kubepods/besteffort/pod${UID}/crio-${ID}`], ID, null, UID],
  ['kubernetes, cgroupfs, guaranteed', [`/kubepods/pod${UID}/${ID}`], ID, null, UID],
  [
    'kubernetes, cgroupfs, lines of v1',
    [`9:name=systemd:/kubepods/burstable/pod${UID}/${ID}`, `0::/kubepods/burstable/pod${UID}/${ID}`],
    ID,
    null,
    UID,
  ],
  [
    'kubernetes, systemd, lines of v1',
    [
      `9:name=systemd:/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID_UNDERSCORED}.slice/cri-containerd-${ID}.scope`,
      '0::/',
    ],
    ID,
    null,
    UID,
  ],
  ['a pod without a container of it', [`/kubepods/burstable/pod${UID}`], null, null, UID],
  ['containerd, namespace of Kubernetes without pods', [`/k8s.io/${ID}`], ID, null],
  ['kubernetes, cgroupfs', [`/kubepods/burstable/pod${UID}/${ID}`], ID, null, UID],
  [
    'kubernetes, systemd, containerd',
    [
      `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${UID_UNDERSCORED}.slice/cri-containerd-${ID}.scope`,
    ],
    ID,
    null,
    UID,
  ],
  [
    'kubernetes, guaranteed, CRI-O',
    [`/kubepods.slice/kubepods-pod${UID_UNDERSCORED}.slice/crio-${ID}.scope`],
    ID,
    null,
    UID,
  ],
  [
    'kubernetes, docker',
    [`/kubepods.slice/kubepods-pod${UID_UNDERSCORED}.slice/docker-${ID}.scope`],
    ID,
    null,
    UID,
  ],
  [
    'kubernetes, static pod, kind',
    [
      `/docker/${OTHER}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${'0a'.repeat(16)}.slice/cri-containerd-${ID}.scope`,
    ],
    ID,
    null,
    '0a'.repeat(16),
  ],
  [
    'containerd with the drivers mixed up',
    [`/system.slice/containerd.service/kubepods-burstable-pod${UID_UNDERSCORED}.slice:cri-containerd:${ID}`],
    ID,
    null,
    UID,
  ],
  ['docker, v1 alone', [`4:memory:/docker/${ID}`, `8:pids:/docker/${ID}`, '3:cpuset:/'], ID, null],
  ['containerd, v1', [`/default/${ID}`], ID, null],
  ['podman, v1, cgroupfs', [`8:pids:/libpod_parent/libpod-${ID}`], ID, null],
  ['podman, v1, systemd', [`8:pids:/machine.slice/libpod-${ID}.scope`], ID, null],
  ['kubernetes, v1, cgroupfs, containerd', [`8:pids:/kubepods/burstable/pod${UID}/${ID}`], ID, null, UID],
  ['kubernetes, v1, cgroupfs, CRI-O', [`8:pids:/kubepods/pod${UID}/crio-${ID}`], ID, null, UID],
  [
    'kubernetes, v1, systemd, CRI-O',
    [
      `8:pids:/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID_UNDERSCORED}.slice/crio-${ID}.scope`,
    ],
    ID,
    null,
    UID,
  ],
  ['CRI-O of its own', [`/crio-${ID}`], ID, null],
  ['nerdctl, systemd', [`/system.slice/nerdctl-${ID}.scope`], ID, null],
  ['runc without an engine, systemd', [`/system.slice/runc-${ID}.scope`], ID, null],
  ['a unit with a hash in its name', [`/system.slice/build-${ID}.scope`], null, `build-${ID}.scope`],
  ['a directory with a hash in its name', [`/system.slice/ci.service/cache-${ID}`], null, 'ci.service'],
  ['the name of an engine inside of another', [`/system.slice/not-docker-${ID}`], null, null],
  [
    'a container inside of such a unit',
    [`/system.slice/build-${OTHER}.scope/docker-${ID}.scope`],
    ID,
    `build-${OTHER}.scope`,
  ],
  [
    'ECS on Fargate',
    [`/ecs/${'0a'.repeat(16)}/${'1b'.repeat(16)}-0123456789`],
    `${'1b'.repeat(16)}-0123456789`,
    null,
  ],
  ['LXC', ['/lxc/101/ns/init.scope'], '101', 'init.scope'],
  ['LXC 4', ['/lxc.payload.web/system.slice/cron.service'], 'web', 'cron.service'],
  ['LXC monitor', ['/lxc.monitor.web'], null, null],
  ['nspawn', ['/machine.slice/machine-my\\x2dbox.scope'], 'my-box', null],
  ['libvirt LXC', ['/machine.slice/machine-lxc\\x2d7\\x2dbox.scope'], 'box', null],
  [
    'virtual machine',
    ['/machine.slice/machine-qemu\\x2d1\\x2dvm.scope'],
    null,
    'machine-qemu\\x2d1\\x2dvm.scope',
  ],
  ['service', ['/system.slice/nginx.service'], null, 'nginx.service'],
  ['cgroup inside a service', ['/system.slice/php.service/workers'], null, 'php.service'],
  ['template', ['/system.slice/system-getty.slice/getty@tty1.service'], null, 'getty@tty1.service'],
  [
    'escapes stay as systemctl shows them',
    ['/system.slice/app@a\\x2db.service'],
    null,
    'app@a\\x2db.service',
  ],
  ['name that would clash', ['/system.slice/_memory.service'], null, 'memory.service'],
  [
    'user service',
    ['/user.slice/user-1000.slice/user@1000.service/app.slice/syncthing.service'],
    null,
    'syncthing.service',
  ],
  ['login', ['/user.slice/user-1000.slice/session-3.scope'], null, 'session-3.scope'],
  ['slice only', ['/system.slice'], null, null],
  ['root', ['/'], null, null],
  ['a name that runc was given', ['/mycontainer'], null, null],
  ['32 hex digits are no container id', [`/process_api/${'0a'.repeat(16)}`], null, null],
  ['65 hex digits are none either', [`/docker/${ID}0`], null, null],
  [
    'lines of v1',
    ['9:name=systemd:/system.slice/cron.service', '4:cpu,cpuacct:/', '0::/'],
    null,
    'cron.service',
  ],
  [
    'lines of v1 with a container',
    [`9:name=systemd:/docker/${ID}`, `2:cpuset:/docker/${ID}`, '0::/'],
    ID,
    null,
  ],
  [
    'the hierarchy of systemd decides',
    [`4:memory:/docker/${OTHER}`, `0::/docker/${ID}`, '1:name=systemd:/system.slice/x.service'],
    ID,
    'x.service',
  ],
  ['colons in a path', [`0::/system.slice:docker:${ID}`], ID, null],
  ['outside the namespace', [`0::/../../docker/${ID}`], ID, null],
  ['nothing', [], null, null],
];

for (const [name, paths, containerId, serviceUnit, podUid] of cases) {
  test(`cgroup path: ${name}`, () => {
    const expected = { containerId, serviceUnit };
    assert.deepEqual(parseCgroupPaths(paths), podUid === undefined ? expected : { ...expected, podUid });
  });
}

test('cgroup path: no input throws, and what is found was in the input', () => {
  const part = fc.oneof(
    fc.constantFrom(
      'docker',
      ID,
      `docker-${ID}.scope`,
      'lxc',
      'default',
      'a.service',
      '..',
      'machine-\\x.scope',
      ':',
    ),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(fc.array(part).map((parts) => `/${parts.join('/')}`)), (paths) => {
      const { containerId, serviceUnit } = parseCgroupPaths(paths);
      assert.ok(serviceUnit === null || paths.join('\n').includes(serviceUnit));
      assert.ok(containerId === null || containerId !== '');
    }),
  );
});

test('cgroup path: only the unified hierarchy holds for all processes of an id', () => {
  const lines = [`9:name=systemd:/docker/${ID}`, '0::/'];
  assert.deepEqual(unifiedPaths(lines), ['0::/']);
  assert.deepEqual(unifiedPaths([`/docker/${ID}`]), [`/docker/${ID}`]);
});
