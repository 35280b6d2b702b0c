// Benchmarks of SafeRegExp, in one run: short strings, long text and lookarounds (regexp-*.mjs), and here the cost of a
// call, captures, encodings, texts of middle length, and hostile input that makes a backtracking matcher explode. Also
// counts, on the list in patterns.mjs, which patterns are refused. Against the engines of regexp-engines.mjs.
import { isolate } from './harness.mjs';
import { PATTERNS, patternOf } from './patterns.mjs';
import { asReceived, comparableMatches, enginesOf, inTurn, twins } from './regexp-engines.mjs';
import { cases as longText } from './regexp-long.mjs';
import { cases as lookarounds } from './regexp-lookaround.mjs';
import { cases as shortStrings } from './regexp-short.mjs';

const EMAIL_31 = 'firstname.lastname@examples.org';

const EXTRACTORS = ['phone, North America', 'semantic version', 'access log line', 'bearer token', 'named date parts'];

export const cases = [
  freshEmail(),
  email(),
  ...shortStrings,
  ...EXTRACTORS.map(extractor),
  ...['ASCII', 'Latin-1', 'two-byte'].flatMap((kind) => [
    search(kind, 'a date at the end', /\d{4}-\d{2}-\d{2}/),
    search(kind, 'one of three words, absent', /(?:token|secret|passwd)=/i),
  ]),
  ...[1000, 10_000].flatMap((length) => [
    protocol('replace runs of white space', length, /\s+/g, (re, text) => text.replace(re, ' ')),
    protocol('count the letters of words with matchAll', length, /[a-z]+/g, (re, text) => {
      let count = 0;
      for (const match of text.matchAll(re)) count += match[0].length;
      return count;
    }),
    protocol('split at commas', length, /,\s*/, (re, text) => text.split(re)),
  ]),
  ...lookarounds,
  ...longText,
  ...hostile(/^(a+)+$/, 'a', '!', [24, 1000, 10_000, 100_000], { v8UpTo: 24 }),
  ...hostile(/^(\w+\s?)*$/, 'a', '!', [24, 1000, 10_000, 100_000], { v8UpTo: 24 }),
  ...hostile(/\s+$/, ' ', 'x', [1000, 10_000, 100_000], { v8UpTo: 10_000 }),
  refusals(),
];

// The cost of a call and of the match, nothing else. node-re2 keeps its copy of the last string it was given and knows
// that string again, so the same one every time flatters it. Here, and in every case but the next, no call gets the
// string object of the call before.
function freshEmail() {
  const { pattern } = patternOf('e-mail, simple');
  const texts = [EMAIL_31, EMAIL_31.replace('firstname', 'givenname'), EMAIL_31.replace('lastname', 'nickname')];
  return {
    group: 'test() on strings of 31 characters',
    title: 'e-mail, simple; three strings in turn',
    headline: 'test an e-mail address of 31 characters',
    operations: texts.length,
    async setup(tools) {
      const make = () => isolate((re, [a, b, c]) => () => [re.test(a), re.test(b), re.test(c)]);
      return { contestants: await enginesOf(tools, pattern, make, texts.map(asReceived)) };
    },
  };
}

function email() {
  const { pattern } = patternOf('e-mail, simple');
  return {
    group: 'test() on strings of 31 characters',
    title: 'e-mail, simple; the same string every time',
    headline: 'the same, the same string every time',
    note: 'node-re2 keeps its copy of the last string it was given, so the same string every time flatters it.',
    async setup(tools) {
      const make = () => isolate((re, text) => () => re.test(text));
      return { contestants: await enginesOf(tools, pattern, make, asReceived(EMAIL_31)) };
    },
  };
}

function extractor(name) {
  const { pattern, yes } = patternOf(name);
  return {
    group: 'exec() with captures',
    title: name,
    operations: 2,
    headline: name === 'access log line' ? 'take an access log line apart with exec()' : undefined,
    async setup(tools) {
      const make = () => isolate((re, [a, b]) => () => [re.exec(a), re.exec(b)]);
      return { contestants: await enginesOf(tools, pattern, make, twins(yes[0])), normalize: comparableMatches };
    },
  };
}

function search(kind, title, pattern) {
  const text = encoded(kind, 10_000) + ' 2026-11-21';
  return {
    group: 'exec() in 10,000 characters of text',
    title: `${title}, ${kind}`,
    operations: 2,
    async setup(tools) {
      const make = () => isolate((re, [a, b]) => () => [re.exec(a), re.exec(b)]);
      return { contestants: await enginesOf(tools, pattern, make, twins(text)), normalize: comparableMatches };
    },
  };
}

function protocol(title, length, pattern, operation) {
  const text = encoded('ASCII', length);
  return {
    group: 'replace, matchAll and split',
    title: `${title}, ${length.toLocaleString('en-US')} characters`,
    headline:
      title.startsWith('replace') && length === 10_000 ? 'replace runs of white space in 10,000 characters' : undefined,
    async setup(tools) {
      return { contestants: await inTurn(tools, pattern, operation, text) };
    },
  };
}

function hostile(pattern, pump, suffix, lengths, { v8UpTo }) {
  return lengths.map((length) => ({
    group: 'test() on hostile input',
    title: `\`${pattern}\`, ${length.toLocaleString('en-US')} characters`,
    headline:
      length === lengths[lengths.length - 2]
        ? `test \`${pattern}\` on ${length.toLocaleString('en-US')} hostile characters`
        : undefined,
    rounds: 7,
    operations: 2,
    async setup(tools) {
      const text = pump.repeat(length - suffix.length) + suffix;
      const make = () => isolate((re, [a, b]) => () => [re.test(a), re.test(b)]);
      const { 'empty subclass': _, 'V8 RegExp': v8, ...linear } = await enginesOf(tools, pattern, make, twins(text));
      if (length <= v8UpTo) return { contestants: { ...linear, 'V8 RegExp': v8 } };
      return {
        contestants: linear,
        excluded: { 'V8 RegExp': 'it backtracks, and the time would be out of all proportion' },
      };
    },
  }));
}

// Which everyday patterns are refused. The others must also agree with V8 on the inputs of the list.
function refusals() {
  return {
    group: 'Everyday patterns that are refused',
    title: `Refused, of ${PATTERNS.length}`,
    async measure({ holdfast: { SafeRegExp } }) {
      const rows = [];
      for (const { name, pattern, yes, no } of PATTERNS) {
        const refusal = refusalOf(SafeRegExp, pattern);
        if (refusal) {
          rows.push([name, `\`${pattern}\``, refusal]);
          continue;
        }
        const safe = new SafeRegExp(pattern);
        for (const text of [...yes, ...no]) {
          pattern.lastIndex = safe.lastIndex = 0;
          if (safe.test(text) !== pattern.test(text)) throw new Error(`${name}: SafeRegExp and RegExp disagree`);
        }
      }
      const note =
        `${rows.length} of the ${PATTERNS.length} patterns in bench/patterns.mjs are refused; ` +
        'the others agree with RegExp on their samples.';
      return { columns: ['pattern', 'source', 'error'], rows, note };
    },
  };
}

function refusalOf(SafeRegExp, pattern) {
  try {
    new SafeRegExp(pattern);
    return null;
  } catch (error) {
    if (!/^ERR_REGEXP_/.test(error.code)) throw error;
    return error.code;
  }
}

// Prose without digits or equals signs; the first word decides how V8 stores the string and how it crosses over.
function encoded(kind, length) {
  const first = { ASCII: 'report', 'Latin-1': 'résumé', 'two-byte': '報告' }[kind];
  const words = 'the server answered late, so the client asked again, and the queue grew'.split(' ');
  let text = first;
  for (let i = 0; text.length < length; i++) text += (i % 11 === 10 ? '\n' : ' ') + words[i % words.length];
  return text.slice(0, length);
}
