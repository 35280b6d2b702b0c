// The entry of `holdfast/nestjs` for `import`. Nest 12 is made of ES modules: they have to be there before CommonJS
// requires them, as Node 20.19.0 takes a module for part of a cycle that is linked and not yet run.

import '@nestjs/common';
import '@nestjs/core';
import nestjs from './index.js';

export const {
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
} = nestjs;

export default nestjs;
