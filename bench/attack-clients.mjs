// The people who use the service while it is attacked: 20 of them, each with an address and a session of their own, two
// requests a second each, whatever has become of the ones before. A time runs from the moment a request was due to the
// end of its answer, so that a service that hangs does not hide what it keeps waiting. What the answer says is compared:
// an account that is an administrator all of a sudden is a failure. Nothing is tried again.
import { performance } from 'node:perf_hooks';
import { Pool } from 'undici';
import { PASSWORD, userName } from './applications/notes.mjs';
import { endWithParent } from './rounds.mjs';

const PEOPLE = 20;
const EVERY_MS = 500;
/** Nobody waits longer. */
const PATIENCE_MS = 5000;

/** In turn; and of twenty requests one is a log-in. */
const DAY = ['notes', 'me', 'write', 'notes', 'notes', 'write', 'me', 'notes', 'write', 'notes'];
const LOGIN_EVERY = 20;

const { port } = JSON.parse(process.argv[2]);
const origin = `http://127.0.0.1:${port}`;
const timers = new Set();
const underWay = new Set();
let results = [];

endWithParent();
for (let index = 0; index < PEOPLE; index++) setTimeout(live, (index * EVERY_MS) / PEOPLE, index);
// What has been answered since the last question; after the last one, when all have been answered.
process.on('message', async ({ isLast }) => {
  if (isLast) {
    for (const timer of timers) clearInterval(timer);
    await Promise.all(underWay);
  }
  process.send({ results }, () => isLast && process.exit(0));
  results = [];
});

function live(index) {
  const name = userName(index);
  const pool = new Pool(origin, { connections: 6, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  const cookies = new Map();
  let turn = index; // so that they do not all log in at once
  let hasLoggedIn = false;
  const next = () => {
    const kind = !hasLoggedIn || turn % LOGIN_EVERY === 0 ? 'login' : DAY[turn % DAY.length];
    if (kind === 'login') hasLoggedIn = true;
    turn++;
    const [due, dueAt] = [performance.now(), Date.now()];
    const patience = AbortSignal.timeout(PATIENCE_MS);
    const asked = askFor(kind)
      .catch((error) => (patience.aborted ? 'no answer in 5 s' : (error.code ?? error.name)))
      .then((failure) => {
        results.push({ kind, dueAt, ms: performance.now() - due, failure });
        underWay.delete(asked);
      });
    underWay.add(asked);

    async function askFor(what) {
      const { message, expected, check } = REQUESTS[what]({ name, turn });
      const options = { ...message, headers: headersFor(message), signal: patience };
      const { statusCode, headers, body } = await pool.request(options);
      const text = await body.text();
      keep(headers['set-cookie']);
      if (statusCode === 401) hasLoggedIn = false;
      if (statusCode !== expected) return `status ${statusCode}`;
      return check(JSON.parse(text)) ? undefined : 'a wrong answer';
    }
  };
  next();
  timers.add(setInterval(next, EVERY_MS));

  // As a browser would, from a page of the service.
  function headersFor({ body }) {
    const headers = { 'x-forwarded-for': `192.0.2.${index + 1}`, 'sec-fetch-site': 'same-origin' };
    if (body !== undefined) Object.assign(headers, { 'content-type': 'application/json', origin });
    if (cookies.size > 0) headers.cookie = Array.from(cookies, (pair) => pair.join('=')).join('; ');
    return headers;
  }

  function keep(header) {
    for (const text of [header ?? []].flat()) {
      const [, key, value] = /^([^=]+)=([^;]*)/.exec(text);
      cookies.set(key, value);
    }
  }
}

/** What each kind asks, which status it expects, and what has to be true of the answer. */
const REQUESTS = {
  login: ({ name }) => ({
    message: { method: 'POST', path: '/login', body: JSON.stringify({ name, password: PASSWORD }) },
    expected: 200,
    check: (answer) => answer.name === name,
  }),
  notes: () => ({
    message: { method: 'GET', path: '/notes' },
    expected: 200,
    check: ({ notes }) => notes.length === 20 && notes.every(({ title }) => title.startsWith('Note ')),
  }),
  write: ({ turn }) => ({
    message: {
      method: 'POST',
      path: '/notes',
      body: JSON.stringify({ title: `Note of turn ${turn}`, text: 'Water the tomatoes before noon. '.repeat(6) }),
    },
    expected: 201,
    check: ({ title }) => title === `Note of turn ${turn}`,
  }),
  me: ({ name }) => ({
    message: { method: 'GET', path: '/me' },
    expected: 200,
    check: (answer) => answer.name === name && answer.admin === false,
  }),
};
