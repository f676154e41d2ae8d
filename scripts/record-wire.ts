/**
 * Records one connection between a real client and a real server as a fixture of a protocol leaf.
 *
 *   node scripts/record-wire.ts --listen PORT --connect HOST:PORT|PATH --output FILE.json
 *        [--udp] [--skip N] [--server TEXT] [--client TEXT]
 *
 * It listens on 127.0.0.1, passes everything on, writes the file when the connection (the one after the first N) is
 * over, and ends. With --udp it ends with Ctrl-C. The expected messages are filled in by the leaf's test:
 * UPDATE_GOLDENS=1 node --test src/protocols/LEAF/*.test.ts
 */
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    listen: { type: 'string' },
    connect: { type: 'string' },
    output: { type: 'string' },
    udp: { type: 'boolean', default: false },
    skip: { type: 'string', default: '0' },
    server: { type: 'string', default: '' },
    client: { type: 'string', default: '' },
  },
});
const { listen, connect: target, output } = values;
if (listen === undefined || target === undefined || output === undefined) {
  console.error(
    'usage: node scripts/record-wire.ts --listen PORT --connect HOST:PORT|PATH --output FILE.json',
  );
  process.exit(2);
}
const pieces: ['>' | '<', string][] = [];
let skipped = 0;

function save(): void {
  const fixture = { server: values.server, client: values.client, pieces, expected: [] };
  writeFileSync(output as string, `${JSON.stringify(fixture, null, 1)}\n`);
  console.error(`${output}: ${pieces.length} pieces`);
  process.exit(0);
}

function endpoint(text: string): { host: string; port: number } | { path: string } {
  const [, host, port] = /^([^/]+):(\d+)$/.exec(text) ?? [];
  return host === undefined ? { path: text } : { host, port: Number(port) };
}

function relay(client: Socket): void {
  const isRecorded = skipped++ === Number(values.skip);
  const server = connect(endpoint(target as string));
  const pass = (from: Socket, to: Socket, direction: '>' | '<'): void => {
    from.on('data', (bytes: Buffer) => {
      if (isRecorded) pieces.push([direction, bytes.toString('base64')]);
      to.write(bytes);
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
  };
  pass(client, server, '>');
  pass(server, client, '<');
  server.on('close', () => {
    client.destroy();
    if (isRecorded) save();
  });
}

function relayDatagrams(port: number): void {
  const { host, port: serverPort } = endpoint(target as string) as { host: string; port: number };
  const front = createSocket('udp4');
  const back = createSocket('udp4');
  let client: { address: string; port: number } | null = null;
  front.on('message', (bytes, from) => {
    client = from;
    pieces.push(['>', bytes.toString('base64')]);
    back.send(bytes, serverPort, host);
  });
  back.on('message', (bytes) => {
    pieces.push(['<', bytes.toString('base64')]);
    if (client !== null) front.send(bytes, client.port, client.address);
  });
  front.bind(port, '127.0.0.1');
}

if (values.udp) relayDatagrams(Number(listen));
else createServer(relay).listen(Number(listen), '127.0.0.1');
process.on('SIGINT', save);
process.on('SIGTERM', save);
