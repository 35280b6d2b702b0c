// What users of `holdfast/express` and `holdfast/nestjs` write, and what must not compile. Compiled by types.test.js,
// never run.

import { Body, Controller, Get, Module, Param, UseGuards } from '@nestjs/common';
import { createServer } from 'node:http';
import express from 'express';
import { Keyring, RateLimiter, generateKey } from 'holdfast';
import {
  Problem,
  allowOrigins,
  csrf,
  gracefulShutdown,
  harden,
  hardenServer,
  headers,
  limitBody,
  problemHandler,
  rateLimit,
  requireEnv,
  safeJson,
  safeQuery,
  sealedSession,
  slowDown,
} from 'holdfast/express';
import type { HardenOptions, Middleware, SecurityEvent } from 'holdfast/express';
import {
  HoldfastModule,
  PatternPipe,
  ProblemFilter,
  RateLimit,
  RateLimitGuard,
  SafeJsonPipe,
  SafeQuery,
  rateLimiterToken,
} from 'holdfast/nestjs';
import { z } from 'zod';

const keyring = new Keyring({ primary: 'k1', keys: { k1: generateKey() } });

const options: HardenOptions = {
  keyring,
  limits: { login: { path: '/login', limit: 5, windowMs: 900_000, skipSuccessful: true, slowDown: { after: 2 } } },
  cors: { origins: ['https://app.example'], credentials: true },
  session: { idleMs: 60_000, validate: async (session) => session['user'] !== undefined },
};
const app: express.Express = harden(express(), options);
app.get('/', (req, res) => {
  const page: unknown = req.safe.query['page'];
  req.session['user'] = { id: 1 };
  req.session.regenerate();
  const token: string = req.csrfToken();
  res.json({ page, token, id: req.session.id });
});
app.use(problemHandler({ log: (entry) => console.error(entry.errorId, entry.status) }));

const pieces: Middleware[] = [
  headers({ contentSecurityPolicy: { 'img-src': ['https://images.example'] }, permissionsPolicy: { camera: [] } }),
  allowOrigins({ origins: '*' }),
  limitBody({ maxBytes: (req) => (req.path === '/files' ? 1e8 : 1e6) }),
  rateLimit({ limiter: new RateLimiter({ limit: 1, windowMs: 1 }), name: 'general' }),
  slowDown({ after: 10 }),
  sealedSession({ keyring }),
  safeJson({ limits: { bytes: 1000 }, duplicateKeys: 'error' }),
  safeQuery({ duplicates: 'last', arrays: ['tag'] }),
  csrf({ keyring, trustedOrigins: ['https://app.example'] }),
];
express().use(...pieces).post('/', pieces[0]!, () => {
  throw new Problem(404, 'no such note', { code: 'NO_NOTE', headers: { Allow: 'GET' } });
});

const server = hardenServer(createServer(app), { headersTimeoutMs: 5000 });
const shutdown = gracefulShutdown(server, { timeoutMs: 5000, onClose: async () => {}, signals: ['SIGTERM'] });
void shutdown.close().then(({ finished, cut }) => finished + cut);

const env = requireEnv({ PORT: z.coerce.number(), KEY: z.string() }, { secrets: ['KEY'] });
const port: number = env.PORT;
const whole: { PORT: number } = requireEnv(z.object({ PORT: z.coerce.number() }));
export const event = ({ kind, address }: SecurityEvent): boolean => kind === 'csrf.refused' && address === undefined;

// @ts-expect-error sessions need a key ring
sealedSession({});
// @ts-expect-error an option that does not exist
harden(express(), { helmet: true });
// @ts-expect-error a kind that does not exist
export const wrong: SecurityEvent['kind'] = 'csrf.accepted';
// @ts-expect-error frozen
env.PORT = port + whole.PORT;

@Controller('notes')
@UseGuards(RateLimitGuard)
export class NotesController {
  @Get(':id')
  @RateLimit('read')
  @RateLimit('write', { limit: 5, windowMs: 1000 })
  read(
    @Param('id', PatternPipe.of(/^[a-z0-9]+$/)) id: string,
    @SafeQuery() query: Record<string, unknown>,
    @SafeQuery('page') page: string,
    @Body(new SafeJsonPipe({ limits: { depth: 4 } })) body: unknown,
  ): unknown[] {
    return [id, query, page, body, rateLimiterToken('read'), new ProblemFilter()];
  }
}

@Module({
  imports: [
    HoldfastModule.forRoot({ keyring, limits: { read: { limit: 100 } }, passwords: { maxQueue: 10 } }),
    HoldfastModule.forRootAsync({ imports: [], inject: [], useFactory: async () => ({ csrf: false }) }),
  ],
})
export class AppModule {}
