// The process that sends the requests of express.mjs, by autocannon: each message is one round, each answer its figures.
// In a process of its own, so that the server has a core for itself and so has this.
import autocannon from 'autocannon';
import { quantile } from './harness.mjs';
import { endWithParent } from './rounds.mjs';

endWithParent();
process.on('message', async (round) => {
  try {
    process.send({ result: await run(round) });
  } catch (error) {
    process.send({ failure: error.message });
  }
});

/** @param {{ url: string, method: string, headers: object, body?: string, answer?: string, connections: number, seconds: number }} round */
async function run({ url, method, headers, body, answer, connections, seconds }) {
  const times = [];
  let first;
  const { result, elapsedMs } = await new Promise((resolve, reject) => {
    const instance = autocannon(
      { url, method, headers, body, connections, duration: seconds, sampleInt: 100, expectBody: answer },
      (error, result) => (error ? reject(error) : resolve({ result, elapsedMs: performance.now() - first })),
    );
    instance.on('response', (client, status, bytes, milliseconds) => {
      first ??= performance.now();
      times.push(milliseconds);
    });
  });
  return {
    requests: times.length,
    perSecond: times.length / (elapsedMs / 1000),
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    statuses: Object.fromEntries(Object.entries(result.statusCodeStats).map(([status, { count }]) => [status, count])),
    lost: result.errors + result.timeouts,
    mismatches: answer === undefined ? 0 : result.mismatches,
  };
}
