// @ts-check
'use strict';

/**
 * The value of an expression that is the same whenever it runs: strings, templates, `+`, `String.raw`, `/x/.source`,
 * and `const` names of them in the same file. Everything else is "not constant". Without recursion, and bounded: names
 * that double each other cannot make it build a string that does not fit.
 */

/** UTF-16 units: far more than V8 or SafeRegExp take as a pattern. */
const MAX_LENGTH = 1 << 20;
/** Nodes that the expressions of one file may look at, all together: `const a = 'x' + a` has no end. */
const MAX_NODES = 2_000_000;
/** Names of the global object itself. */
const GLOBALS = new Set(['globalThis', 'window', 'self', 'global']);

/**
 * @typedef {import('./tree.js').Node} Node
 * @typedef {import('./scopes.js').Scope} Scope
 * @typedef {{ regexp: { pattern: string, flags: string } }} Expression
 * @typedef {string | number | Expression} Value
 * @typedef {{ nodes: number }} Budget What is left of it, for the whole file.
 * @typedef {{ kind: 'visit', node: Node, scope: Scope } | { kind: 'join', count: number } | { kind: 'source' }} Step
 */

/** Not an error: the answer "not constant". */
class NotConstant extends Error {}

/** @returns {Budget} */
function newBudget() {
  return { nodes: MAX_NODES };
}

/**
 * @param {Node} node
 * @param {Scope} scope
 * @param {Budget} budget
 * @returns {Value | undefined}
 */
function constantOf(node, scope, budget) {
  try {
    return valueOf(node, scope, budget);
  } catch (error) {
    if (error instanceof NotConstant) return undefined;
    throw error;
  }
}

/**
 * @param {Node} root
 * @param {Scope} rootScope
 * @param {Budget} budget
 * @returns {Value}
 */
function valueOf(root, rootScope, budget) {
  /** @type {Step[]} */
  const steps = [{ kind: 'visit', node: root, scope: rootScope }];
  /** @type {Value[]} */
  const values = [];
  while (steps.length > 0) {
    const step = /** @type {Step} */ (steps.pop());
    budget.nodes -= 1;
    if (budget.nodes < 0) throw new NotConstant();
    if (step.kind === 'visit') visit(bare(step.node), step.scope, steps, values);
    else if (step.kind === 'join') values.push(joined(values.splice(values.length - step.count, step.count)));
    else values.push(sourceOf(/** @type {Value} */ (values.pop())));
  }
  return values[0];
}

/**
 * @param {Node} node
 * @param {Scope} scope
 * @param {Step[]} steps
 * @param {Value[]} values
 */
function visit(node, scope, steps, values) {
  if (node.type === 'Literal') {
    values.push(literalOf(node));
  } else if (node.type === 'TemplateLiteral') {
    interleave(node, scope, steps, (quasi) => quasi.value.cooked);
  } else if (node.type === 'TaggedTemplateExpression' && isStringRaw(node.tag, scope)) {
    interleave(node.quasi, scope, steps, (quasi) => quasi.value.raw.replace(/\r\n?/g, '\n'));
  } else if (node.type === 'BinaryExpression' && node.operator === '+') {
    steps.push({ kind: 'join', count: 2 });
    steps.push({ kind: 'visit', node: node.right, scope }, { kind: 'visit', node: node.left, scope });
  } else if (node.type === 'MemberExpression' && propertyOf(node) === 'source') {
    steps.push({ kind: 'source' }, { kind: 'visit', node: node.object, scope });
  } else if (node.type === 'Identifier') {
    const binding = scope.find(node.name);
    if (typeof binding === 'string' || binding.init === null) throw new NotConstant();
    steps.push({ kind: 'visit', node: binding.init, scope: binding.scope });
  } else {
    throw new NotConstant();
  }
}

/**
 * @param {Node} template
 * @param {Scope} scope
 * @param {Step[]} steps
 * @param {(quasi: Node) => string | null} textOf
 */
function interleave(template, scope, steps, textOf) {
  const { quasis, expressions } = template;
  steps.push({ kind: 'join', count: quasis.length + expressions.length });
  for (let place = quasis.length - 1; place >= 0; place -= 1) {
    if (place < expressions.length) steps.push({ kind: 'visit', node: expressions[place], scope });
    const text = textOf(quasis[place]);
    if (typeof text !== 'string') throw new NotConstant();
    steps.push({ kind: 'visit', node: { type: 'Literal', value: text }, scope });
  }
}

/**
 * @param {Node} node
 * @returns {Value}
 */
function literalOf(node) {
  if (typeof node.value === 'string') return node.value;
  if (typeof node.value === 'number') return node.value;
  if (node.regex !== undefined && node.regex !== null) return { regexp: node.regex };
  throw new NotConstant();
}

/**
 * Strings, and numbers among strings; what a RegExp turns into when it is added is not looked into.
 *
 * @param {Value[]} parts
 */
function joined(parts) {
  if (!parts.some((part) => typeof part === 'string')) throw new NotConstant();
  let text = '';
  for (const part of parts) {
    if (typeof part === 'object') throw new NotConstant();
    text += part;
    if (text.length > MAX_LENGTH) throw new NotConstant();
  }
  return text;
}

/** @param {Value} value */
function sourceOf(value) {
  if (typeof value !== 'object') throw new NotConstant();
  return value.regexp.pattern;
}

/**
 * Without what is only for the type checker, or for the eye.
 *
 * @param {Node} node
 * @returns {Node}
 */
function bare(node) {
  while (WRAPPERS.has(node.type)) node = node.expression;
  return node;
}

const WRAPPERS = new Set([
  'ParenthesizedExpression', 'TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression', 'TSTypeAssertion',
  'ChainExpression', 'TSInstantiationExpression',
]);

/**
 * @param {Node} tag
 * @param {Scope} scope
 */
function isStringRaw(tag, scope) {
  const node = bare(tag);
  return node.type === 'MemberExpression' && propertyOf(node) === 'raw' && isGlobal(node.object, 'String', scope);
}

/**
 * Whether a node is the built-in of that name: by its name or as a property of the global object, neither shadowed.
 *
 * @param {Node} given
 * @param {string} name
 * @param {Scope} scope
 */
function isGlobal(given, name, scope) {
  let node = bare(given);
  if (node.type === 'MemberExpression' && propertyOf(node) === name) {
    node = bare(node.object);
    return node.type === 'Identifier' && GLOBALS.has(node.name) && scope.find(node.name) === 'global';
  }
  return node.type === 'Identifier' && node.name === name && scope.find(name) === 'global';
}

/**
 * @param {Node} member
 * @returns {string | undefined}
 */
function propertyOf({ property, computed }) {
  if (!computed) return property.type === 'Identifier' ? property.name : undefined;
  return property.type === 'Literal' && typeof property.value === 'string' ? property.value : undefined;
}

module.exports = { bare, constantOf, isGlobal, newBudget };
