// @ts-check
'use strict';

/**
 * The regular expressions of one parsed file: its literals, and `RegExp(…)` or `new RegExp(…)` whose arguments are
 * constant. One walk builds the scopes and lists the candidates; only then are they evaluated, because a name may be
 * declared below the place that uses it.
 */

const { bare, constantOf, isGlobal, newBudget } = require('./constants.js');
const { DYNAMIC, FUNCTION, Scope, eachName } = require('./scopes.js');
const { walk } = require('./tree.js');

/**
 * @typedef {import('./tree.js').Node} Node
 * @typedef {{ pattern: string, flags: string, start: number, end: number }} Occurrence `start`, `end`: of the literal
 *   or of the whole call, in UTF-16 units of the text.
 * @typedef {{ occurrences: Occurrence[], dynamic: number }} Found `dynamic`: calls whose arguments are not constant.
 */

/**
 * @param {Node} program
 * @returns {Found}
 */
function patternsOf(program) {
  /** @type {{ node: Node, scope: Scope }[]} */
  const candidates = [];
  /** Globals that the file itself assigns to: no longer what they were. @type {Set<string>} */
  const assigned = new Set();
  const top = new Scope(null, FUNCTION);

  walk(program, top, (node, scope) => {
    switch (node.type) {
      case 'Literal':
        if (node.regex) candidates.push({ node, scope });
        return scope;
      case 'CallExpression':
        if (node.callee.type === 'Identifier' && node.callee.name === 'eval') scope.home.kind |= DYNAMIC;
        candidates.push({ node, scope });
        return scope;
      case 'NewExpression':
        candidates.push({ node, scope });
        return scope;
      case 'AssignmentExpression':
        targetsOf(node.left, scope, assigned);
        return scope;
      case 'UpdateExpression':
        targetsOf(node.argument, scope, assigned);
        return scope;
      default:
        return declarations(node, scope, assigned);
    }
  });

  /** @type {Occurrence[]} */
  const occurrences = [];
  const budget = newBudget();
  let dynamic = 0;
  for (const { node, scope } of candidates) {
    if (node.type === 'Literal') {
      const { pattern, flags } = node.regex;
      occurrences.push({ pattern, flags, start: node.start, end: node.end });
    } else if (!assigned.has('RegExp') && isGlobal(node.callee, 'RegExp', scope)) {
      const found = argumentsOf(node, scope, budget);
      if (found === undefined) dynamic += 1;
      else if (!found.repeats) {
        occurrences.push({ pattern: found.pattern, flags: found.flags, start: node.start, end: node.end });
      }
    }
  }
  return { occurrences, dynamic };
}

/**
 * @param {Node} call
 * @param {Scope} scope
 * @param {import('./constants.js').Budget} budget
 * @returns {{ pattern: string, flags: string, repeats: boolean } | undefined} `repeats`: it is a literal once more,
 *   which is listed itself
 */
function argumentsOf(call, scope, budget) {
  const [first, second] = call.arguments;
  if (first === undefined) return undefined;
  const value = constantOf(first, scope, budget);
  if (value === undefined || typeof value === 'number') return undefined;
  const isCopy = typeof value === 'object';
  const { pattern, flags } = isCopy ? value.regexp : { pattern: value, flags: '' };
  if (second === undefined || isUndefined(second, scope)) return { pattern, flags, repeats: isCopy };
  const given = constantOf(second, scope, budget);
  if (typeof given !== 'string') return undefined;
  return { pattern, flags: given, repeats: isCopy && given === flags };
}

/**
 * @param {Node} given
 * @param {Scope} scope
 */
function isUndefined(given, scope) {
  const node = bare(given);
  if (node.type === 'UnaryExpression' && node.operator === 'void') return node.argument.type === 'Literal';
  return node.type === 'Identifier' && node.name === 'undefined' && scope.find('undefined') === 'global';
}

/**
 * Declares what a node declares, and gives the scope of its children.
 *
 * @param {Node} node
 * @param {Scope} scope
 * @param {Set<string>} assigned
 * @returns {Scope}
 */
function declarations(node, scope, assigned) {
  switch (node.type) {
    case 'VariableDeclaration':
      for (const declarator of node.declarations) variable(node.kind, declarator, scope);
      return scope;
    case 'FunctionDeclaration':
    case 'TSDeclareFunction':
      if (node.id) declareBoth(node.id.name, scope); // a block's function is also the enclosing function's, if sloppy
      return functionScope(node, scope);
    case 'FunctionExpression':
    case 'TSEmptyBodyFunctionExpression':
    case 'ArrowFunctionExpression':
      return functionScope(node, scope);
    case 'ClassDeclaration':
      if (node.id) scope.declare(node.id.name, null);
      return scope;
    case 'ClassExpression': {
      const inner = new Scope(scope, 0);
      if (node.id) inner.declare(node.id.name, null);
      return inner;
    }
    case 'StaticBlock':
    case 'TSModuleBlock':
      return new Scope(scope, FUNCTION);
    case 'BlockStatement':
    case 'ForStatement':
    case 'SwitchStatement':
      return new Scope(scope, 0);
    case 'ForInStatement':
    case 'ForOfStatement':
      if (node.left.type !== 'VariableDeclaration') targetsOf(node.left, scope, assigned);
      return new Scope(scope, 0);
    case 'CatchClause': {
      const inner = new Scope(scope, 0);
      if (node.param) eachName(node.param, (name) => inner.declare(name, null));
      return inner;
    }
    case 'WithStatement':
      return new Scope(scope, DYNAMIC);
    case 'ImportDeclaration':
      for (const specifier of node.specifiers ?? []) scope.declare(specifier.local.name, null);
      return scope;
    case 'TSImportEqualsDeclaration':
    case 'TSEnumDeclaration':
    case 'TSModuleDeclaration':
      if (node.id?.type === 'Identifier') scope.declare(node.id.name, null);
      return scope;
    default:
      return scope;
  }
}

/**
 * @param {string} kind
 * @param {Node} declarator
 * @param {Scope} scope
 */
function variable(kind, declarator, scope) {
  const { id, init } = declarator;
  const target = kind === 'var' ? scope.home : scope;
  const value = kind === 'const' && id.type === 'Identifier' ? (init ?? null) : null;
  eachName(id, (name) => target.declare(name, value));
}

/**
 * @param {string} name
 * @param {Scope} scope
 */
function declareBoth(name, scope) {
  scope.declare(name, null);
  if (scope.home !== scope) scope.home.declare(name, null);
}

/**
 * @param {Node} node
 * @param {Scope} outer
 */
function functionScope(node, outer) {
  const scope = new Scope(outer, FUNCTION);
  if (node.type === 'FunctionExpression' && node.id) scope.declare(node.id.name, null);
  if (node.type !== 'ArrowFunctionExpression') scope.declare('arguments', null);
  for (const parameter of node.params ?? []) eachName(parameter, (name) => scope.declare(name, null));
  return scope;
}

/**
 * @param {Node} target
 * @param {Scope} scope
 * @param {Set<string>} assigned
 */
function targetsOf(target, scope, assigned) {
  if (isGlobal(target, 'RegExp', scope)) assigned.add('RegExp');
  eachName(target, (name) => {
    if (name === 'RegExp') assigned.add(name); // wherever it is declared: too rare to look closer
  });
}

module.exports = { patternsOf };
