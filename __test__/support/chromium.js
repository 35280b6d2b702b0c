'use strict';

/**
 * Chromium as the system has it: playwright-core brings no browser. Where there is none, tests are skipped and say so;
 * in CI (`CI=true`) that is a failure.
 */

const fs = require('node:fs');
const { chromium } = require('playwright-core');

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const executablePath = PLACES.find((place) => fs.existsSync(place));
const missing = executablePath === undefined ? `no Chromium: none of ${PLACES.join(', ')} is there` : false;
if (missing) {
  if (process.env.CI === 'true') throw new Error(missing);
  console.log(`# skipped, ${missing}`);
}

function launch() {
  // The sandbox refuses to run as root, which containers do.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath, args });
}

module.exports = { launch, missing };
