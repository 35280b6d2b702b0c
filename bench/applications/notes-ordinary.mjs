// The service of notes.mjs as tutorials have it: a Map that counts requests, a body of some megabytes, the session of
// express-session's README, bcrypt, a merge of ten lines, RegExp; and the time-outs that node:http has.
import bcrypt from 'bcrypt';
import express from 'express';
import session from 'express-session';
import { addNotes, MAIL } from './notes.mjs';
import { answerErrors, quietly } from './routes.mjs';

const COST = 10;
const WINDOW_MS = 60_000;
const LIMIT = 600;

export async function makeApp() {
  const app = express();
  app.set('trust proxy', 'loopback');
  app.use(countRequests());
  app.use(express.json({ limit: '10mb' }));
  app.use(quietly(() => session({ secret: 'keyboard cat', resave: false, saveUninitialized: true })));
  await addNotes(app, {
    isMail: (text) => MAIL.test(text),
    merge,
    hash: (password) => bcrypt.hash(password, COST),
    verify: (stored, password) => bcrypt.compare(password, stored),
  });
  return answerErrors(app);
}

function countRequests() {
  const hits = new Map();
  return (req, res, next) => {
    const now = Date.now();
    const recent = (hits.get(req.ip) ?? []).filter((time) => now - time < WINDOW_MS);
    recent.push(now);
    hits.set(req.ip, recent);
    if (recent.length > LIMIT) return res.status(429).json({ error: 'too many requests' });
    next();
  };
}

function merge(target, source) {
  for (const key in source) {
    if (typeof source[key] === 'object' && source[key] !== null) {
      if (!target[key]) target[key] = {};
      merge(target[key], source[key]);
    } else {
      target[key] = source[key];
    }
  }
  return target;
}
