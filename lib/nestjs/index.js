// @ts-check
'use strict';

/** The entry of `holdfast/nestjs`. */

const { gracefulShutdown } = require('../http/graceful-shutdown.js');
const { hardenServer } = require('../http/harden-server.js');
const { Problem } = require('../http/problem.js');
const { requireEnv } = require('../http/require-env.js');
const { HoldfastModule } = require('./module.js');
const { PatternPipe } = require('./pattern-pipe.js');
const { ProblemFilter } = require('./problem-filter.js');
const { RateLimit } = require('./rate-limits.js');
const { RateLimitGuard } = require('./rate-limit-guard.js');
const { SafeJsonPipe } = require('./safe-json-pipe.js');
const { SafeQuery } = require('./safe-query.js');
const { rateLimiterToken } = require('./tokens.js');

module.exports = {
  HoldfastModule,
  PatternPipe,
  Problem,
  ProblemFilter,
  RateLimit,
  RateLimitGuard,
  SafeJsonPipe,
  SafeQuery,
  gracefulShutdown,
  hardenServer,
  rateLimiterToken,
  requireEnv,
};
