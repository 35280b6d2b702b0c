// @ts-check
'use strict';

/** The entry of `holdfast/express`. What stands in lib/http/ knows no framework; harden.js knows Express. */

const { allowOrigins } = require('../http/cors.js');
const { csrf } = require('../http/csrf.js');
const { gracefulShutdown } = require('../http/graceful-shutdown.js');
const { hardenServer } = require('../http/harden-server.js');
const { headers } = require('../http/headers.js');
const { limitBody } = require('../http/limit-body.js');
const { Problem, problemHandler } = require('../http/problem.js');
const { rateLimit } = require('../http/rate-limit.js');
const { requireEnv } = require('../http/require-env.js');
const { safeJson } = require('../http/safe-json.js');
const { safeQuery } = require('../http/safe-query.js');
const { sealedSession } = require('../http/sealed-session.js');
const { slowDown } = require('../http/slow-down.js');
const { harden } = require('./harden.js');

module.exports = {
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
};
