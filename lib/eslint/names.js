// @ts-check
'use strict';

/**
 * What names stand for in a file, by ESLint's scope manager: which identifiers are built-ins or never change, which
 * are SafeRegExp, and by which name SafeRegExp can be called at a place.
 */

const { memberName, unwrap } = require('./constant.js');

/**
 * @typedef {import('./constant.js').Node} Node
 * @typedef {any} SourceCode
 * @typedef {any} Variable
 * @typedef {any} Scope
 */

const PACKAGE = 'holdfast';
const SAFE = 'SafeRegExp';

/** The name that a file gets which uses SafeRegExp for something else. */
const OTHER = 'HoldfastRegExp';

/**
 * @param {SourceCode} sourceCode
 * @returns {import('./constant.js').Resolve}
 */
function resolver(sourceCode) {
  return (identifier) => {
    const variable = variableNamed(sourceCode.getScope(identifier), identifier.name);
    if (isGlobal(variable)) return isReplaced(sourceCode, variable, identifier.name) ? undefined : 'global';
    const init = onlyValue(variable);
    return init === undefined ? undefined : { init };
  };
}

/**
 * Whether a callee is a member of Holdfast of that name, as far as a file tells: imported or required under that name
 * from wherever, a member of something, or a global. A class or a parameter of the file's own is not.
 *
 * @param {SourceCode} sourceCode
 * @param {Node} wrapped
 * @param {readonly string[]} names
 */
function isOneOf(sourceCode, wrapped, names) {
  const callee = unwrap(wrapped);
  if (callee.type === 'MemberExpression') return names.includes(memberName(callee) ?? '');
  if (callee.type !== 'Identifier') return false;
  const variable = variableNamed(sourceCode.getScope(callee), callee.name);
  return names.includes((isGlobal(variable) ? callee.name : originalName(variable)) ?? '');
}

/**
 * How SafeRegExp is called at a node: what stands in scope there, or the name that it has to be brought in by.
 *
 * @param {SourceCode} sourceCode
 * @param {Node} node
 * @returns {{ inScope: string } | { bringIn: string } | undefined}
 */
function safeNameAt(sourceCode, node) {
  const scope = sourceCode.getScope(node);
  let isTooLate = false;
  let whole;
  for (let at = scope; at !== null; at = at.upper) {
    for (const variable of at.variables) {
      if (variableNamed(scope, variable.name) !== variable || isTypeOnly(variable)) continue;
      const isSafe = originalName(variable) === SAFE;
      if (!isSafe && !isWholePackage(variable)) continue;
      if (!isReadyAt(variable, scope, node)) isTooLate = true;
      else if (isSafe) return { inScope: variable.name };
      else whole ??= variable.name;
    }
  }
  if (whole !== undefined) return { inScope: `${whole}.${SAFE}` };
  if (isTooLate) return undefined;
  const taken = variableNamed(scope, SAFE);
  if (taken !== undefined && taken.defs.length === 0) return { inScope: SAFE };
  const name = [SAFE, OTHER].find((each) => variableNamed(scope, each) === undefined);
  return name === undefined ? undefined : { bringIn: name };
}

/**
 * @param {Scope | null} scope
 * @param {string} name
 * @returns {Variable | undefined}
 */
function variableNamed(scope, name) {
  for (let at = scope; at !== null; at = at.upper) {
    const variable = at.set.get(name);
    // `arguments` aside, ESLint's parser and TypeScript's have no variable without a definition but globals.
    if (variable !== undefined) return variable;
  }
  return undefined;
}

/** Names without a definition in the file. @param {Variable | undefined} variable */
function isGlobal(variable) {
  return variable === undefined || (variable.defs.length === 0 && variable.scope.type === 'global');
}

/**
 * A file may give a built-in another value: `RegExp = require('re2')`.
 *
 * @param {SourceCode} sourceCode
 * @param {Variable | undefined} variable
 * @param {string} name
 */
function isReplaced(sourceCode, variable, name) {
  const references = variable?.references ?? sourceCode.scopeManager.globalScope.through;
  return references.some((/** @type {any} */ each) => each.identifier.name === name && each.isWrite());
}

/**
 * The expression whose value a variable has from its declaration on.
 *
 * @param {Variable} variable
 * @returns {Node | undefined}
 */
function onlyValue({ defs, references }) {
  const [definition] = defs;
  if (defs.length !== 1 || definition.type !== 'Variable') return undefined;
  const { id, init } = definition.node;
  if (id.type !== 'Identifier' || !init) return undefined;
  const writes = references.filter((/** @type {any} */ reference) => reference.isWrite());
  return writes.length === 1 && writes[0].init ? init : undefined;
}

/**
 * The name by which a variable was imported, required, or taken from an object.
 *
 * @param {Variable} variable
 * @returns {string | undefined}
 */
function originalName({ defs, name }) {
  const [definition] = defs;
  if (defs.length !== 1) return undefined;
  const { node } = definition;
  if (definition.type === 'ImportBinding') {
    return node.type === 'ImportSpecifier' ? node.imported.name ?? node.imported.value : name;
  }
  if (definition.type !== 'Variable' || !node.init) return undefined;
  if (node.id.type === 'ObjectPattern') return keyOf(node.id, definition.name);
  const init = unwrap(node.init);
  if (init.type === 'MemberExpression') return memberName(init);
  return requiredName(init) === undefined ? undefined : name;
}

/**
 * @param {Node} pattern
 * @param {Node} identifier
 * @returns {string | undefined}
 */
function keyOf(pattern, identifier) {
  const property = pattern.properties.find(
    (/** @type {Node} */ each) => each.type === 'Property' && (each.value.left ?? each.value) === identifier,
  );
  return property === undefined || property.computed ? undefined : property.key.name ?? property.key.value;
}

/** Whether a variable holds all of Holdfast. @param {Variable} variable */
function isWholePackage({ defs }) {
  const [definition] = defs;
  if (defs.length !== 1) return false;
  const { node, parent } = definition;
  if (definition.type === 'ImportBinding') {
    if (node.type === 'TSImportEqualsDeclaration') return node.moduleReference.expression?.value === PACKAGE;
    return node.type !== 'ImportSpecifier' && parent.source.value === PACKAGE;
  }
  if (definition.type !== 'Variable' || node.id.type !== 'Identifier' || !node.init) return false;
  return requiredName(unwrap(node.init)) === PACKAGE;
}

/** @param {Variable} variable */
function isTypeOnly({ defs }) {
  return defs.some(
    (/** @type {any} */ { node, parent }) => node.importKind === 'type' || parent?.importKind === 'type',
  );
}

/**
 * Imports are there from the start; a variable from its declaration on, or when a function is called later.
 *
 * @param {Variable} variable
 * @param {Scope} scope
 * @param {Node} node
 */
function isReadyAt(variable, scope, node) {
  const [{ type, node: definition }] = variable.defs;
  if (type === 'ImportBinding' || definition.range[1] <= node.range[0]) return true;
  return scope.variableScope !== variable.scope.variableScope;
}

/**
 * What `require('name')` asks for.
 *
 * @param {Node} node
 * @returns {string | undefined}
 */
function requiredName({ type, callee, arguments: given }) {
  if (type !== 'CallExpression' || callee.type !== 'Identifier' || callee.name !== 'require') return undefined;
  const [argument] = given;
  return typeof argument?.value === 'string' ? argument.value : undefined;
}

module.exports = { PACKAGE, SAFE, isOneOf, requiredName, resolver, safeNameAt };
