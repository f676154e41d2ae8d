/**
 * What the path of a cgroup tells: which container, pod and systemd unit its processes belong to. Pure text work;
 * the naming schemes are those of the container engines, of the kubelet (both cgroup drivers) and of systemd.
 */
export interface CgroupIdentity {
  /** Id of the innermost container: 64 hex digits as a rule, a name for LXC, nspawn and `ctr`. null on the host. */
  containerId: string | null;
  /** Innermost systemd unit, spelled as systemctl shows it (escapes such as \x2d stay), or null. */
  serviceUnit: string | null;
  /** Uid of the Kubernetes pod, with dashes. Absent outside pods. */
  podUid?: string;
}

/**
 * <engine>-<64 hex>.scope (systemd driver), or the id with or without the engine (cgroupfs driver). A bare id may stand anywhere:
 * Docker has --cgroup-parent, containerd namespaces of any name. Names of others are none, as those of the monitors that watch
 * a container from outside (crio-conmon, libpod-conmon), and of units whose name ends with a hash.
 */
const HEX_ID =
  /^(?:(?:docker|nerdctl|containerd|cri-containerd|crio|libpod|libpod-payload|runc|crun)-)?([0-9a-f]{64})(?:\.scope)?$/;

/** Tasks of Amazon ECS on Fargate: <32 hex>-<number>. */
const ECS_ID = /^[0-9a-f]{32}-[0-9]{6,12}$/;

const POD =
  /(?:^|-)pod([0-9a-f]{8}([-_])[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/;

/** Directories whose children are containers with names of the user's choice. */
const NAMED_PARENTS = new Set(['lxc', 'lxc.payload', 'garden', 'mesos', 'buildkit']);

/**
 * `ctr` and other direct users of containerd put containers at /<namespace>/<id>, both freely chosen. Any two plain
 * names look like that, so only the namespaces in common use count.
 */
const CONTAINERD_NAMESPACES = new Set(['default', 'moby', 'k8s.io', 'services.linuxkit']);

const CONTAINER_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

const UNIT = /^[^/]+\.(?:service|scope|socket|mount|swap)$/;

/** A container below the engine's own unit runs for itself, not for that service. */
const ENGINE_UNIT =
  /^(?:docker|containerd|crio|cri-o|podman|kubelet|k3s|k3s-agent|rke2-server|rke2-agent|buildkit)\.service$/;

/**
 * @param paths paths such as /system.slice/nginx.service, or whole lines of /proc/PID/cgroup
 *   (`9:name=systemd:/...`, `0::/...`), mixed at will. The hierarchies that systemd manages decide first.
 */
export function parseCgroupPaths(paths: readonly string[]): CgroupIdentity {
  const identity: CgroupIdentity = { containerId: null, serviceUnit: null };
  const lines = paths.map(parseLine).sort((left, right) => left.rank - right.rank);
  for (const { path } of lines) {
    const found = parsePath(path);
    identity.containerId ??= found.containerId;
    identity.serviceUnit ??= found.serviceUnit;
    if (found.podUid !== undefined && identity.podUid === undefined) identity.podUid = found.podUid;
  }
  return identity;
}

/**
 * Those of the paths that hold for every process of one cgroup id. The id is that of the unified (v2) hierarchy:
 * where v1 controllers are mounted beside it, two processes with one id may be in different v1 cgroups, so a v1 line
 * of one of them must not name the container of the other. Lines of v1 are dropped, plain paths kept.
 */
export function unifiedPaths(paths: readonly string[]): string[] {
  return paths.filter((path) => path.startsWith('0::') || path.startsWith('/'));
}

interface CgroupLine {
  path: string;
  /** Lower decides first. */
  rank: number;
}

function parseLine(line: string): CgroupLine {
  const match = /^[0-9]+:([^:]*):(.*)$/s.exec(line);
  if (match === null) return { path: line, rank: 0 };
  const controllers = match[1] ?? '';
  return { path: match[2] ?? '', rank: controllers === 'name=systemd' ? 1 : controllers === '' ? 2 : 3 };
}

function parsePath(path: string): CgroupIdentity {
  let containerId: string | null = null;
  let serviceUnit: string | null = null;
  let podUid: string | undefined;
  const names = path.split('/').filter((name) => name !== '');
  // From the innermost outwards: what is nearest to the process names it.
  for (let index = names.length - 1; index >= 0; index--) {
    const name = names[index] ?? '';
    podUid ??= podUidOf(name);
    if (containerId === null) {
      containerId = containerIdOf(name, names[index - 1] ?? null, index);
      if (containerId !== null) continue;
    }
    const unit: string | null = serviceUnit === null ? unitOf(name) : null;
    if (unit !== null && !(containerId !== null && ENGINE_UNIT.test(unit))) serviceUnit = unit;
  }
  return podUid === undefined ? { containerId, serviceUnit } : { containerId, serviceUnit, podUid };
}

function containerIdOf(name: string, parent: string | null, index: number): string | null {
  // The systemd cgroup path "slice:engine:id", taken literally by the cgroupfs driver.
  const last = name.slice(name.lastIndexOf(':') + 1);
  const hex = HEX_ID.exec(last);
  if (hex !== null) return hex[1] ?? null;
  if (ECS_ID.test(last)) return last;
  if (name.startsWith('lxc.payload.') && name.length > 12) return name.slice(12);
  if (name.startsWith('machine-') && name.endsWith('.scope')) return machineName(name.slice(8, -6));
  if (parent === null || !CONTAINER_NAME.test(name) || UNIT.test(name) || name.endsWith('.slice'))
    return null;
  if (NAMED_PARENTS.has(parent)) return name;
  return index === 1 && CONTAINERD_NAMESPACES.has(parent) ? name : null;
}

/** systemd-machined's scopes: nspawn and libvirt containers. Virtual machines (qemu) are no containers. */
function machineName(escaped: string): string | null {
  const name = escaped.replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  if (name.startsWith('qemu-')) return null;
  const plain = name.replace(/^lxc-[0-9]+-/, '');
  return plain === '' ? null : plain;
}

function podUidOf(name: string): string | undefined {
  const colon = name.indexOf(':');
  const match = POD.exec(colon < 0 ? name : name.slice(0, colon));
  return match?.[1]?.replaceAll('_', '-');
}

function unitOf(name: string): string | null {
  // systemd puts an underscore before names that would clash with files of the cgroup file system.
  const unit = name.startsWith('_') ? name.slice(1) : name;
  return UNIT.test(unit) ? unit : null;
}
