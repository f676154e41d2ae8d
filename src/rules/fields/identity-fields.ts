import { byteStringFromText, textFromByteString, type ByteString } from '../../base/bytes.ts';
import type { Container } from '../../model/container.ts';
import type { Process } from '../../model/process.ts';
import type { RuleEvent } from '../event.ts';
import { field, single } from './define.ts';
import type { Field } from './field.ts';

/** Digits of a container's id that people see. */
const SHORT_ID = 12;

/** Users, groups and containers. */
export const IDENTITY_FIELDS: readonly Field[] = [
  single('user.uid', 'number', 'Id of the user.', ({ process }) => idOf(process?.uid)),
  single('user.name', 'string', 'Name of the user.', ({ process }) => known(process?.userName ?? '')),
  single(
    'user.homedir',
    'string',
    "Home directory of the user, as the host's database has it.",
    ({ process }) => known(process?.homeDirectory ?? ''),
  ),
  single('user.shell', 'string', "Login shell of the user, as the host's database has it.", ({ process }) =>
    known(process?.loginShell ?? ''),
  ),
  single('group.gid', 'number', 'Id of the group.', ({ process }) => idOf(process?.gid)),
  single('group.name', 'string', 'Name of the group.', ({ process }) => known(process?.groupName ?? '')),
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

  told('container.name', 'Name of the container, as its runtime tells it.', ({ name }) => name),
  told(
    'container.type',
    'Runtime of the container: docker, podman, containerd or cri.',
    ({ runtime }) => runtime,
  ),
  told('container.image', 'Name of the image, with its tag: nginx:1.25.', ({ image }) => image),
  told('container.image.repository', 'Name of the image without its tag.', ({ image }) =>
    repositoryOf(image),
  ),
  told('container.image.tag', 'Tag of the image.', ({ image }) => tagOf(image)),
  told('k8s.pod.name', 'Name of the pod.', ({ pod }) => pod),
  told('k8s.ns.name', 'Namespace of the pod.', ({ namespace }) => namespace),
  single('k8s.pod.uid', 'string', 'Uid of the pod.', podUidOf),
  single('k8s.pod.id', 'string', 'The same as k8s.pod.uid.', podUidOf),
  label('container.label', 'A label of the container.'),
  labels('container.labels', 'All labels of the container: name:value, name:value.'),
  label('k8s.pod.label', 'A label of the pod, as its runtime tells it.'),
  labels('k8s.pod.labels', 'All labels of the pod: name:value, name:value.'),
];

/** What a container's runtime has told: it comes when it comes, and until then there is no value. */
function told(name: string, description: string, property: (container: Container) => string): Field {
  return single(name, 'string', description, ({ process }) => {
    const container = process?.container ?? null;
    return container === null ? null : known(property(container));
  });
}

function label(fieldName: string, description: string): Field {
  return field(fieldName, 'string', 'required name', description, 'single', (argument) => {
    const wanted = textFromByteString(argument ?? '');
    return {
      shape: 'single',
      type: 'string',
      get: ({ process }) => {
        const labels = process?.container?.labels;
        if (labels === undefined || !Object.hasOwn(labels, wanted)) return null;
        return byteStringFromText(labels[wanted] ?? '');
      },
    };
  });
}

/** Without those that the runtime keeps for itself, as the reference engine has it. */
function labels(fieldName: string, description: string): Field {
  return told(fieldName, description, (container) =>
    Object.entries(container.labels)
      .filter(([name]) => !/^(?:annotation|io\.kubernetes)\./.test(name))
      .map(([name, value]) => (value === '' ? name : `${name}:${value}`))
      .join(', '),
  );
}

function podUidOf({ process }: RuleEvent): ByteString | null {
  return process?.podUid ?? known(process?.container?.podUid ?? '');
}

/** Text as bytes; '' is what was not told. */
function known(text: string): ByteString | null {
  return text === '' ? null : byteStringFromText(text);
}

/** The colon of a port stands in front of a slash, that of a tag behind the last one. */
function tagStart(image: string): number {
  const digest = image.indexOf('@');
  const name = digest === -1 ? image : image.slice(0, digest);
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? colon : name.length;
}

function repositoryOf(image: string): string {
  return image.slice(0, tagStart(image));
}

function tagOf(image: string): string {
  const [name = ''] = image.split('@');
  return name.slice(tagStart(image) + 1);
}

export function containerIdOf({ containerId }: Process): string {
  return containerId === null ? 'host' : containerId.slice(0, SHORT_ID);
}

/** Of a process of which nothing is known, ids are negative. */
function idOf(id: number | undefined): number | null {
  return id === undefined || id < 0 ? null : id;
}
