'use strict';

// The proving ground in a browser: every attack runs to its end under the policy; by keyboard, on a phone, in the dark,
// for those who listen, and for those who want little motion.

const assert = require('node:assert/strict');
const { after, afterEach, before, describe, test } = require('node:test');
const { launch, missing } = require('../support/chromium.js');
const { CAN_LIST, descendantsOf, eventually } = require('../support/processes.js');
const { startGround } = require('../support/proving-ground.js');

const ATTACKS = ['redos', 'pollution', 'deep-json', 'login-storm', 'token-tampering', 'flood'];
const RUN_MS = 20_000; // much longer than any takes

const NOT_ACCEPTED = /^\d+: (?!.*accepted)/;
const REFUSED = /^\d+: (?!.*(?:accepted|failed)).*refused/;

/** What the table has to say of both sides, whatever the machine. */
const MEASURED = {
  redos: { 'Requests of the attack': [NOT_ACCEPTED, REFUSED] },
  pollution: { 'Visitors taken for administrators': [/^[1-9]\d* of \d+$/, /^0 of [1-9]\d*$/] },
  'deep-json': { 'Requests of the attack': [NOT_ACCEPTED, REFUSED] },
  'login-storm': { '… still waiting in the end': [/^\d+$/, /^\d{1,2}$/] },
  'token-tampering': { 'Forged sessions accepted': [/^[1-9]\d* of \d+$/, /^0 of \d+$/] },
  flood: { 'Memory kept, for each name that was tried': [/^\d{3,} bytes$/, /^\d+ bytes$/] },
};

describe('the proving ground', { skip: missing }, () => {
  let ground;
  let browser;
  const contexts = [];

  before(async () => {
    ground = await startGround(undefined, { isHardened: true });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await ground?.close();
  });
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
    await eventually('no process of a run is left', () => !CAN_LIST
      || !descendantsOf(process.pid).some(({ command }) => command.includes('proving-ground/')));
  });

  /**
   * A page that collects what goes wrong in it.
   * @param {string} [hash]
   * @param {object} [options] of the context
   */
  async function open(hash = '', options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    contexts.push(context);
    const page = await context.newPage();
    const wrong = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') wrong.push(message.text());
    });
    page.on('pageerror', (error) => wrong.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith(ground.origin)) wrong.push(`asked for ${request.url()}`);
    });
    await page.exposeFunction('reportViolation', (text) => wrong.push(text));
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile }) => {
        window.reportViolation(`${violatedDirective} ${blockedURI} ${sourceFile}`);
      });
    });
    await page.goto(`${ground.url}${hash}`);
    await page.locator('.option').nth(5).waitFor();
    return { page, wrong, context };
  }

  async function runToEnd(page) {
    await page.locator('#start').click();
    await page.locator('#table').waitFor({ timeout: RUN_MS });
    await page.locator('#stop').waitFor({ state: 'hidden' });
  }

  const status = (page) => page.locator('#status').textContent();

  test('loads under the policy and says what it is', async () => {
    const { page, wrong } = await open();
    assert.equal(await page.title(), 'Proving ground · Holdfast');
    assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Proving ground');
    assert.equal(await page.getByRole('radio').count(), ATTACKS.length);
    assert.match(await status(page), /^Takes about \d+ seconds/);
    assert.equal(await page.locator('#verdict').textContent(), 'Not measured yet.');
    assert.deepEqual(wrong, []);
    assert.deepEqual(ground.violations, []);
  });

  test('a violation would be noticed', async () => {
    const { page, wrong } = await open();
    await page.evaluate(() => document.body.setAttribute('style', 'color: red'));
    await eventually('the violation is reported', () => wrong.length >= 2 && ground.violations.length >= 1);
    ground.violations.length = 0;
  });

  for (const id of ATTACKS) {
    test(`${id} runs to its end on both sides`, async () => {
      const { page, wrong } = await open(`#${id}`);
      assert.equal(await page.getByRole('radio', { checked: true }).getAttribute('value'), id);
      await runToEnd(page);
      const sentence = await page.locator('#verdict').textContent();
      assert.match(sentence, /\d.*; .*\d.*\.$/);
      assert.match(await status(page), /^Done/);
      const rows = Object.fromEntries(await page.locator('#rows tr').evaluateAll((found) => found.map((row) => {
        const [label, ...values] = [...row.children].map((cell) => cell.textContent);
        return [label, values];
      })));
      assert.ok(Object.keys(rows).length >= 11);
      for (const [label, values] of Object.entries(rows)) {
        assert.ok(values.length === 2 && values.every(Boolean), label);
      }
      for (const [label, patterns] of Object.entries(MEASURED[id])) {
        patterns.forEach((pattern, side) => assert.match(rows[label][side], pattern, label));
      }
      for (const chart of await page.locator('figure:not([hidden])').all()) {
        assert.equal(await chart.locator('.line').count(), 2);
        assert.equal(await chart.locator('svg .name').count(), 2);
        const readings = await chart.locator('dd').allTextContents();
        for (const reading of readings) assert.match(reading, /^\d[\d.]*(?:\u00a0(?:ms|s|MB))?$/);
        const label = await chart.getByRole('img').getAttribute('aria-label');
        assert.match(label, /^[^.]+\. Highest: Ordinary \d.*, Holdfast \d.*\.$/);
      }
      assert.deepEqual(wrong, []);
      assert.deepEqual(ground.violations, []);
    });
  }

  test('an attack can be run again, and what is known of one stays while another is looked at', async () => {
    const { page, wrong } = await open('#token-tampering');
    await runToEnd(page);
    const sentence = await page.locator('#verdict').textContent();
    await page.getByRole('radio', { name: 'Flood' }).check();
    assert.equal(await page.locator('#verdict').textContent(), 'Not measured yet.');
    assert.equal(await page.locator('.line').count(), 0);
    await page.getByRole('radio', { name: 'Token tampering' }).check();
    assert.equal(await page.locator('#verdict').textContent(), sentence);
    assert.match(await status(page), /^Done/);
    await page.locator('#start').click();
    await page.locator('#stop').waitFor();
    await page.locator('#table').waitFor({ state: 'hidden' });
    await page.locator('#table').waitFor({ timeout: RUN_MS });
    assert.match(await status(page), /^Done/);
    assert.deepEqual(wrong, []);
  });

  test('with the keyboard only', async () => {
    const { page, wrong } = await open();
    const focused = () => page.evaluate(() => document.activeElement.id);
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'attack-redos');
    await page.keyboard.press('ArrowDown');
    assert.equal(await focused(), 'attack-pollution');
    assert.equal(await page.locator('#name').textContent(), 'Prototype pollution');
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, 'none');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'start');
    await page.keyboard.press('Enter');
    await page.locator('#stop').waitFor();
    assert.equal(await focused(), 'start');
    assert.equal(await page.locator('#start').getAttribute('aria-disabled'), 'true');
    // Pressed again it neither stops the run nor begins another.
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'stop');
    await page.locator('.line.ordinary').first().waitFor();
    await page.keyboard.press('Space');
    await page.locator('#stop').waitFor({ state: 'hidden' });
    assert.equal(await status(page), 'Stopped, and with it the servers of the run.');
    assert.equal(await focused(), 'start');
    // Enter in a form begins as well, and Escape stops wherever the focus is.
    await page.keyboard.press('Shift+Tab');
    assert.equal(await focused(), 'attack-pollution');
    await page.keyboard.press('Enter');
    await page.locator('#stop').waitFor();
    assert.equal(await focused(), 'start');
    await page.keyboard.press('Escape');
    await page.locator('#stop').waitFor({ state: 'hidden' });
    await page.keyboard.press('Space');
    await page.locator('#table').waitFor({ timeout: RUN_MS });
    // The code can be scrolled.
    for (const next of ['ordinary', 'holdfast']) {
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-labelledby')), `${next}-title`);
    }
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.ok(await page.locator('.method ul').isVisible());
    assert.deepEqual(wrong, []);
  });

  test('two pages: the second one is told to wait, and goes on when the first one is closed', async () => {
    const first = await open('#login-storm');
    const second = await open('#flood');
    await first.page.locator('#start').click();
    await first.page.locator('.line.ordinary').first().waitFor();
    await second.page.locator('#start').click();
    const isTold = async () => /^Another attack is under way/.test(await status(second.page));
    await eventually('the second page is told to wait', isTold);
    assert.equal(await second.page.locator('#start').getAttribute('aria-disabled'), 'false');
    assert.equal(await second.page.locator('#table').isVisible(), false);
    await first.page.close();
    await eventually('the second page can run', async () => {
      await second.page.locator('#start').click();
      await second.page.waitForTimeout(300);
      return second.page.locator('#stop').isVisible();
    });
    await second.page.locator('#table').waitFor({ timeout: RUN_MS });
    assert.deepEqual(first.wrong, []);
    // A refusal is a failed request, which browsers report by themselves.
    assert.deepEqual(second.wrong.filter((text) => !/status of 409/.test(text)), []);
  });

  test('says that the server is gone', async () => {
    const { page } = await open();
    await page.route('**/runs/*', (route) => route.abort());
    await page.locator('#start').click();
    await eventually('it says so', async () => /^The connection to the server is lost/.test(await status(page)));
    assert.equal(await page.locator('#start').getAttribute('aria-disabled'), 'false');
  });

  for (const width of [320, 360, 768, 1024, 1280]) {
    test(`nothing is wider than a screen of ${width} pixels`, async () => {
      const isPhone = width < 500;
      const { page } = await open('', { viewport: { width, height: 740 }, hasTouch: isPhone, isMobile: isPhone });
      const isNarrow = async (when) => {
        const widest = await page.evaluate(() => document.scrollingElement.scrollWidth);
        assert.ok(widest <= width, `${when}: ${widest} pixels`);
      };
      for (const radio of await page.getByRole('radio').all()) {
        await radio.check();
        await isNarrow(await radio.getAttribute('value'));
      }
      await page.locator('summary').click();
      if (width === 360) {
        await page.getByRole('radio', { name: 'Log-in storm' }).check();
        await runToEnd(page);
      }
      await isNarrow('with everything open');
      if (!isPhone) return;
      for (const target of await page.locator('button:visible, .option, summary').all()) {
        const { height } = await target.boundingBox();
        assert.ok(height >= 44, `${await target.textContent()}: ${height} pixels high`);
      }
      for (const label of await page.locator('svg:visible text').all()) {
        const { x, width: wide } = await label.boundingBox();
        assert.ok(x >= 0 && x + wide <= width + 1, `${await label.textContent()} is cut off`);
      }
    });
  }

  test('light and dark, all text has a contrast of 4.5; the sides differ in more than colour', async () => {
    const { page } = await open('#pollution');
    const backgrounds = new Set();
    const check = async (when, least) => {
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        backgrounds.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
        const found = await page.evaluate(contrasts);
        assert.ok(found.length > least, `${found.length} texts ${when}`);
        for (const { text, ratio, colours } of found) assert.ok(ratio >= 4.5, `${when}: ${text}: ${ratio}, ${colours}`);
      }
    };
    await page.locator('summary').click();
    await check('before a run', 60);
    await page.locator('#start').click();
    await page.locator('.line.ordinary').first().waitFor();
    await check('in a run', 60);
    await page.locator('#table').waitFor({ timeout: RUN_MS });
    await check('after a run', 100);
    assert.equal(backgrounds.size, 2);

    for (const forcedColors of ['none', 'active']) {
      await page.emulateMedia({ forcedColors });
      const chart = page.locator('figure svg').first();
      const dashes = (line) => getComputedStyle(line).strokeDasharray;
      assert.notEqual(await chart.locator('.line.ordinary').evaluate(dashes), 'none');
      assert.equal(await chart.locator('.line.holdfast').evaluate(dashes), 'none');
      assert.equal(await chart.locator('.mark.ordinary').evaluate((mark) => mark.tagName), 'circle');
      assert.equal(await chart.locator('.mark.holdfast').evaluate((mark) => mark.tagName), 'rect');
      assert.deepEqual(await chart.locator('.name').allTextContents(), ['Ordinary', 'Holdfast']);
    }
  });

  test('for those who listen: names, a table with headers, and a live region that is not hurried', async () => {
    const { page } = await open('#pollution');
    for (const name of ['ReDoS', 'Prototype pollution', 'Deep JSON', 'Log-in storm', 'Token tampering', 'Flood']) {
      assert.equal(await page.getByRole('radio', { name, exact: true }).count(), 1, name);
    }
    await page.getByRole('group', { name: 'Attack' }).waitFor();
    await page.getByRole('button', { name: 'Run the attack' }).waitFor();
    await page.getByRole('region', { name: 'The ordinary way' }).waitFor();
    await page.getByRole('region', { name: 'With Holdfast', exact: true }).waitFor();
    assert.equal(await page.getByRole('status').count(), 2);
    const levels = await page.locator('h1, h2, h3').evaluateAll((all) => all.map(({ tagName }) => Number(tagName[1])));
    levels.forEach((level, index) => assert.ok(index === 0 ? level === 1 : level <= levels[index - 1] + 1));
    const ids = await page.locator('[id]').evaluateAll((all) => all.map(({ id }) => id));
    assert.equal(new Set(ids).size, ids.length);
    await page.evaluate(() => {
      window.said = [];
      new MutationObserver(() => window.said.push([performance.now(), document.getElementById('status').textContent]))
        .observe(document.getElementById('status'), { childList: true });
    });
    await runToEnd(page);
    const said = (await page.evaluate(() => window.said)).map(([, text]) => text);
    assert.deepEqual([...new Set(said.map((text) => text.split(/[ ,:]/)[0]))].slice(0, 1), ['Starting']);
    assert.ok(said.length <= 6, said.join('\n'));
    await page.getByRole('table', { name: 'What was measured' }).waitFor();
    await page.getByRole('columnheader', { name: 'Ordinary' }).waitFor();
    await page.getByRole('rowheader', { name: 'Visitors taken for administrators' }).waitFor();
    for (const image of await page.getByRole('img').all()) {
      assert.ok((await image.getAttribute('aria-label')).length > 20);
    }
  });

  test('figures are said in words while a run goes on', async () => {
    const { page } = await open();
    const words = (tick) => page.evaluate(async (given) => {
      const { tickInWords } = await import('/proving-ground/page/words.js');
      return tickInWords(given, { calmMs: 1000, attackMs: 5000, afterMs: 1000 }, given.counted);
    }, tick);
    const tick = { side: 'ordinary', at: 2100, delayMs: 1300, waitMs: 1, rss: 6.2e7, state: 'standing', count: 3 };
    const other = { side: 'holdfast', state: 'running', at: 500, waitMs: null, counted: 'Forged sessions accepted' };
    assert.equal(await words(tick), 'Ordinary server, under attack, second 3 of 7: the event loop has stood still for '
      + '1.3 seconds, slowest visitor 1 millisecond, 62 megabytes of memory.');
    assert.equal(await words({ ...tick, ...other }), 'Holdfast’s server, before the attack, second 1 of 7: event loop '
      + 'late by 1.3 seconds, no visitor was answered, 62 megabytes of memory, forged sessions accepted: 3.');
    assert.equal(await words({ ...tick, state: 'dead', at: 6500 }),
      'Ordinary server, after the attack, second 7 of 7: the process has died.');
  });

  test('with reduced motion it draws about once a second', async () => {
    const drawings = async (reducedMotion) => {
      const { page } = await open('#token-tampering', { reducedMotion });
      await page.evaluate(() => {
        window.drawings = 0;
        new MutationObserver(() => window.drawings++)
          .observe(document.querySelector('#charts figure:last-child svg'), { childList: true });
      });
      await runToEnd(page);
      return page.evaluate(() => window.drawings);
    };
    const [usual, reduced] = [await drawings('no-preference'), await drawings('reduce')];
    assert.ok(usual >= 2 * reduced, `${usual} and ${reduced} drawings`);
  });

  test('without scripts it says why there is nothing', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    contexts.push(context);
    const page = await context.newPage();
    await page.goto(ground.url);
    assert.match(await page.locator('body').innerText(), /needs JavaScript/);
  });
});

/** In the page: the contrast (WCAG 2.2) of every text with what is behind it. */
function contrasts() {
  const parse = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = ([red, green, blue]) => [red, green, blue].reduce((sum, value, index) => {
    const part = value / 255;
    return sum + [0.2126, 0.7152, 0.0722][index] * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  }, 0);
  const behind = (node) => {
    for (let at = node; at !== null; at = at.parentElement) {
      const [red, green, blue, alpha = 1] = parse(getComputedStyle(at).backgroundColor);
      if (alpha === 1) return [red, green, blue];
    }
    return [255, 255, 255];
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { parentElement: node, textContent } = texts.currentNode;
    if (textContent.trim() === '' || !node.checkVisibility() || node.closest('script, noscript')) continue;
    const style = getComputedStyle(node);
    const colour = parse(node instanceof SVGElement ? style.fill : style.color);
    // What is written into a chart may lie on the band of the attack.
    const grounds = [behind(node)];
    const band = node.closest('svg')?.querySelector('.band');
    if (band) grounds.push(parse(getComputedStyle(band).fill));
    for (const ground of grounds) {
      const [high, low] = [luminance(colour), luminance(ground)].sort((a, b) => b - a);
      const ratio = (high + 0.05) / (low + 0.05);
      found.push({ text: textContent.trim().slice(0, 30), ratio, colours: [colour, ground].join(' on ') });
    }
  }
  return found;
}
