import type { Process } from '../../model/process.ts';
import { single } from './define.ts';
import type { Field } from './field.ts';

/** Digits of a container's id that people see. */
const SHORT_ID = 12;

/** Users, groups and containers. */
export const IDENTITY_FIELDS: readonly Field[] = [
  single('user.uid', 'number', 'Id of the user.', ({ process }) => idOf(process?.uid)),
  single('user.name', 'string', 'Name of the user.', ({ process }) => process?.userName ?? null),
  single('group.gid', 'number', 'Id of the group.', ({ process }) => idOf(process?.gid)),
  single(
    'container.id',
    'string',
    "Id of the container, 12 digits of it; 'host' outside of containers.",
    ({ process }) => (process === null ? null : containerIdOf(process)),
  ),
  single('container.full_id', 'string', "Id of the container; 'host' outside of containers.", ({ process }) =>
    process === null ? null : (process.containerId ?? 'host'),
  ),
  single('container.info', 'string', 'What is known of the container, for outputs.', ({ process }) =>
    process === null ? null : `container_id=${containerIdOf(process)}`,
  ),
];

export function containerIdOf({ containerId }: Process): string {
  return containerId === null ? 'host' : containerId.slice(0, SHORT_ID);
}

/** Of a process of which nothing is known, ids are negative. */
function idOf(id: number | undefined): number | null {
  return id === undefined || id < 0 ? null : id;
}
