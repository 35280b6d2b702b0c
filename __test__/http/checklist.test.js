'use strict';

/** docs/checklist.md: every line says who does it and how, and what it names of Holdfast exists. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const holdfast = require('../..');
const forExpress = require('../../lib/express/index.js');

const SECTIONS = [
  'Environment',
  'Headers',
  'Authentication',
  'Validation',
  'Dependencies',
  'Monitoring',
  'Runtime',
  'Network',
];
const WHO = ['Holdfast does it', 'Holdfast checks it', 'You'];

const text = fs.readFileSync(path.join(__dirname, '..', '..', 'docs', 'checklist.md'), 'utf8').replaceAll('\r\n', '\n');
const rowsOf = (section) => {
  const [, body] = new RegExp(`^## ${section}\n([^]*?)(?=^## )`, 'm').exec(text);
  return [...body.matchAll(/^\| (.*) \|$/gm)].map(([, row]) => row.split(/ \| /)).slice(2);
};

describe('the production checklist', () => {
  for (const section of SECTIONS) {
    it(`answers every line of ${section}`, () => {
      const rows = rowsOf(section);
      assert.ok(rows.length >= 5, String(rows.length));
      for (const row of rows) {
        assert.equal(row.length, 3, row.join(' | '));
        const [line, who, how] = row;
        assert.ok(line.length > 3 && how.length > 5, line);
        assert.ok(WHO.includes(who), who);
      }
    });
  }

  it('names what exists wherever Holdfast does something', () => {
    const known = new Set([...Object.keys(holdfast), ...Object.keys(forExpress), 'PatternPipe', 'ProblemFilter']);
    let named = 0;
    for (const [line, who, how] of SECTIONS.flatMap(rowsOf)) {
      if (who === 'You') continue;
      const names = [...how.matchAll(/`(\w+)(?=[(`.])/g)].map(([, name]) => name).filter((name) => known.has(name));
      const isAboutThePackage = /no dependencies|it has none|diagnostics_channel|events and problems|linear regular|hasher|keyring|limits:/.test(how);
      assert.ok(names.length > 0 || isAboutThePackage, line);
      named += names.length;
    }
    assert.ok(named > 25, String(named));
  });
});
