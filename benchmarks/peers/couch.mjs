// SPDX-License-Identifier: Apache-2.0
// Load on a server that speaks CouchDB's protocol: bulk writes of 500 documents, of which a tenth clashes with
// what is there, and single writes on the last revision. Usage: node couch.mjs URL CONNECTIONS SECONDS
import http from 'node:http';

const [url, connections, seconds] = [new URL(process.argv[2]), Number(process.argv[3]), Number(process.argv[4])];
const agent = new http.Agent({ keepAlive: true, maxSockets: connections });

function send(method, path, body) {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const request = http.request(
      { agent, method, host: url.hostname, port: url.port, path, headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) } },
      (response) => {
        let answer = '';
        response.on('data', (chunk) => (answer += chunk));
        response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(answer) }));
      },
    );
    request.on('error', reject);
    request.end(text);
  });
}

async function loop(worker, name) {
  const times = [];
  let operations = 0;
  const end = Date.now() + seconds * 1000;
  await Promise.all(
    Array.from({ length: connections }, async (_, number) => {
      const once = worker(number);
      for (let count = 0; Date.now() < end; count++) {
        const start = performance.now();
        operations += await once(count);
        times.push(performance.now() - start);
      }
    }),
  );
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(times.length * share)].toFixed(2);
  console.log(`${name.padEnd(48)} ${Math.round(operations / seconds)}/s  p50 ${at(0.5)} ms  p99 ${at(0.99)} ms`);
}

const database = `/load${Date.now()}`;
await send('PUT', database);
const bulk = (worker) => async (count) => {
  const docs = Array.from({ length: 500 }, (_, i) => {
    const clash = i % 10 === 0 && count > 0;
    return { _id: `${worker}-${clash ? count - 1 : count}-${clash ? i + 1 : i}`, name: 'somebody', n: count * 500 + i };
  });
  await send('POST', `${database}/_bulk_docs`, { docs });
  return 500;
};
const single = (worker) => {
  let revision;
  return async (count) => {
    const answer = await send('PUT', `${database}/single-${worker}`, { _rev: revision, name: 'somebody', n: count });
    if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
    revision = answer.body.rev;
    return 1;
  };
};
await loop(bulk, 'bulk writes of 500, a tenth refused');
await loop(single, 'single writes on the last revision');
process.exit(0);
