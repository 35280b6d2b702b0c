// The routes that every application of express.mjs has, so that what differs is what stands before them; and what those
// have in common that are not Holdfast's.

export const USER = 'user-42';

const PROFILE = Object.freeze({
  name: 'Ada Lovelace',
  mail: 'ada@example.org',
  languages: ['en', 'fr', 'it'],
  notes: 17,
  settings: { theme: 'dark', compact: true, zone: 'Europe/London', columns: ['title', 'created', 'tags'] },
  about: 'The engine might compose elaborate pieces of music of any degree of complexity or extent.',
});

/**
 * @param {any} app
 * @param {{ userOf?: (req: any) => string | undefined }} [how]  who asks; default: the one of the session
 */
export function addRoutes(app, { userOf = (req) => req.session.user } = {}) {
  app.post('/echo', (req, res) => {
    res.json(req.body);
  });
  app.post('/limited', (req, res) => {
    res.json(req.body);
  });
  app.get('/me', (req, res) => {
    const user = userOf(req);
    if (user === undefined) return res.status(401).json({ error: 'log in first' });
    res.json({ user, ...PROFILE });
  });
  app.post('/me', (req, res) => {
    if (userOf(req) === undefined) return res.status(401).json({ error: 'log in first' });
    res.json(req.body);
  });
  app.post('/session', (req, res) => {
    if (req.session !== undefined) req.session.user = USER;
    res.json({ csrfToken: req.csrfToken?.() ?? null });
  });
  return app;
}

/** What applications have in place of Express's own answer, which writes a stack to the console each time. */
export function answerErrors(app) {
  // Express counts the parameters.
  app.use((error, req, res, next) => {
    const status = error.status ?? 500;
    res.status(status).json({ error: status < 500 ? error.message : 'internal error' });
  });
  return app;
}

/** Without express-session's warning that its store in memory is not for production, which it is not. */
export function quietly(make) {
  const { warn } = console;
  console.warn = () => {};
  try {
    return make();
  } finally {
    console.warn = warn;
  }
}
