import { UnreadableAnswer } from './answer.ts';
import { isHexId, type RuntimeClient } from './client.ts';
import { describeContainer } from './description.ts';
import { getJson } from './http.ts';
import { entriesOf, fieldOf, textOf } from './json.ts';

/** Docker Engine API, which needs no version in its paths (https://docs.docker.com/reference/api/engine/). */
export const dockerClient: RuntimeClient = {
  canHave: isHexId,
  async find(socketPath, id, signal) {
    const { status, body } = await getJson(socketPath, `/containers/${id}/json`, signal);
    if (status === 404) return null;
    if (status !== 200) throw new UnreadableAnswer(`answers with status ${status}`);
    if (textOf(body, 'Id') !== id) throw new UnreadableAnswer('answers with another container');
    const config = fieldOf(body, 'Config');
    return describeContainer('docker', {
      id,
      name: textOf(body, 'Name').replace(/^\//, ''),
      image: textOf(config, 'Image'),
      labels: entriesOf(config, 'Labels'),
    });
  },
  version: async (socketPath, signal) => `Docker ${await versionOf(socketPath, signal)}`,
};

/** Podman has the same call. */
export async function versionOf(socketPath: string, signal: AbortSignal): Promise<string> {
  const { body } = await getJson(socketPath, '/version', signal);
  const version = textOf(body, 'Version');
  if (version === '') throw new UnreadableAnswer('does not tell its version');
  return version;
}
