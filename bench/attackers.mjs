// The attackers of attack.mjs, in a process of their own with a lower priority, so that they take no time from those whom
// they attack but by what they send. Sends what attack-mix.mjs says at the rates that it says, to loopback only, for as
// many seconds as the job says; then it tells what has become of it, and ends.
import { connect } from 'node:net';
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { REQUESTS, SLOW } from './attack-mix.mjs';
import { endWithParent } from './rounds.mjs';

const HOST = '127.0.0.1';
const TICK_MS = 10;
const ANSWER_MS = 10_000;
/** Of a priority, where 0 is that of everybody else. */
const BEHIND = 10;
/** A connection that was closed is made anew after so long. */
const AGAIN_MS = 1000;

endWithParent();
os.setPriority(Math.min(os.getPriority() + BEHIND, os.constants.priority.PRIORITY_LOW));
const { port, seconds, kinds } = JSON.parse(process.argv[2]);
const timers = new Set();
let isOver = false;
const lanes = Object.entries(REQUESTS)
  .filter(([kind]) => kinds.includes(kind))
  .map(([kind, how]) => startLane(kind, how));
const slow = kinds.includes('slow') ? startSlow() : undefined;
process.send({ startedAt: Date.now() });
await sleep(seconds * 1000);
isOver = true;
for (const timer of timers) clearInterval(timer);
const sent = Object.fromEntries(lanes.map(({ kind, counts }) => [kind, counts]));
process.send({ sent: slow ? { ...sent, slow: slow.counts } : sent }, () => process.exit(0));

// ------------------------------------------------------------------------------------------------------------ requests

function startLane(kind, { perSecond, mostUnderWay, make }) {
  const pool = new Pool(`http://${HOST}:${port}`, {
    connections: Math.min(mostUnderWay, 64),
    headersTimeout: ANSWER_MS,
    bodyTimeout: ANSWER_MS,
  });
  // By status; `none` were cut off or got no answer; `heldBack` were due while too many had no answer yet.
  const counts = { sent: 0, heldBack: 0, none: 0, statuses: {} };
  const started = performance.now();
  let underWay = 0;
  const sendDue = () => {
    const due = Math.floor(((performance.now() - started) / 1000) * perSecond);
    while (counts.sent + counts.heldBack < due) {
      if (underWay >= mostUnderWay) counts.heldBack++;
      else send(make(counts.sent++));
    }
  };
  timers.add(setInterval(sendDue, TICK_MS));
  return { kind, counts };

  async function send(message) {
    underWay++;
    try {
      const { statusCode, body } = await pool.request(message);
      counts.statuses[statusCode] = (counts.statuses[statusCode] ?? 0) + 1;
      await body.dump();
    } catch {
      counts.none++;
    } finally {
      underWay--;
    }
  }
}

// ---------------------------------------------------------------------------------------------------- slow connections

function startSlow() {
  // `open` is looked at with every line that is sent.
  const counts = { opened: 0, closed: 0, mostOpen: 0 };
  let open = 0;
  const one = (number) => {
    if (isOver) return;
    const socket = connect(port, HOST);
    let timer;
    socket.on('connect', () => {
      counts.opened++;
      counts.mostOpen = Math.max(counts.mostOpen, ++open);
      socket.write(SLOW.start(number));
      timer = setInterval(() => socket.write(SLOW.more(number)), SLOW.everyMs);
      socket.on('close', () => {
        open--;
        counts.closed++;
      });
    });
    socket.on('error', () => {});
    socket.resume();
    socket.on('close', () => {
      clearInterval(timer);
      setTimeout(one, AGAIN_MS, number);
    });
  };
  for (let number = 0; number < SLOW.sockets; number++) one(number);
  return { counts };
}
