// The service that attack.mjs attacks: log-in, notes, and a newsletter that anybody may subscribe to. The routes are the
// same for both applications; `ways` is what they do differently.

export const USERS = 40;
export const userName = (index) => `user-${String(index).padStart(2, '0')}`;
export const PASSWORD = 'correct horse battery staple';

/**
 * The check of e-mail addresses that was copied from answer to answer for twenty years. What follows the last dot can be
 * cut into pieces of two to four in exponentially many ways, all of which a backtracking engine tries.
 */
export const MAIL = /^([a-zA-Z0-9_.-])+@(([a-zA-Z0-9-])+\.)+([a-zA-Z0-9]{2,4})+$/;

const DEFAULTS = Object.freeze({ frequency: 'weekly', topics: Object.freeze({ news: true, releases: false }) });
const NOTES = 20;

/**
 * @typedef {object} Ways
 * @property {(text: string) => boolean} isMail
 * @property {(target: object, source: unknown) => object} merge  may write into its first argument
 * @property {(password: string) => Promise<string>} hash
 * @property {(stored: string, password: string) => Promise<boolean>} verify
 */

/**
 * @param {any} app
 * @param {Ways} ways
 */
export async function addNotes(app, { isMail, merge, hash, verify }) {
  const stored = await hash(PASSWORD);
  const users = new Map();
  for (let index = 0; index < USERS; index++) {
    const notes = Array.from({ length: NOTES }, (_, at) => ({ id: at, title: `Note ${at}`, text: 'Water the garden.' }));
    users.set(userName(index), { name: userName(index), settings: { theme: 'dark' }, notes, next: NOTES });
  }

  app.post('/login', async (req, res) => {
    const { name, password } = req.body ?? {};
    if (typeof name !== 'string' || typeof password !== 'string') return refuse(res, 400);
    if (!users.has(name) || !(await verify(stored, password))) return refuse(res, 401);
    req.session.user = name;
    res.json({ name });
  });

  app.get('/notes', (req, res) => {
    const user = users.get(req.session.user);
    if (user === undefined) return refuse(res, 401);
    res.json({ notes: user.notes });
  });

  app.post('/notes', (req, res) => {
    const user = users.get(req.session.user);
    if (user === undefined) return refuse(res, 401);
    const { title, text } = req.body ?? {};
    if (typeof title !== 'string' || typeof text !== 'string') return refuse(res, 400);
    const note = { id: user.next++, title, text };
    user.notes = [...user.notes.slice(1), note];
    res.status(201).json(note);
  });

  app.get('/me', (req, res) => {
    const user = users.get(req.session.user);
    if (user === undefined) return refuse(res, 401);
    res.json({ name: user.name, admin: user.settings.admin === true });
  });

  app.post('/subscribe', (req, res) => {
    const { mail, options } = req.body ?? {};
    if (typeof mail !== 'string' || !isMail(mail)) return refuse(res, 400);
    const chosen = merge(structuredClone(DEFAULTS), options ?? {});
    res.status(201).json({ mail, frequency: chosen.frequency });
  });
}

function refuse(res, status) {
  res.status(status).json({ error: status === 401 ? 'log in first' : 'the request is not understood' });
}
