'use strict';

/**
 * Random regular expressions over the whole grammar that the running V8 knows, Annex B included, and the texts to try
 * them on: samples of what the pattern describes, damaged, and noise. A pattern is a tree, so that samples can be drawn
 * from it and the work that a backtracking engine may have with it can be estimated before V8 is asked.
 *
 * Nodes: { kind: 'atom', text, samples }, { kind: 'sequence' | 'alternation', parts },
 * { kind: 'group', open, body, look }, { kind: 'repeat', body, least, most, text }.
 */

const atoms = require('./pattern-atoms.js');

const HAS_MODIFIERS = accepts('(?i:a)');
const HAS_DUPLICATE_NAMES = accepts('(?<a>b)|(?<a>c)');

const MODIFIERS = ['(?i:', '(?-i:', '(?s:', '(?m:', '(?-s:', '(?-m:', '(?i-s:', '(?ms-i:', '(?s-:', '(?im:'];

/** Steps that V8 may take for one match of one text, by the estimate. */
const STEPS = 1_000_000;
const LENGTHS = [320, 40, 30, 24, 18, 14, 11, 8, 6, 4, 2];

class PatternGenerator {
  #groups = 0;
  #names = [];
  #hasReference = false;

  /**
   * @param {import('./random.js').Random} random
   * @param {{ references?: boolean }} [how] `references`: every pattern has a back-reference; else none has
   */
  constructor(random, { references = false } = {}) {
    this.random = random;
    this.references = references;
  }

  /** A pattern, perhaps not a valid one: V8 decides. */
  pattern() {
    for (;;) {
      const { random } = this;
      this.flags = this.#flags();
      this.isUnicode = /[uv]/.test(this.flags);
      this.#groups = 0;
      this.#names = [];
      this.#hasReference = false;
      const tree = this.#disjunction(random.pick([1, 2, 2, 3, 3, 4]));
      if (this.references && !this.#hasReference) continue;
      const source = print(tree);
      return { source, flags: this.flags, tree, names: this.#names, longest: longestText(tree) };
    }
  }

  #flags() {
    const { random } = this;
    const some = [...'dgimsy'].filter((flag) => random.below(flag === 'i' || flag === 'g' ? 2 : 4) === 0);
    return [...some, random.pick(['', '', 'u', 'u', 'v'])].join('');
  }

  #disjunction(depth) {
    const { random } = this;
    const branches = random.below(4) === 0 ? 2 + random.below(3) : 1;
    if (branches === 1) return this.#alternative(depth);
    return { kind: 'alternation', parts: Array.from({ length: branches }, () => this.#alternative(depth)) };
  }

  #alternative(depth) {
    const { random } = this;
    const length = random.pick([0, 1, 1, 1, 2, 2, 3, 4]);
    return { kind: 'sequence', parts: Array.from({ length }, () => this.#term(depth)) };
  }

  #term(depth) {
    const { random } = this;
    const choice = random.below(24);
    if (choice < 2) return atom(random.pick(['^', '$', '\\b', '\\B']), ['']);
    if (choice < 4 && depth > 0) return this.#look(depth);
    const body = this.#atom(depth);
    return random.below(5) < 2 ? this.#repeat(body) : body;
  }

  #look(depth) {
    const { random } = this;
    const open = random.pick(['(?=', '(?!', '(?<=', '(?<!']);
    const look = { kind: 'group', open, body: this.#disjunction(depth - 1), look: true };
    const isQuantifiable = !this.isUnicode && !open.includes('<');
    return isQuantifiable && random.below(3) === 0 ? this.#repeat(look) : look;
  }

  #repeat(body) {
    const { random } = this;
    const [text, least, most] = random.pick([
      ['*', 0, Infinity],
      ['*', 0, Infinity],
      ['+', 1, Infinity],
      ['+', 1, Infinity],
      ['?', 0, 1],
      ['?', 0, 1],
      ['{2}', 2, 2],
      ['{1}', 1, 1],
      ['{0}', 0, 0],
      ['{0,}', 0, Infinity],
      ['{1,}', 1, Infinity],
      ['{2,}', 2, Infinity],
      ['{0,1}', 0, 1],
      ['{0,2}', 0, 2],
      ['{1,3}', 1, 3],
      ['{2,4}', 2, 4],
      ['{0,0}', 0, 0],
      ['{03,3}', 3, 3],
      random.below(4) === 0 ? ['{0,12}', 0, 12] : ['{3}', 3, 3],
    ]);
    return { kind: 'repeat', body, least, most, text: text + (random.below(3) === 0 ? '?' : '') };
  }

  #atom(depth) {
    const { random } = this;
    const choice = random.below(20);
    if (choice < 6 && depth > 0) return this.#group(depth);
    if (choice < 7) return atom('.', atoms.ANY);
    if (choice < 10) return this.#class();
    if (choice < 12) return atom(...random.pick(atoms.SETS));
    if (choice < 14) return this.#escape();
    if (this.references && this.#groups > 0 && choice < 17) return this.#reference();
    return this.#character();
  }

  #group(depth) {
    const { random } = this;
    const choice = random.below(7);
    if (choice < 3) this.#groups++;
    if (choice < 2) return { kind: 'group', open: '(', body: this.#disjunction(depth - 1) };
    if (choice === 2) {
      const open = this.#name();
      return { kind: 'group', open, body: this.#disjunction(depth - 1) };
    }
    if (choice === 3 && HAS_MODIFIERS) {
      return { kind: 'group', open: random.pick(MODIFIERS), body: this.#disjunction(depth - 1) };
    }
    if (choice === 4 && HAS_DUPLICATE_NAMES && random.below(2) === 0) return this.#sameNameTwice(depth);
    return { kind: 'group', open: '(?:', body: this.#disjunction(depth - 1) };
  }

  #name() {
    const { random } = this;
    let [text, name] = random.pick(atoms.GROUP_NAMES);
    if (this.#names.includes(name) && random.below(8) > 0) {
      text = name = `n${this.#names.length}`;
    }
    this.#names.push(name);
    return `(?<${text}>`;
  }

  #sameNameTwice(depth) {
    const open = this.#name();
    const branch = () => {
      this.#groups++;
      return { kind: 'sequence', parts: [{ kind: 'group', open, body: this.#disjunction(depth - 1) }] };
    };
    return { kind: 'group', open: '(?:', body: { kind: 'alternation', parts: [branch(), branch()] } };
  }

  #reference() {
    this.#hasReference = true;
    const named = this.#names.length > 0 && this.random.below(2) === 0;
    const to = named ? `k<${this.random.pick(this.#names)}>` : `${1 + this.random.below(this.#groups)}`;
    // A digit that follows would be read as part of the number.
    return { kind: 'group', open: '(?:', body: atom(`\\${to}`, ['', 'a', 'b']) };
  }

  #escape() {
    const { random } = this;
    if (this.isUnicode) {
      const choice = random.below(4);
      if (choice === 0) return atom(...random.pick(atoms.UNICODE_ESCAPES));
      if (choice === 1) return this.#property(this.flags.includes('v'));
    } else if (random.below(2) === 0) {
      if (random.below(12) === 0 && this.#groups === 0 && !this.references) {
        return atom('\\1', ['\x01']); // octal, unless a group follows somewhere: then `hasReference` tells
      }
      return atom(...random.pick(atoms.LEGACY));
    }
    return atom(...random.pick(atoms.ESCAPES));
  }

  #property(strings) {
    const { random } = this;
    if (strings && random.below(3) === 0) {
      const [name, samples] = random.pick(atoms.STRING_PROPERTIES);
      return atom(`\\p{${name}}`, samples);
    }
    const [name, samples] = random.pick(atoms.PROPERTIES);
    return atom(`\\${random.pick(['p', 'p', 'P'])}{${name}}`, samples);
  }

  #character() {
    const { random } = this;
    const choice = random.below(16);
    if (choice === 0) return plain(random.pick(atoms.OTHERS));
    if (choice === 1) return plain(random.pick(atoms.HALVES));
    if (choice === 2) return plain(random.pick(atoms.TERMINATORS));
    if (choice < 6) return this.#folded();
    if (choice === 6) return plain('/');
    return plain(random.pick(atoms.LETTERS));
  }

  #folded() {
    const family = this.random.pick(atoms.FOLDINGS);
    return atom(this.random.pick(family), family);
  }

  #class() {
    const { random } = this;
    const choice = random.below(20);
    if (choice === 0) return atom('[^]', atoms.ANY);
    if (choice === 1) return atom('[]', ['']);
    if (this.flags.includes('v')) return this.#set(random.below(3));
    const items = Array.from({ length: 1 + random.below(4) }, () => this.#classItem());
    const text = items.map((item) => item.text).join('');
    if (random.below(3) === 0) return atom(`[^${text}]`, atoms.NOISE);
    return atom(`[${text}]`, items.flatMap((item) => item.samples));
  }

  #classItem() {
    const { random } = this;
    const choice = random.below(14);
    if (choice < 3) return atom(...random.pick(atoms.CLASS_ITEMS));
    if (choice < 5) return atom(...random.pick(atoms.SETS));
    if (choice < 6) return atom(...random.pick(atoms.CLASS_PUNCTUATION));
    if (choice < 8) return this.#folded();
    if (choice < 9) return atom(...random.pick(atoms.ESCAPES));
    if (choice < 12) {
      if (!this.isUnicode) return atom(...random.pick(atoms.LEGACY_CLASS_ITEMS));
      return random.below(2) === 0 ? this.#property(false) : atom(...random.pick(atoms.UNICODE_CLASS_ITEMS));
    }
    return this.#character();
  }

  /** A class of the flag `v`. */
  #set(depth) {
    const { random } = this;
    const isNegated = random.below(3) === 0;
    const operator = random.pick(['', '', '&&', '--']);
    const operand = () => this.#setOperand(depth, isNegated, operator === '');
    const length = operator === '' ? random.below(4) : 2 + (random.below(3) === 0 ? 1 : 0);
    const operands = Array.from({ length }, operand);
    const text = operands.map((item) => item.text).join(operator);
    const samples = isNegated ? atoms.NOISE : operands.flatMap((item) => item.samples);
    return atom(`[${isNegated ? '^' : ''}${text}]`, samples);
  }

  #setOperand(depth, isNegated, isUnion) {
    const { random } = this;
    const choice = random.below(12);
    if (choice < 4 && depth > 0) return this.#set(depth - 1);
    if (choice < 5) return atom(...random.pick(atoms.SETS));
    if (choice < 7) return this.#property(!isNegated);
    if (choice < 8 && !isNegated) return atom(...random.pick(atoms.CLASS_STRINGS));
    if (choice < 10 && isUnion) {
      return atom(...random.pick(random.below(2) === 0 ? atoms.CLASS_ITEMS : atoms.UNICODE_CLASS_ITEMS));
    }
    if (choice < 11) return this.#folded();
    const character = random.pick(atoms.SET_CHARACTERS);
    return atom(character, [character.replace(/^\\(?!u)/, ''), '😀']);
  }

  /** A text to try `pattern` on. */
  text({ tree, longest }) {
    const { random } = this;
    const isLong = longest > 250 && random.below(20) === 0;
    const most = isLong ? longest : Math.min(longest, random.pick([4, 12, 24, 40]));
    let text = '';
    if (random.below(5) > 0) {
      const copies = isLong ? 60 : 1 + random.below(3);
      for (let copy = 0; copy < copies && text.length < most; copy++) {
        if (random.below(3) === 0) text += this.#noise(3);
        text += this.#damage(this.#sample(tree));
      }
      if (random.below(3) === 0) text += this.#noise(4);
    } else {
      text = this.#noise(isLong ? most : 12);
    }
    return this.#represent(text.slice(0, most));
  }

  #noise(most) {
    const pool = this.random.pick([atoms.NOISE, atoms.LETTERS, atoms.HALVES, atoms.FOLDED, atoms.EMOJI]);
    return this.random.list(most, () => this.random.pick(pool)).join('');
  }

  /** A text that the pattern describes, assertions apart. */
  #sample(node) {
    const { random } = this;
    switch (node.kind) {
      case 'atom':
        return node.samples.length === 0 ? '' : random.pick(node.samples);
      case 'alternation':
        return this.#sample(random.pick(node.parts));
      case 'sequence':
        return node.parts.map((part) => this.#sample(part)).join('');
      case 'group':
        return node.look && random.below(3) > 0 ? '' : this.#sample(node.body);
      default: {
        const times = Math.min(node.least + random.below(4), node.most, 6);
        return Array.from({ length: times }, () => this.#sample(node.body)).join('');
      }
    }
  }

  #damage(text) {
    const { random } = this;
    const place = random.below(text.length + 1);
    switch (random.below(10)) {
      case 0:
        return text.slice(0, place) + text.slice(place + 1);
      case 1:
        return text.slice(0, place) + this.#noise(2) + text.slice(place);
      case 2:
        return text.toUpperCase();
      case 3:
        return text.toLowerCase();
      case 4:
        return text.slice(0, place) + random.pick(atoms.TERMINATORS) + text.slice(place);
      case 5: // surrogates, and everything else, the wrong way round
        return text.slice(0, place) + [...text.slice(place)].map((one) => one.split('').reverse().join('')).join('');
      default:
        return text;
    }
  }

  /** The same text as V8 may hold it: flat, concatenated, or part of a longer one that has two bytes a character. */
  #represent(text) {
    const { random } = this;
    switch (random.below(6)) {
      case 0: {
        const place = random.below(text.length + 1);
        return text.slice(0, place) + text.slice(place);
      }
      case 1:
        return `中${text}中`.slice(1, -1);
      default:
        return text;
    }
  }
}

function atom(text, samples) {
  return { kind: 'atom', text, samples };
}

/** A character that may be part of the syntax in no place. */
function plain(character) {
  return atom(character, [character]);
}

/** The pattern's text. */
function print(node) {
  switch (node.kind) {
    case 'atom':
      return node.text;
    case 'alternation':
      return node.parts.map(print).join('|');
    case 'sequence':
      return node.parts.map(print).join('');
    case 'group':
      return `${node.open}${print(node.body)})`;
    default:
      return print(node.body) + node.text;
  }
}

/**
 * Whether a pattern has a back-reference: a number for which there is a group, or a name in a pattern with names. For
 * the patterns made here, in which no class, group name or string holds anything that looks like one.
 */
function hasReference(source) {
  const withoutClasses = source.replace(/\[(?:\\.|[^\]\\])*\]/gsu, '');
  const groups = withoutClasses.match(/(?<!\\)(?:\\\\)*\((?!\?)|\(\?<(?![=!])/g)?.length ?? 0;
  const numbers = [...withoutClasses.matchAll(/\\([1-9][0-9]*)|\\./gsu)].map(([, number]) => Number(number));
  return numbers.some((number) => number <= groups) || /\\k</.test(source);
}

/**
 * The longest text for which V8 is expected to need at most STEPS steps, by counting the paths that a backtracking
 * engine may go through: every way to divide n characters among the loops, at every start.
 */
function longestText(tree) {
  return LENGTHS.find((length) => length * 2 ** paths(tree, length) <= STEPS) ?? 1;
}

/** The binary logarithm of a bound for the paths through `node` on n characters. */
function paths(node, n) {
  switch (node.kind) {
    case 'atom':
      return node.samples.length > 1 && node.samples.some((sample) => sample.length > 1) ? 0.5 : 0;
    case 'alternation':
      return Math.log2(node.parts.reduce((sum, part) => sum + 2 ** paths(part, n), 0));
    case 'sequence':
      return node.parts.reduce((sum, part) => sum + paths(part, n), 0);
    case 'group':
      return paths(node.body, n);
    default: {
      const times = Math.min(node.most, n);
      const inside = paths(node.body, n);
      if (inside === 0) return Math.log2(times - Math.min(node.least, times) + 1);
      // At most all the ways to cut n characters, times what the branches add to each.
      return Math.log2(times + 1) + Math.min(inside * times, 2 * n);
    }
  }
}

function accepts(source) {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
}

module.exports = { PatternGenerator, hasReference, HAS_MODIFIERS, HAS_DUPLICATE_NAMES };
