// Benchmarks of SafeRegExp on lookarounds and benign input: what they are used for where they are used. Part of
// regexp.mjs. Against V8's RegExp; node-re2 takes no lookarounds. The patterns are those of many validators and
// formatters: password rules, thousands separators, amounts after a currency sign, words that end in no word
// character, identifiers cut at their capitals.
import { randomFrom, textOf } from './generate.mjs';
import { patternOf } from './patterns.mjs';
import { inTurn } from './regexp-engines.mjs';

const PASSWORD = /^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[^\w\s]).{8,64}$/;
const THOUSANDS = /\B(?=(\d{3})+(?!\d))/g;
const AMOUNT = /(?<=\$)\d+(?:\.\d\d)?/;
const TECHNOLOGY = /(?<!\w)(?:C\+\+|C#|\.NET|Node\.js)(?!\w)/;

const ACCEPTED = [
  'Passw0rd!',
  'Tr0ub4dor&3',
  'correct Horse 7 battery staple',
  'x7#Qm2vLp9$zRt4w',
  'Ünlü-Şifre 2026',
  'aB3$'.repeat(16),
];
const REJECTED = [
  'password',
  'Passw0rd',
  'short1!',
  'correct horse battery staple',
  'x7#qm2vlp9$zrt4w',
  'aB3$'.repeat(16) + 'x',
];
const AMOUNTS = ['$7', '$950', '$1249', '$1249500', '€ 48210.50', '1234567 kr'];
const IDENTIFIERS = ['userName', 'createdAtTimestamp', 'id', 'maxRetryCount', 'parseHTTPResponse', 'XMLHttpRequest'];
const HOSTS = [
  'www.example.org',
  'localhost',
  'mail-01.internal.example.co.uk',
  '-a.example',
  'a-.example',
  'under_score.org',
];

const testAll = (re, texts) => {
  let results = 0;
  for (let i = 0; i < texts.length; i++) results = results * 2 + (re.test(texts[i]) ? 1 : 0);
  return results;
};
const replaceAll = (re, texts, by) => {
  let length = 0;
  for (let i = 0; i < texts.length; i++) length += texts[i].replace(re, by).length;
  return length;
};
const splitAll = (re, texts) => {
  let parts = 0;
  for (let i = 0; i < texts.length; i++) parts += texts[i].split(re).length;
  return parts;
};
const test = (re, text) => re.test(text);
const sumOfMatches = (re, text) => {
  let sum = 0;
  for (const match of text.matchAll(re)) sum = (sum + match[0].length + match.index) | 0;
  return sum;
};
const replace = (re, text, by) => {
  const replaced = text.replace(re, by);
  return replaced.charCodeAt(replaced.length >> 1) === 0 ? null : replaced;
};

export const cases = [
  strings('password rules, accepted', PASSWORD, testAll, ACCEPTED),
  strings('password rules, rejected', PASSWORD, testAll, REJECTED),
  strings('host name, accepted and rejected', patternOf('host name').pattern, testAll, HOSTS),
  strings('group the digits of an amount', THOUSANDS, replaceAll, AMOUNTS, ','),
  strings('split an identifier before its capitals', /(?=[A-Z])/, splitAll, IDENTIFIERS),
  strings('identifier into kebab case', /(?<=[a-z])(?=[A-Z])/g, replaceAll, IDENTIFIERS, '-'),
  text('group the digits of a table of numbers', THOUSANDS, replace, table, ','),
  text('amounts in a text, matchAll', globally(AMOUNT), sumOfMatches, bill),
  text('amounts in a text, replace', globally(AMOUNT), replace, bill, '…'),
  text('an amount in a text without one, test', AMOUNT, test, (length) => textOf('prose', length)),
  text('words with signs, matchAll', globally(TECHNOLOGY), sumOfMatches, advertisement),
  text('words with signs, none there, test', TECHNOLOGY, test, (length) => textOf('prose', length)),
];

// One operation on each of six short strings in turn; the figure is for one of them.
function strings(title, pattern, operation, inputs, argument) {
  return lookaround(`${title}; strings of ${range(inputs)} characters`, pattern, operation, () => inputs, argument, {
    operations: inputs.length,
  });
}

function text(title, pattern, operation, generated, argument) {
  const length = 10_000;
  const characters = length.toLocaleString('en-US');
  return lookaround(`${title}; ${characters} characters`, pattern, operation, () => generated(length), argument, {
    rounds: 21,
  });
}

function lookaround(title, pattern, operation, input, argument, settings) {
  return {
    group: 'Lookarounds',
    title,
    ...settings,
    async setup(tools) {
      const engines = await inTurn({ ...tools, peer: async () => null }, pattern, operation, input(), argument);
      const contestants = { holdfast: engines.holdfast, 'V8 RegExp': engines['V8 RegExp'] };
      return { contestants, excluded: { re2: 'it takes no lookarounds' } };
    },
  };
}

function globally(pattern) {
  return new RegExp(pattern, `${pattern.flags}g`);
}

function range(inputs) {
  const lengths = inputs.map((input) => input.length);
  return `${Math.min(...lengths)} to ${Math.max(...lengths)}`;
}

// Rows of five columns of whole numbers, one to nine digits each.
function table(length) {
  const random = randomFrom(length);
  let rows = '';
  while (rows.length < length) {
    const columns = Array.from({ length: 5 }, () => String(Math.floor(10 ** (random() * 9))).padStart(12));
    rows += `${columns.join('')}\n`;
  }
  return rows.slice(0, length);
}

// Prose with an amount at the end of every line.
function bill(length) {
  const random = randomFrom(length);
  return withLineEnds(length, () => ` The bill was $${Math.floor(random() * 900)}.${10 + Math.floor(random() * 89)}.`);
}

function advertisement(length) {
  const random = randomFrom(length);
  const words = ['C++', 'C#', '.NET', 'Node.js', 'Node.jsx', 'ASP.NET'];
  return withLineEnds(length, () => ` We use ${words[Math.floor(random() * words.length)]} here.`);
}

function withLineEnds(length, end) {
  const lines = textOf('prose', length).split('\n');
  const ended = lines.map((line) => line + end()).join('\n');
  return ended.slice(0, length);
}
