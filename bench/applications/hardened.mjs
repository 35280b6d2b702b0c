// Express behind harden(), with every default but the number of requests that an address may make.
import express from 'express';
import { requireStaged } from '../stage.mjs';
import { addRoutes } from './routes.mjs';

const DAY_MS = 24 * 3600 * 1000;

export function makeApp({ limited = false } = {}) {
  const { generateKey, Keyring } = requireStaged();
  const { harden } = requireStaged('/express');
  const app = express();
  harden(app, {
    keyring: new Keyring({ primary: 'bench', keys: { bench: generateKey() } }),
    rateLimit: { limit: 1e9 },
    ...(limited && { limits: { few: { path: '/limited', limit: 1, windowMs: DAY_MS } } }),
  });
  return addRoutes(app);
}
