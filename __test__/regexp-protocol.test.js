'use strict';

/**
 * The observable steps of the language: what SafeRegExp reads, writes and calls, in which order, is what a subclass of
 * RegExp that changes nothing does in the Node that runs. No proxies: accessors, objects with `valueOf`, frozen
 * objects.
 */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const vm = require('node:vm');
const { inspect, types } = require('node:util');
const { SafeRegExp } = require('..');

class Plain extends RegExp {}

const FLAG_NAMES = ['hasIndices', 'global', 'ignoreCase', 'multiline', 'dotAll', 'unicode', 'unicodeSets', 'sticky'];
const TEXT = 'b_ab-abb, Ab \u00e9 \u4e2d';
const PATTERNS = [
  ['(a)(b)?', ''],
  ['(a)(b)?', 'g'],
  ['(?<x>b)|_', 'y'],
  ['(?<x>b)|_', 'gy'],
  ['', 'gu'],
  ['b*', 'g'],
  ['nothing', 'g'],
  ['nothing', 'y'],
  ['a(b)', 'dgi'],
  ['\\u{4e2d}', 'gu'],
];

/** Every operation; `text` converts to TEXT, `log` notes what is called. */
const OPERATIONS = {
  exec: (re, text) => re.exec(text),
  test: (re, text) => re.test(text),
  toString: (re) => re.toString(),
  flags: (re) => re.flags,
  match: (re, text) => re[Symbol.match](text),
  matchAll: (re, text) => [...re[Symbol.matchAll](text)],
  search: (re, text) => re[Symbol.search](text),
  replace: (re, text, log) => re[Symbol.replace](text, converting('<$&$1$<x>$$>', 'replacement', log)),
  'replace by a function': (re, text, log) =>
    re[Symbol.replace](text, (...args) => {
      log.push(`call ${inspect(args)}`);
      return converting('!', 'returned', log);
    }),
  split: (re, text) => re[Symbol.split](text),
  'split with a limit': (re, text, log) => re[Symbol.split](text, converting(3, 'limit', log)),
  'split in none': (re, text) => re[Symbol.split](text, 0),
  'split an empty text': (re) => re[Symbol.split](''),
  'String match': (re, text) => String(text).match(re),
  'String matchAll': (re, text) => [...String(text).matchAll(re)],
  'String replace': (re, text) => String(text).replace(re, '[$1]'),
  'String replaceAll': (re, text) => String(text).replaceAll(re, '[$1]'),
  'String search': (re, text) => String(text).search(re),
  'String split': (re, text) => String(text).split(re, 4),
};

/** An object that becomes `value`, and says so. */
function converting(value, name, log) {
  return {
    toString() {
      log.push(`${name}.toString`);
      return String(value);
    },
    valueOf() {
      log.push(`${name}.valueOf`);
      return value;
    },
  };
}

/** What `operation` returns or throws, what it leaves in lastIndex, and what happened on the way. */
function observe(operation, re, log, text = converting(TEXT, 'text', log)) {
  let outcome;
  try {
    outcome = inspect(operation(re, text, log), { depth: 6 }).replace(/\b(?:Safe|Plain)RegExp\b|\bPlain\b/g, 'Class');
  } catch (error) {
    outcome = `${error.name}: ${error.message.replace(/SafeRegExp|Plain/g, 'Class')}`;
  }
  return { outcome, lastIndex: inspect(re.lastIndex), log: [...log] };
}

/**
 * Runs every operation on a RegExp that `make` builds from each class, and compares. `make` gets the class, the
 * pattern, the flags, and the log.
 */
function compareAll(make, { patterns = PATTERNS, operations = Object.keys(OPERATIONS) } = {}) {
  let compared = 0;
  for (const [source, flags] of patterns) {
    for (const name of operations) {
      const [theirs, ours] = [Plain, SafeRegExp].map((Base) => {
        const log = [];
        const re = make(Base, source, flags, log);
        log.length = 0;
        const seen = observe(OPERATIONS[name], re, log);
        make.restore?.();
        return seen;
      });
      assert.deepEqual(ours, theirs, `${name} of /${source}/${flags}`);
      compared++;
    }
  }
  assert.ok(compared > 0);
}

/** Accessors on `target` that note each read and give what was there. */
function trace(target, names, log, valueOf = (value) => value) {
  for (const name of names) {
    let holder = target;
    while (holder !== null && !Object.hasOwn(holder, name)) holder = Object.getPrototypeOf(holder);
    const { get, value } = Object.getOwnPropertyDescriptor(holder, name);
    Object.defineProperty(target, name, {
      configurable: true,
      get() {
        log.push(String(name));
        return valueOf(get === undefined ? value : Reflect.apply(get, this, []), name);
      },
      set: undefined,
    });
  }
}

describe('SafeRegExp takes the steps of a subclass that changes nothing', () => {
  it('as it is', () => {
    compareAll((Base, source, flags) => new Base(source, flags));
  });

  it('whatever lastIndex is', () => {
    for (const lastIndex of [1, 3, 14, 15, 99, -1, 0.5, -0, NaN, Infinity, '2', null, undefined, true]) {
      compareAll((Base, source, flags) => Object.assign(new Base(source, flags), { lastIndex }));
    }
    for (const lastIndex of [1n, Symbol('1')]) {
      compareAll((Base, source, flags) => Object.assign(new Base(source, flags), { lastIndex }));
    }
    compareAll((Base, source, flags, log) =>
      Object.assign(new Base(source, flags), { lastIndex: converting(2, 'lastIndex', log) }),
    );
  });

  it('when it is frozen', () => {
    compareAll((Base, source, flags) => Object.freeze(new Base(source, flags)));
    compareAll((Base, source, flags) => Object.freeze(Object.assign(new Base(source, flags), { lastIndex: 3 })));
  });

  it('when properties of the object itself are watched', () => {
    for (const name of ['flags', ...FLAG_NAMES, 'exec', 'constructor', Symbol.match, Symbol.matchAll, 'source']) {
      compareAll((Base, source, flags, log) => {
        const re = new Base(source, flags);
        trace(re, [name], log);
        return re;
      });
    }
  });

  it('when a subclass watches them', () => {
    compareAll((Base, source, flags, log) => {
      class Watching extends Base {}
      trace(Watching.prototype, ['flags', ...FLAG_NAMES, 'exec', 'constructor', 'source'], log);
      return new Watching(source, flags);
    });
  });

  it("when RegExp's own accessors are watched", () => {
    const original = Object.getOwnPropertyDescriptors(RegExp.prototype);
    // Without `flags`, whose own reads of the others show then.
    for (const watched of [['flags', ...FLAG_NAMES], FLAG_NAMES]) {
      const names = watched.filter((name) => name in original);
      const make = (Base, source, flags, log) => {
        const re = new Base(source, flags);
        for (const name of names) {
          const { get } = original[name];
          Object.defineProperty(RegExp.prototype, name, {
            ...original[name],
            get() {
              log.push(name);
              return Reflect.apply(get, this, []);
            },
          });
        }
        return re;
      };
      make.restore = () => names.forEach((name) => Object.defineProperty(RegExp.prototype, name, original[name]));
      // SafeRegExp's constructor reads what it needs through the accessors it saved at first.
      compareAll(make);
    }
  });

  it('when all flags of the object itself are watched', () => {
    compareAll((Base, source, flags, log) => {
      const re = new Base(source, flags);
      trace(re, FLAG_NAMES, log);
      return re;
    });
  });

  it('when a subclass has an exec of its own', () => {
    const results = [
      (re, text) => Object.getPrototypeOf(re.constructor.prototype).exec.call(re, text),
      () => null,
      (re) => {
        if (re.count === undefined) re.count = 0;
        return re.count++ < 2 ? { 0: 'ab', index: 2, length: 1, groups: undefined } : null;
      },
      () => 5,
      () => undefined,
    ];
    for (const result of results) {
      compareAll(
        (Base, source, flags, log) => {
          class Own extends Base {
            exec(text) {
              log.push(`exec ${typeof text}`);
              if (log.length > 100) throw new Error('for ever');
              return result(this, text);
            }
          }
          return new Own(source, flags);
        },
      );
    }
  });

  it('when an object has an exec of its own, or none that can be called', () => {
    compareAll((Base, source, flags, log) => {
      const re = new Base(source, flags);
      const { exec } = re;
      re.exec = function (text) {
        log.push('exec');
        return Reflect.apply(exec, this, [text]);
      };
      return re;
    });
    for (const exec of [undefined, null, 5]) {
      compareAll((Base, source, flags) => Object.assign(new Base(source, flags), { exec }), {
        operations: Object.keys(OPERATIONS).filter((name) => name !== 'exec'),
      });
    }
  });

  it('when flags are not what the pattern was made with', () => {
    for (const [name, value] of [
      ['flags', ''],
      ['flags', 'g'],
      ['flags', 'gy'],
      ['global', true],
      ['global', false],
      ['unicode', true],
      ['sticky', true],
    ]) {
      for (const lie of [value, converting(value, name, [])]) {
        compareAll(
          (Base, source, flags) => Object.defineProperty(new Base(source, flags), name, { value: lie }),
          // Without `g` a global loop would find the same match for ever.
          { patterns: PATTERNS.filter(([, flags]) => /[gy]/.test(flags)) },
        );
      }
    }
  });

  it('when constructor and species are others', () => {
    class Other extends Plain {}
    for (const constructor of [undefined, Object, 5, null, { [Symbol.species]: null }, { [Symbol.species]: Other }]) {
      compareAll((Base, source, flags) => Object.assign(new Base(source, flags), { constructor }), {
        operations: ['matchAll', 'split', 'split with a limit', 'String split', 'String matchAll'],
      });
    }
  });

  it('when a function given to replace uses the RegExp itself', () => {
    for (const [source, flags] of PATTERNS) {
      const [theirs, ours] = [Plain, SafeRegExp].map((Base) => {
        const re = new Base(source, flags);
        const seen = [];
        const replaced = TEXT.replace(re, (...args) => {
          re.lastIndex = 1;
          seen.push(args, re.exec('xaab'), 'bab'.replace(re, '[$&]'), re.lastIndex);
          return 'r';
        });
        return { replaced, seen, lastIndex: re.lastIndex };
      });
      assert.deepEqual(ours, theirs, `/${source}/${flags}`);
    }
  });

  it('when converting the text or lastIndex changes the RegExp', () => {
    for (const operation of ['exec', 'test', 'match', 'search', 'split']) {
      const [theirs, ours] = [Plain, SafeRegExp].map((Base) => {
        const re = new Base('a', 'g');
        const text = { toString: () => (re.compile('b', 'y'), 'ba') };
        return observe(OPERATIONS[operation], re, [], text);
      });
      assert.deepEqual(ours, theirs, operation);
    }
    const [theirs, ours] = [Plain, SafeRegExp].map((Base) => {
      const re = new Base('a', 'g');
      re.lastIndex = { valueOf: () => (re.compile('(b)'), 1) };
      return observe(OPERATIONS.exec, re, []);
    });
    assert.deepEqual(ours, theirs);
  });
});

describe('SafeRegExp as a class', () => {
  it('has methods with the names, lengths and attributes of those of RegExp', () => {
    const names = ['exec', 'test', 'compile', Symbol.match, Symbol.replace, Symbol.search, Symbol.split];
    for (const name of names) {
      const [own, inherited] = [SafeRegExp, RegExp].map(({ prototype }) =>
        Object.getOwnPropertyDescriptor(prototype, name),
      );
      assert.deepEqual({ ...own, value: 0 }, { ...inherited, value: 0 }, String(name));
      assert.equal(own.value.name, inherited.value.name);
      assert.equal(own.value.length, inherited.value.length);
      assert.throws(() => new own.value(''), TypeError);
    }
    assert.equal(SafeRegExp.name, 'SafeRegExp');
    assert.equal(SafeRegExp.length, RegExp.length);
    assert.equal(SafeRegExp[Symbol.species], SafeRegExp);
    assert.equal(Object.getPrototypeOf(SafeRegExp), RegExp);
    assert.deepEqual(Reflect.ownKeys(new SafeRegExp('a')), ['lastIndex']);
  });

  it('has methods for foreign receivers as far as the language has them', () => {
    const operations = {
      test: (Base, receiver) => Base.prototype.test.call(receiver, 'a'),
      match: (Base, receiver) => Base.prototype[Symbol.match].call(receiver, 'a'),
      matchAll: (Base, receiver) => [...Base.prototype[Symbol.matchAll].call(receiver, 'a')],
      replace: (Base, receiver) => Base.prototype[Symbol.replace].call(receiver, 'a', 'b'),
      search: (Base, receiver) => Base.prototype[Symbol.search].call(receiver, 'a'),
      split: (Base, receiver) => Base.prototype[Symbol.split].call(receiver, 'a'),
      toString: (Base, receiver) => Base.prototype.toString.call(receiver),
    };
    const receivers = [
      () => ({}),
      () => /a/g,
      () => ({ exec: () => null, flags: '' }),
      () => ({ exec: () => ({ index: 0, 0: 'a', length: 1 }), flags: '', lastIndex: 1, source: 's' }),
      () => 5,
      () => undefined,
      () => null,
      () => Plain.prototype,
      () => RegExp.prototype,
      () => function exec() {},
    ];
    for (const [name, operation] of Object.entries(operations)) {
      for (const receiver of receivers) {
        const [theirs, ours] = [Plain, SafeRegExp].map((Base) => {
          try {
            return inspect(operation(Base, receiver()));
          } catch (error) {
            return `${error.name}: ${error.message}`;
          } finally {
            // Searching in it has set one.
            delete RegExp.prototype.lastIndex;
            delete Plain.prototype.lastIndex;
          }
        });
        assert.equal(ours, theirs, `${name} on ${String(receiver)}`);
      }
    }
  });

  it('whose exec, engine and bytes methods refuse what is no SafeRegExp, before the text is read', () => {
    const text = {
      toString() {
        throw new Error('not to be read');
      },
    };
    for (const receiver of [{}, /a/, new Plain('a'), SafeRegExp.prototype, undefined]) {
      assert.throws(() => SafeRegExp.prototype.exec.call(receiver, text), TypeError);
      assert.throws(() => SafeRegExp.prototype.testBytes.call(receiver, Buffer.from('a')), TypeError);
      assert.throws(() => SafeRegExp.prototype.execBytes.call(receiver, Buffer.from('a')), TypeError);
      assert.throws(() => Reflect.get(SafeRegExp.prototype, 'engine', receiver ?? {}), TypeError);
    }
  });

  it('is taken by RegExp, by SafeRegExp and by another realm as a pattern', () => {
    const safe = new SafeRegExp('(a)', 'gi');
    assert.ok(!(RegExp(safe) instanceof SafeRegExp)); // its constructor is not RegExp, so it is copied
    assert.equal(RegExp(safe).constructor, RegExp);
    assert.equal(String(new RegExp(safe, 'y')), '/(a)/y');
    assert.equal(String(new SafeRegExp(safe)), '/(a)/gi');
    assert.equal(String(new SafeRegExp(safe, 'm')), '/(a)/m');
    assert.equal(String(new SafeRegExp({ [Symbol.match]: true, source: 'b', flags: 's' })), '/b/s');
    assert.deepEqual(vm.runInNewContext('[..."xAa".matchAll(re)].length', { re: safe }), 2);
    assert.equal(vm.runInNewContext('"xAa".replace(re, "<$1>")', { re: safe }), 'x<A><a>');
    assert.equal(types.isRegExp(safe), true);
    assert.throws(() => SafeRegExp('a'), TypeError);
  });

  it('is printed and cloned as a subclass is', () => {
    const [theirs, ours] = [new Plain('a', 'g'), new SafeRegExp('a', 'g')];
    assert.equal(inspect(ours), inspect(theirs).replace('Plain', 'SafeRegExp'));
    assert.equal(String(ours), String(theirs));
    assert.deepEqual(structuredClone(ours), structuredClone(theirs));
    assert.equal(JSON.stringify(ours), '{}');
  });

  it('runs natively in a subclass, and in what split and matchAll make of one', () => {
    const made = [];
    class Counting extends SafeRegExp {
      constructor(...args) {
        super(...args);
        made.push(args[1]);
      }
    }
    assert.deepEqual('a,b,c'.split(new Counting(',')), ['a', 'b', 'c']);
    assert.deepEqual([...'abab'.matchAll(new Counting('b', 'g'))].map(({ index }) => index), [1, 3]);
    assert.deepEqual(made, [undefined, 'y', 'g', 'g']);
    // V8 would take longer than anyone waits.
    assert.equal(new Counting('^(a+)+$').test(`${'a'.repeat(50_000)}b`), false);
    assert.equal(`${'a'.repeat(50_000)}b`.replace(new Counting('(?:a+)+$', 'g'), '').length, 50_001);
  });
});

describe('SafeRegExp fetches matches ahead', () => {
  it('and still sees every change of lastIndex and text', () => {
    const texts = ['ab,cd;ef gh-ij', 'ab,cd;ef gh-ij'.repeat(40), '\u4e2db,cd;ef \ud83d\ude00h-ij'.repeat(40), 'xy'];
    for (const [source, flags] of [
      ['(\\w)(\\w)?', 'g'],
      ['\\w|[^]', 'gy'],
      ['\\w*', 'g'],
      ['(?:)', 'gu'],
      ['b', 'g'],
    ]) {
      const [theirs, ours] = [new RegExp(source, flags), new SafeRegExp(source, flags)];
      let seed = 7;
      const random = (below) => (seed = (seed * 48_271) % 2_147_483_647) % below;
      let text = texts[0];
      for (let step = 0; step < 2000; step++) {
        if (random(9) === 0) theirs.lastIndex = ours.lastIndex = random(text.length + 2);
        if (random(40) === 0) text = texts[random(texts.length)];
        if (random(60) === 0) for (const re of [theirs, ours]) re.compile(source, flags);
        if (random(60) === 0) theirs.lastIndex = ours.lastIndex = 0;
        if (random(7) === 0) assert.equal(ours.test(text), theirs.test(text));
        const [expected, actual] = [theirs.exec(text), ours.exec(text)];
        assert.deepEqual(actual, expected, `/${source}/${flags}, step ${step}`);
        assert.equal(ours.lastIndex, theirs.lastIndex);
        if (expected?.[0] === '' && random(2) === 0) theirs.lastIndex = ++ours.lastIndex;
      }
    }
  });
});
