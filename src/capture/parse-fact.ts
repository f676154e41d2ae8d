import { HASH_PROBLEMS } from '../model/executable.ts';
import { BLIND_CLASSES, type Fact } from '../model/event.ts';

type FieldType =
  | 'number'
  | 'string'
  | 'string?'
  | 'strings'
  | 'strings?'
  | 'texts'
  | 'counts'
  | 'blind-reason'
  | 'blind-class?'
  | 'hash'
  | 'hash-problem';

/** The fields of each fact. A recording may be damaged or made by somebody else: the brain gets only what fits. */
const FACTS: { readonly [Kind in Fact['kind']]: Readonly<Record<string, FieldType>> } = {
  clock: { bootNs: 'number', wallMs: 'number' },
  host: { hostname: 'string', kernel: 'string', architecture: 'string', sessionId: 'string' },
  process: {
    pid: 'number',
    parentPid: 'number',
    startTicks: 'number',
    comm: 'string',
    executable: 'string',
    argv: 'strings',
    workingDirectory: 'string',
    uid: 'number',
    gid: 'number',
    cgroupId: 'number',
    environment: 'strings?',
  },
  agent: { pid: 'number', parentPid: 'number' },
  cgroup: { cgroupId: 'number', paths: 'strings' },
  container: {
    id: 'string',
    runtime: 'string',
    name: 'string',
    image: 'string',
    pod: 'string',
    namespace: 'string',
    podUid: 'string',
    labels: 'texts',
  },
  user: { uid: 'number', name: 'string', home: 'string?', shell: 'string?' },
  group: { gid: 'number', name: 'string' },
  hashing: {},
  hash: { file: 'string', sha256: 'hash', problem: 'hash-problem' },
  loss: { timeNs: 'number', reasons: 'counts' },
  killed: { timeNs: 'number', pid: 'number', startedAt: 'string' },
  tampered: { timeNs: 'number', what: 'strings' },
  blind: {
    timeNs: 'number',
    reason: 'blind-reason',
    what: 'blind-class?',
    cgroupId: 'number',
    events: 'number',
    fromNs: 'number',
    untilNs: 'number',
  },
};

/** A fact out of its JSON; null for what is none. Unknown kinds are of a later version. */
export function parseFact(text: string): Fact | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value) || typeof value['kind'] !== 'string' || !Object.hasOwn(FACTS, value['kind']))
    return null;
  const fields = FACTS[value['kind'] as Fact['kind']];
  for (const [name, type] of Object.entries(fields)) if (!fits(value[name], type)) return null;
  return value as unknown as Fact;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fits(value: unknown, type: FieldType): boolean {
  switch (type) {
    case 'number':
      return typeof value === 'number';
    case 'string':
      return typeof value === 'string';
    case 'string?':
      return value === undefined || typeof value === 'string';
    case 'blind-reason':
      return value === 'security-ring-full' || value === 'cgroup-budget' || value === 'program-runs-left-out';
    case 'blind-class?':
      return value === undefined || BLIND_CLASSES.some((one) => one === value);
    case 'hash':
      return typeof value === 'string' && /^(?:[0-9a-f]{64})?$/.test(value);
    case 'hash-problem':
      return value === '' || HASH_PROBLEMS.some((problem) => problem === value);
    case 'strings?':
      return value === undefined || fits(value, 'strings');
    case 'strings':
      return Array.isArray(value) && value.every((element) => typeof element === 'string');
    case 'texts':
      return isRecord(value) && Object.values(value).every((text) => typeof text === 'string');
    case 'counts':
      return isRecord(value) && Object.values(value).every((count) => typeof count === 'number');
  }
}
