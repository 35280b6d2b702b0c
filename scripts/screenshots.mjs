// Makes docs/images/proving-ground-*.png: real runs in Chromium, at the full length. `node scripts/screenshots.mjs [name]`.
// On a machine that does something else at the same time the figures show that, and the run is made again.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { root } from './addon.mjs';
import { withPalette } from './png.mjs';

const require = createRequire(import.meta.url);
const { launch, missing } = require('../__test__/support/chromium.js');
const { startGround } = require('../__test__/support/proving-ground.js');

const DIRECTORY = path.join(root, 'docs/images');
const MOST_BYTES = 200_000;
const MOST_ATTEMPTS = 8; // while something else keeps the machine busy
const desktop = { width: 1280, height: 1180 };

const PICTURES = [
  { name: 'light', attack: 'redos', viewport: desktop, colorScheme: 'light', deviceScaleFactor: 1.5 },
  { name: 'dark', attack: 'login-storm', viewport: desktop, colorScheme: 'dark', deviceScaleFactor: 1.5 },
  { name: 'phone', attack: 'pollution', viewport: { width: 360, height: 740 }, colorScheme: 'light', deviceScaleFactor: 2 },
];

if (missing) throw new Error(missing);
fs.mkdirSync(DIRECTORY, { recursive: true });
const ground = await startGround({}, { isHardened: true });
const browser = await launch();
try {
  for (const picture of PICTURES) {
    if (process.argv.length > 2 && !process.argv.includes(picture.name)) continue;
    const { name, attack, ...options } = picture;
    const page = await browser.newPage(options);
    await page.goto(`${ground.url}#${attack}`);
    let attempts = 0;
    do {
      await page.locator('#start').click();
      await page.locator('#stop').waitFor();
      await page.locator('#stop').waitFor({ state: 'hidden', timeout: 60_000 });
    } while (/Something else/.test(await page.locator('#status').textContent()) && ++attempts < MOST_ATTEMPTS);
    await page.mouse.move(0, 0);
    // On a phone the charts are what fits.
    if (name === 'phone') await page.evaluate(() => document.querySelector('#run').scrollIntoView());
    else await page.evaluate(() => scrollTo(0, 0));
    const file = path.join(DIRECTORY, `proving-ground-${name}.png`);
    fs.writeFileSync(file, withPalette(await page.screenshot()));
    const { size } = fs.statSync(file);
    console.log(`${path.relative(root, file)}: ${Math.round(size / 1000)} kB. ${await page.locator('#verdict').textContent()}`);
    if (size > MOST_BYTES) throw new Error('that is more than a picture in the documentation should have');
    await page.close();
  }
} finally {
  await browser.close();
  await ground.close();
}
