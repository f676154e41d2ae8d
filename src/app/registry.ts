import type { Detector } from '../detect/contract.ts';
import { createCommandInjection } from '../detect/command-injection/index.ts';
import { createPathTraversal } from '../detect/path-traversal/index.ts';
import { createProbe } from '../detect/probe/index.ts';
import type { Protocol } from '../protocols/contract.ts';
import { http1 } from '../protocols/http1/index.ts';

/** The leaves that are built in: a new one adds a line here. */
export const PROTOCOLS: readonly Protocol[] = [http1];

/** Detectors keep state, so each pipeline makes its own. */
export function createDetectors(): readonly Detector[] {
  return [createCommandInjection(), createPathTraversal(), createProbe()];
}
