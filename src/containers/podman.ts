import { UnreadableAnswer } from './answer.ts';
import { isHexId, type RuntimeClient } from './client.ts';
import { describeContainer } from './description.ts';
import { versionOf } from './docker.ts';
import { getJson } from './http.ts';
import { entriesOf, fieldOf, textOf } from './json.ts';

/**
 * Podman's own API (https://docs.podman.io/en/latest/_static/api.html): that which is compatible with Docker's knows no
 * pods. Podman 4 and 5 answer to this version.
 */
const LIST = '/v4.0.0/libpod/containers/json?all=true&pod=true&filters=';

export const podmanClient: RuntimeClient = {
  canHave: isHexId,
  async find(socketPath, id, signal) {
    const filters = encodeURIComponent(JSON.stringify({ id: [id] }));
    const { status, body } = await getJson(socketPath, LIST + filters, signal);
    if (status !== 200) throw new UnreadableAnswer(`answers with status ${status}`);
    if (!Array.isArray(body)) throw new UnreadableAnswer('answers with something that is no list');
    const found: unknown = body.find((one) => textOf(one, 'Id') === id);
    if (found === undefined) return null;
    const names = fieldOf(found, 'Names');
    const [name]: unknown[] = Array.isArray(names) ? names : [];
    return describeContainer('podman', {
      id,
      name: typeof name === 'string' ? name : '',
      image: textOf(found, 'Image'),
      pod: textOf(found, 'PodName'),
      labels: entriesOf(found, 'Labels'),
    });
  },
  version: async (socketPath, signal) => `Podman ${await versionOf(socketPath, signal)}`,
};
