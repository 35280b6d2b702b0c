// The same protections from the packages that guides name, wired as their READMEs say. Where there is a choice, it is
// the cheaper one: a session's cookie is not renewed by requests (`rolling`), and a request without cookies needs no
// token, as with Holdfast. No limit on depth: secure-json-parse has none. hpp stands here as guides have it; on Express 5
// it cannot change `req.query`.
import { randomBytes } from 'node:crypto';
import cookieParser from 'cookie-parser';
import { doubleCsrf } from 'csrf-csrf';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import session from 'express-session';
import helmet from 'helmet';
import hpp from 'hpp';
import sjson from 'secure-json-parse';
import { addRoutes, answerErrors, quietly } from './routes.mjs';

const LIMIT = '10kb';
const DAY_MS = 24 * 3600 * 1000;
const IDLE_MS = 30 * 60 * 1000;
const FEATURES = [
  ...['accelerometer', 'camera', 'display-capture', 'geolocation', 'gyroscope'],
  ...['magnetometer', 'microphone', 'midi', 'payment', 'usb'],
];
const PERMISSIONS = FEATURES.map((feature) => `${feature}=()`).join(', ');

export function makeApp({ limited = false } = {}) {
  const secret = randomBytes(32).toString('hex');
  const limits = { standardHeaders: 'draft-8', legacyHeaders: false };
  const { doubleCsrfProtection } = doubleCsrf({
    getSecret: () => secret,
    getSessionIdentifier: (req) => req.session.id,
    skipCsrfProtection: (req) => req.headers.cookie === undefined,
  });

  const app = express();
  app.use((req, res, next) => {
    res.locals.cspNonce = randomBytes(32).toString('hex');
    next();
  });
  app.use(
    helmet({
      contentSecurityPolicy: {
        directives: { scriptSrc: ["'self'", (req, res) => `'nonce-${res.locals.cspNonce}'`] },
      },
    }),
  );
  app.use((req, res, next) => {
    res.setHeader('Permissions-Policy', PERMISSIONS);
    res.setHeader('Cache-Control', 'no-store');
    next();
  });
  app.use(rateLimit({ ...limits, windowMs: 60_000, limit: 1e9 }));
  app.use(express.text({ type: ['application/json', 'application/*+json'], limit: LIMIT }));
  app.use((req, res, next) => {
    if (typeof req.body === 'string') req.body = sjson.parse(req.body);
    next();
  });
  app.use(express.urlencoded({ extended: false, limit: LIMIT }));
  app.use(hpp());
  app.use(
    quietly(() =>
      session({
        secret,
        resave: false,
        saveUninitialized: false,
        cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto', maxAge: IDLE_MS },
      }),
    ),
  );
  app.use(cookieParser());
  app.use(doubleCsrfProtection);
  if (limited) app.use('/limited', rateLimit({ ...limits, windowMs: DAY_MS, limit: 1 }));
  return answerErrors(addRoutes(app));
}
