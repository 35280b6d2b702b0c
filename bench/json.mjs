// Benchmarks of parseJson: small bodies to a megabyte, as a string and as the Buffer an HTTP server holds.
// Peers do not check the same things: JSON.parse and destr let a `__proto__` key through or drop it, bourne looks at
// `__proto__` only, secure-json-parse at `__proto__` and `constructor.prototype`, parseJson also at UTF-8 and depth.
import { jsonOf } from './generate.mjs';

const SIZES = [
  ['134 B', 134],
  ['1 KB', 1024],
  ['14 KB', 14 * 1024],
  ['143 KB', 143 * 1024],
  ['1 MB', 1024 * 1024],
];

export const cases = [
  ...SIZES.map(([title, bytes]) => fromString(title, jsonOf(Number(bytes)))),
  fromString('14 KB, names in many scripts', jsonOf(14 * 1024, { names: 'international' })),
  ...SIZES.map(([title, bytes]) => fromBuffer(title, jsonOf(Number(bytes)))),
  fromBuffer('14 KB, names in many scripts', jsonOf(14 * 1024, { names: 'international' })),
  ...SIZES.map(([title, bytes]) => strictly(title, jsonOf(Number(bytes)))),
  ...SIZES.slice(2).map(([title, bytes]) => scanning(title, jsonOf(Number(bytes)))),
  refusal('14 KB with a `__proto__` key at the end', jsonOf(14 * 1024).replace(/}$/, ',"__proto__":{"admin":true}}')),
];

// A string that came through a decoder, as in a server, not the rope or the constant that V8 happens to hold.
function fromString(title, json) {
  return {
    group: 'Parse a string',
    title,
    headline: title === '1 KB' ? 'parse 1 KB of JSON, a string' : undefined,
    async setup({ holdfast: { parseJson }, peer }) {
      const text = Buffer.from(json).toString();
      const secure = await peer('secure-json-parse');
      const bourne = await peer('@hapi/bourne');
      const destr = await peer('destr');
      return {
        contestants: {
          holdfast: () => parseJson(text),
          'JSON.parse': () => JSON.parse(text),
          'secure-json-parse': secure && (() => secure.parse(text)),
          '@hapi/bourne': bourne && (() => bourne.parse(text)),
          destr: destr && (() => destr.safeDestr(text)),
        },
      };
    },
  };
}

function fromBuffer(title, json) {
  return {
    group: 'Parse a Buffer',
    title,
    headline: title === '14 KB' ? 'parse 14 KB of JSON, a Buffer' : undefined,
    note: 'JSON.parse, bourne and destr take no bytes: they get `buffer.toString()`.',
    async setup({ holdfast: { parseJson }, peer }) {
      const buffer = Buffer.from(json);
      const secure = await peer('secure-json-parse');
      const bourne = await peer('@hapi/bourne');
      const destr = await peer('destr');
      return {
        contestants: {
          holdfast: () => parseJson(buffer),
          'JSON.parse': () => JSON.parse(buffer.toString()),
          'secure-json-parse': secure && (() => secure.parse(buffer)),
          '@hapi/bourne': bourne && (() => bourne.parse(buffer.toString())),
          destr: destr && (() => destr.safeDestr(buffer.toString())),
        },
      };
    },
  };
}

/** Everything that is off by default, and every limit. */
const EVERY_CHECK = {
  duplicateKeys: 'error',
  numbers: 'error',
  operatorKeys: 'error',
  forbiddenKeys: ['password'],
  limits: { bytes: 1 << 24, depth: 64, keys: 1e6, keyLength: 256, stringLength: 1e5, arrayLength: 1e5 },
};

function strictly(title, json) {
  return {
    group: 'Parse a Buffer with every check there is',
    title,
    note: 'The peers have no such checks: they do what they always do.',
    async setup({ holdfast: { JsonGuard }, peer }) {
      const buffer = Buffer.from(json);
      const guard = new JsonGuard(EVERY_CHECK);
      const secure = await peer('secure-json-parse');
      return {
        contestants: {
          holdfast: () => guard.parse(buffer),
          'JSON.parse': () => JSON.parse(buffer.toString()),
          'secure-json-parse': secure && (() => secure.parse(buffer)),
        },
      };
    },
  };
}

function scanning(title, json) {
  return {
    group: 'Only look at a Buffer, with every check there is',
    title,
    note: 'scanJson says whether the bytes are clean JSON and builds nothing; JSON.parse is there for comparison, and builds.',
    async setup({ holdfast: { JsonGuard } }) {
      const buffer = Buffer.from(json);
      const guard = new JsonGuard(EVERY_CHECK);
      return {
        contestants: {
          holdfast: () => guard.scan(buffer),
          'JSON.parse': () => JSON.parse(buffer.toString()),
        },
        check({ holdfast }) {
          if (holdfast.length !== 0) throw new Error('there is nothing to find in this document');
        },
      };
    },
  };
}

function refusal(title, json) {
  return {
    group: 'Refuse a poisoned string',
    title,
    async setup({ holdfast: { parseJson }, peer }) {
      const text = Buffer.from(json).toString();
      const secure = await peer('secure-json-parse');
      const bourne = await peer('@hapi/bourne');
      const refusing = (parse) => () => {
        try {
          parse(text);
        } catch {
          return 'refused';
        }
        return 'accepted';
      };
      return {
        contestants: {
          holdfast: refusing(parseJson),
          'secure-json-parse': secure && refusing(secure.parse),
          '@hapi/bourne': bourne && refusing(bourne.parse),
        },
        excluded: { 'JSON.parse': 'accepts the key', destr: 'drops the key without an error' },
        check(outputs) {
          for (const [name, output] of Object.entries(outputs)) {
            if (output !== 'refused') throw new Error(`${name} accepted the document`);
          }
        },
      };
    },
  };
}
