import type { Process } from '../model/process.ts';
import { maskedLabel } from './secrets.ts';
import type { ContainerView, LabelledContainerView } from './views.ts';

/** Of a process, or of a cgroup. */
export type ContainerPlace = Pick<Process, 'containerId' | 'container' | 'podUid'>;

export function containerView(place: ContainerPlace | null): ContainerView | null {
  if (place === null || place.containerId === null) return null;
  const { containerId: id, container, podUid } = place;
  return {
    id,
    name: told(container?.name),
    image: told(container?.image),
    pod: told(container?.pod),
    namespace: told(container?.namespace),
    podUid: told(container?.podUid) ?? podUid,
    runtime: told(container?.runtime),
  };
}

export function labelledContainerView(place: ContainerPlace): LabelledContainerView | null {
  const view = containerView(place);
  if (view === null) return null;
  const labels = Object.entries(place.container?.labels ?? {});
  return {
    ...view,
    labels: Object.fromEntries(labels.map(([name, value]) => [name, maskedLabel(name, value)])),
  };
}

function told(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}
