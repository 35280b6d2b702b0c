// The service of notes.mjs behind harden() and hardenServer(), with Holdfast's pattern, merge and passwords.
import express from 'express';
import { requireStaged } from '../stage.mjs';
import { addNotes, MAIL } from './notes.mjs';

const { createMerge, generateKey, Keyring, PasswordHasher, SafeRegExp } = requireStaged();
const { harden, hardenServer } = requireStaged('/express');

const QUARTER_MS = 15 * 60 * 1000;

export async function makeApp() {
  const app = express();
  app.set('trust proxy', 'loopback');
  harden(app, {
    keyring: new Keyring({ primary: 'bench', keys: { bench: generateKey() } }),
    limits: { login: { path: '/login', limit: 10, windowMs: QUARTER_MS, skipSuccessful: true } },
    problems: { log() {} },
  });
  const mail = new SafeRegExp(MAIL);
  const merge = createMerge();
  const hasher = new PasswordHasher();
  await addNotes(app, {
    isMail: (text) => mail.test(text),
    merge,
    hash: (password) => hasher.hash(password),
    verify: async (stored, password) => (await hasher.verify(stored, password)).valid,
  });
  return app;
}

export function prepareServer(server) {
  hardenServer(server);
}
