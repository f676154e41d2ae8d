/**
 * A small service as people write them: it finds its route, reads a parameter, looks an order up in memory, adds it up,
 * and answers with 1.5 KiB of JSON and an entity tag. No database, no file: nothing but its own work.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { listen } from './listen.ts';

interface Item {
  readonly sku: string;
  readonly title: string;
  readonly price: number;
  readonly count: number;
}

const ROUTE = /^\/orders\/(\d+)$/;
const orders = new Map<string, { readonly id: number; readonly items: readonly Item[] }>();
for (let id = 0; id < 100; id++) {
  const items = Array.from({ length: 15 }, (_, number) => ({
    sku: `A-${id}-${number}`,
    title: `An article with a title of its own, number ${number}`,
    price: number * 3.5,
    count: number,
  }));
  orders.set(String(id), { id, items });
}

listen(
  createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const order = orders.get(ROUTE.exec(url.pathname)?.[1] ?? '');
    if (order === undefined) {
      response.writeHead(404, { 'content-length': 0 }).end();
      return;
    }
    const total = order.items.reduce((sum, { price, count }) => sum + price * count, 0);
    const body = JSON.stringify({ ...order, customer: url.searchParams.get('customer'), total });
    const tag = createHash('sha1').update(body).digest('base64');
    response
      .writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        etag: `"${tag}"`,
      })
      .end(body);
  }),
);
