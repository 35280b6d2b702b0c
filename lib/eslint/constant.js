// @ts-check
'use strict';

/**
 * What an expression of an ESTree is, where it is the same each time: strings put together with `+`, in templates, by
 * `String.raw` or `join`, the source of a pattern, variables that never change. It knows no linter and no parser: who
 * calls says what an identifier stands for. Whatever is not certain is no constant.
 */

/**
 * @typedef {Record<string, any>} Node
 * @typedef {{ source: string, flags: string }} Pattern
 * @typedef {string | number | boolean | null | undefined | Pattern} Value
 */

/**
 * What an identifier stands for: the built-in of that name, or always the value of an expression.
 *
 * @callback Resolve
 * @param {Node} identifier
 * @returns {'global' | { init: Node } | undefined}
 */

/** Bounds of one answer: a source that builds a larger string than this is not written by hand. */
const MAX_NODES = 10_000;
const MAX_DEPTH = 200;
const MAX_LENGTH = 1 << 17;

/** Where browsers, workers and Node keep their built-ins. */
const GLOBAL_OBJECTS = new Set(['globalThis', 'window', 'self', 'global']);

/** What TypeScript, and parsers that keep parentheses, put around an expression without changing its value. */
const WRAPPERS = new Set([
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSNonNullExpression',
  'TSTypeAssertion',
  'ParenthesizedExpression',
  'ChainExpression',
]);

/**
 * The value of an expression that is the same each time.
 *
 * @param {Node} node
 * @param {Resolve} resolve
 * @returns {{ value: Value } | undefined}
 */
function constantOf(node, resolve) {
  return new Folding(resolve).fold(node, 0);
}

/**
 * The pattern that a regex literal is, or `RegExp(…)` and `new RegExp(…)` make of constants.
 *
 * @param {Node} node
 * @param {Resolve} resolve
 * @returns {Pattern | undefined}
 */
function patternOf(node, resolve) {
  const constant = constantOf(node, resolve);
  return constant !== undefined && isPattern(constant.value) ? constant.value : undefined;
}

/**
 * Whether a call, or a `new`, is one of the RegExp that every program has.
 *
 * @param {Node} node
 * @param {Resolve} resolve
 */
function isRegExpCall(node, resolve) {
  return isCall(node) && isBuiltIn(node.callee, 'RegExp', resolve);
}

/**
 * The expression inside what changes nothing about its value.
 *
 * @param {Node} node
 * @returns {Node}
 */
function unwrap(node) {
  let inner = node;
  while (isWrapper(inner)) inner = inner.expression;
  return inner;
}

/** @param {Node} node */
function isWrapper(node) {
  return WRAPPERS.has(node.type);
}

/**
 * The name of the member that `a.name` or `a['name']` is.
 *
 * @param {Node} node
 * @returns {string | undefined}
 */
function memberName(node) {
  if (!node.computed) return node.property.type === 'Identifier' ? node.property.name : undefined;
  return typeof node.property.value === 'string' ? node.property.value : undefined;
}

class Folding {
  #nodes = 0;
  #resolve;

  /** @param {Resolve} resolve */
  constructor(resolve) {
    this.#resolve = resolve;
  }

  /**
   * @param {Node} wrapped
   * @param {number} depth
   * @returns {{ value: Value } | undefined}
   */
  fold(wrapped, depth) {
    const node = unwrap(wrapped);
    this.#nodes++;
    // Variables may be made of each other, doubling each time, or in a circle.
    if (this.#nodes > MAX_NODES || depth > MAX_DEPTH) return undefined;
    switch (node.type) {
      case 'Literal':
        return literal(node);
      case 'TemplateLiteral':
        return this.#template(node, 'cooked', depth);
      case 'TaggedTemplateExpression':
        return this.#isStringRaw(node.tag) ? this.#template(node.quasi, 'raw', depth) : undefined;
      case 'BinaryExpression':
        return node.operator === '+' ? this.#sum(node, depth) : undefined;
      case 'Identifier':
        return this.#identifier(node, depth);
      case 'MemberExpression':
        return this.#member(node, depth);
      case 'CallExpression':
      case 'NewExpression':
        return isRegExpCall(node, this.#resolve) ? this.#regExp(node, depth) : this.#join(node, depth);
      default:
        return undefined;
    }
  }

  /** @param {Node} node @param {'cooked' | 'raw'} kind @param {number} depth */
  #template({ quasis, expressions }, kind, depth) {
    let text = '';
    for (let index = 0; index < quasis.length; index++) {
      text += quasis[index].value[kind];
      if (index === expressions.length) break;
      const part = this.fold(expressions[index], depth + 1);
      if (part === undefined) return undefined;
      text += textOf(part.value);
      if (text.length > MAX_LENGTH) return undefined;
    }
    return { value: text };
  }

  /**
   * A long sum is a chain to the left as deep as it has parts, so it is walked.
   *
   * @param {Node} node
   * @param {number} depth
   */
  #sum(node, depth) {
    const parts = [];
    /** @type {Node} */
    let left = node;
    for (; left.type === 'BinaryExpression' && left.operator === '+'; left = unwrap(left.left)) parts.push(left.right);
    let sum = this.fold(left, depth + 1);
    for (const part of parts.reverse()) {
      if (sum === undefined) return undefined;
      const right = this.fold(part, depth + 1);
      if (right === undefined) return undefined;
      sum = { value: add(sum.value, right.value) };
      if (typeof sum.value === 'string' && sum.value.length > MAX_LENGTH) return undefined;
    }
    return sum;
  }

  /** @param {Node} node @param {number} depth @returns {{ value: Value } | undefined} */
  #identifier(node, depth) {
    const meaning = this.#resolve(node);
    if (meaning === undefined) return undefined;
    if (meaning !== 'global') return this.fold(meaning.init, depth + 1);
    return node.name === 'undefined' ? { value: undefined } : undefined;
  }

  /** `/a/.source` and `/a/.flags`. @param {Node} node @param {number} depth */
  #member(node, depth) {
    const name = memberName(node);
    if (name !== 'source' && name !== 'flags') return undefined;
    const object = this.fold(node.object, depth + 1);
    if (object === undefined || !isPattern(object.value)) return undefined;
    return { value: object.value[name] };
  }

  /** `['a', 'b'].join('|')`. @param {Node} node @param {number} depth */
  #join(node, depth) {
    const callee = unwrap(node.callee);
    if (node.type !== 'CallExpression' || callee.type !== 'MemberExpression' || memberName(callee) !== 'join') {
      return undefined;
    }
    const array = unwrap(callee.object);
    if (array.type !== 'ArrayExpression') return undefined;
    const [separator, ...members] = this.#list([node.arguments[0], ...array.elements], depth) ?? [];
    if (separator === undefined) return undefined;
    const texts = members.map(({ value }) => (value === null || value === undefined ? '' : textOf(value)));
    const glue = separator.value === undefined ? ',' : textOf(separator.value);
    const length = texts.reduce((sum, text) => sum + text.length, glue.length * Math.max(0, texts.length - 1));
    return length > MAX_LENGTH ? undefined : { value: texts.join(glue) };
  }

  /**
   * @param {Node} node
   * @param {number} depth
   * @returns {{ value: Pattern } | undefined}
   */
  #regExp(node, depth) {
    const [first, second] = this.#list([node.arguments[0], node.arguments[1]], depth) ?? [];
    if (first === undefined || second === undefined) return undefined;
    const given = isPattern(first.value) ? first.value : { source: orEmpty(first.value), flags: '' };
    return { value: canonical(given.source, second.value === undefined ? given.flags : textOf(second.value)) };
  }

  /**
   * The values of expressions, `undefined` for those that are not there; nothing when one is no constant.
   *
   * @param {(Node | null | undefined)[]} nodes
   * @param {number} depth
   */
  #list(nodes, depth) {
    const values = [];
    for (const node of nodes) {
      const value = node === null || node === undefined ? { value: undefined } : this.fold(node, depth + 1);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  }

  /** @param {Node} tag */
  #isStringRaw(tag) {
    const callee = unwrap(tag);
    if (callee.type !== 'MemberExpression' || memberName(callee) !== 'raw') return false;
    return isBuiltIn(callee.object, 'String', this.#resolve);
  }
}

/** @param {Node} node */
function isCall(node) {
  return node.type === 'CallExpression' || node.type === 'NewExpression';
}

/**
 * @param {Node} wrapped
 * @param {string} name
 * @param {Resolve} resolve
 */
function isBuiltIn(wrapped, name, resolve) {
  const node = unwrap(wrapped);
  if (node.type === 'Identifier') return node.name === name && resolve(node) === 'global';
  if (node.type !== 'MemberExpression' || memberName(node) !== name) return false;
  const object = unwrap(node.object);
  return object.type === 'Identifier' && GLOBAL_OBJECTS.has(object.name) && resolve(object) === 'global';
}

/** @param {Node} node @returns {{ value: Value } | undefined} */
function literal({ regex, bigint, value }) {
  if (regex) return { value: { source: regex.pattern, flags: regex.flags } };
  return bigint ? undefined : { value };
}

/** `RegExp()` and `RegExp(undefined)` match the empty text, `RegExp(null)` the text "null". @param {Value} value */
function orEmpty(value) {
  return value === undefined ? '' : textOf(value);
}

/** @param {Value} left @param {Value} right @returns {Value} */
function add(left, right) {
  if (typeof left === 'number' && typeof right === 'number') return left + right;
  const isText = [left, right].some((value) => typeof value === 'string' || isPattern(value));
  return isText ? textOf(left) + textOf(right) : Number(left) + Number(right);
}

/** @param {Value} value */
function textOf(value) {
  return isPattern(value) ? `/${value.source}/${value.flags}` : String(value);
}

/** @param {Value} value @returns {value is Pattern} */
function isPattern(value) {
  return typeof value === 'object' && value !== null;
}

/**
 * As RegExp itself writes it, `\/` for `/` and the like. A pattern that it refuses stays as it is.
 *
 * @param {string} pattern
 * @param {string} flags
 * @returns {Pattern}
 */
function canonical(pattern, flags) {
  try {
    const expression = new RegExp(pattern, flags);
    return { source: expression.source, flags: expression.flags };
  } catch {
    return { source: pattern, flags };
  }
}

module.exports = { constantOf, isRegExpCall, isWrapper, memberName, patternOf, unwrap };
