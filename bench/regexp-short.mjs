// Benchmarks of SafeRegExp on short strings, as a web service sees them: ten everyday validators, test() and exec(), on
// accepted and rejected strings of at most 64 characters. Part of regexp.mjs.
// The ten are the string formats that validation libraries have built in; each runs on six strings in turn, so that
// no call gets the string of the call before.
import { isolate } from './harness.mjs';
import { patternOf } from './patterns.mjs';
import { asReceived, comparableMatches, enginesOf } from './regexp-engines.mjs';

const VALIDATORS = [
  'e-mail, simple',
  'e-mail, HTML standard',
  'UUID',
  'slug',
  'user name',
  'ISO date',
  'ISO date and time',
  'IPv4',
  'http URL',
  'phone, E.164',
];
const STRINGS = 6;
const LONGEST = 64;

export const cases = [...VALIDATORS.map(testing), ...VALIDATORS.map(executing)];

function testing(name) {
  return {
    group: 'Short strings, test()',
    title: name,
    operations: STRINGS,
    async setup(tools) {
      const { pattern, texts } = inputsOf(name);
      const make = () =>
        isolate((re, strings) => () => {
          let results = 0;
          for (let i = 0; i < strings.length; i++) results = results * 2 + (re.test(strings[i]) ? 1 : 0);
          return results;
        });
      return { contestants: await enginesOf(tools, pattern, make, texts) };
    },
  };
}

function executing(name) {
  return {
    group: 'Short strings, exec()',
    title: name,
    operations: STRINGS,
    async setup(tools) {
      const { pattern, texts } = inputsOf(name);
      const make = () =>
        isolate((re, [a, b, c, d, e, f]) => () => [
          re.exec(a),
          re.exec(b),
          re.exec(c),
          re.exec(d),
          re.exec(e),
          re.exec(f),
        ]);
      return { contestants: await enginesOf(tools, pattern, make, texts), normalize: comparableMatches };
    },
  };
}

// Three accepted and three rejected strings, in turn.
function inputsOf(name) {
  const { pattern, yes, no } = patternOf(name);
  const strings = yes.flatMap((accepted, index) => [accepted, no[index]]);
  if (yes.length !== STRINGS / 2 || no.length !== yes.length) throw new Error(`${name} needs three and three strings`);
  for (const text of strings) if (text.length > LONGEST) throw new Error(`${name} has a string that is not short`);
  return { pattern, texts: strings.map(asReceived) };
}
