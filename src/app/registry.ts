import type { Detector } from '../detect/contract.ts';
import { createCommandInjection } from '../detect/command-injection/index.ts';
import { createPathTraversal } from '../detect/path-traversal/index.ts';
import { createTampering } from '../detect/tampering/index.ts';
import { createProbe } from '../detect/probe/index.ts';
import type { Protocol } from '../protocols/contract.ts';
import { dns, dnsTcp } from '../protocols/dns/index.ts';
import { fastcgi } from '../protocols/fastcgi/index.ts';
import { http1 } from '../protocols/http1/index.ts';
import { http2 } from '../protocols/http2/index.ts';
import { mongodb } from '../protocols/mongodb/index.ts';
import { mysql } from '../protocols/mysql/index.ts';
import { postgresql } from '../protocols/postgresql/index.ts';
import { redis } from '../protocols/redis/index.ts';
import { ldap } from '../protocols/ldap/index.ts';
import { smtp } from '../protocols/smtp/index.ts';
import { tls } from '../protocols/tls/index.ts';
import { uwsgi } from '../protocols/uwsgi/index.ts';
import { websocket } from '../protocols/websocket/index.ts';

/** The leaves that are built in: a new one adds a line here. */
export const PROTOCOLS: readonly Protocol[] = [
  http1,
  http2,
  tls,
  postgresql,
  mysql,
  redis,
  mongodb,
  ldap,
  smtp,
  fastcgi,
  uwsgi,
  websocket,
  dnsTcp,
  dns,
];

/** Detectors keep state, so each pipeline makes its own. */
export function createDetectors(): readonly Detector[] {
  return [createCommandInjection(), createPathTraversal(), createProbe(), createTampering()];
}
