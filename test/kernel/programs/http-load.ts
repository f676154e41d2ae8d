/**
 * Sends requests from where it is started, such as a network namespace, and prints the results as JSON.
 *
 *   node http-load.ts PORT REQUESTS CONCURRENCY QUERY    QUERY: %ID stands for the request's id
 */
import { sendLoad } from '../../support/load.ts';

const [port, requests, concurrency, query = ''] = process.argv.slice(2);

const results = await sendLoad({
  url: `http://127.0.0.1:${port}`,
  requests: Number(requests),
  concurrency: Number(concurrency),
  target: (id) => `/?id=${id}&${query.replaceAll('%ID', id)}`,
});
console.log(JSON.stringify(results));
