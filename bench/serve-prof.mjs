// One application in a process of its own: `serve.mjs <application> <port> <options as JSON>`, an application being a
// module of applications/ that exports `makeApp(options)` and, where it has anything to say about the server,
// `prepareServer(server)`. Started by express.mjs and attack.mjs, with a channel: sends its port when it listens, and
// what it has used so far when it is asked; with `watched` every quarter of a second, and how late its event loop is.
import { createServer } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { endWithParent } from './rounds.mjs';

const REPORT_MS = 250;
/** A loop that is free is this late, and so is what is told of it. */
const RESOLUTION_MS = 5;

endWithParent();
process.on("SIGINT", () => process.exit(0));
const [application, port, optionsText] = process.argv.slice(2);
const { watched = false, ...options } = JSON.parse(optionsText);
const { makeApp, prepareServer } = await import(`./applications/${application}.mjs`);
const server = createServer(await makeApp(options));
prepareServer?.(server);
server.listen(Number(port), '127.0.0.1', () => {
  process.send({ port: server.address().port });
  if (watched) report();
  else process.on('message', () => process.send({ usage: usage() }));
});

function usage() {
  const { user, system } = process.cpuUsage();
  return { cpuMicros: user + system, rss: process.memoryUsage.rss() };
}

// A process that hangs reports nothing; who listens takes that for what it is. A message: from here on.
function report() {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  process.on('message', () => delay.reset());
  setInterval(() => {
    const late = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    const peakRss = process.resourceUsage().maxRSS * 1024;
    process.send({ report: { ...usage(), peakRss, p99: late(delay.percentile(99)), max: late(delay.max) } });
  }, REPORT_MS);
}
