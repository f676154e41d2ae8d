/** Express: the same work behind its router. */
import { load, work } from './node-work.ts';

/** So much of Express as is used. */
interface Application {
  get(path: string, handler: (request: ExpressRequest, response: ExpressResponse) => unknown): void;
  listen(port: number, host: string, backlog: number): void;
}
interface ExpressRequest {
  readonly query: Readonly<Record<string, string>>;
}
interface ExpressResponse {
  send(body: string): void;
}

const application = (load('express') as () => Application)();
application.get('/', (_request, response) => response.send('ready\n'));
application.get('/work', async ({ query }, response) => {
  response.send(await work(query['id'] ?? '', query['carry'] ?? ''));
});
application.listen(Number(process.env['PORT']), '127.0.0.1', 512);
