// @ts-check
'use strict';

/**
 * The suggestion that puts SafeRegExp in the place of a literal or of a RegExp call, and brings the name into the file
 * when it is not there: into an import or a require of Holdfast that it has, or as a new one in the file's own style.
 */

const { unwrap } = require('./constant.js');
const { PACKAGE, SAFE, requiredName, safeNameAt } = require('./names.js');

/**
 * @typedef {import('./constant.js').Node} Node
 * @typedef {any} SourceCode
 * @typedef {any} Fixer
 */

/**
 * What changes the file, or nothing where no correct change is known.
 *
 * @param {SourceCode} sourceCode
 * @param {Node} node a regex literal, or a call of RegExp
 * @returns {((fixer: Fixer) => any[]) | undefined}
 */
function replacing(sourceCode, node) {
  const found = safeNameAt(sourceCode, node);
  if (found === undefined) return undefined;
  const isAdded = 'bringIn' in found;
  const change = changeOf(sourceCode, node, isAdded ? found.bringIn : found.inScope);
  if (change === undefined) return undefined;
  if (isAdded && !isInStatement(sourceCode, node)) return undefined;
  const added = isAdded ? additionOf(sourceCode, node, found.bringIn) : undefined;
  return (fixer) => {
    const fixes = [fixer.replaceTextRange(change.range, change.text)];
    return added === undefined ? fixes : [fixer.insertTextAfterRange([0, added.at], added.text), ...fixes];
  };
}

/**
 * `/a/i` becomes `new SafeRegExp(/a/i)`, which keeps the literal as it is; of a call, only what is called changes.
 *
 * @param {SourceCode} sourceCode
 * @param {Node} node
 * @param {string} name
 */
function changeOf(sourceCode, node, name) {
  const [start, end] = node.range;
  // `return/a/` and `typeof/a/`: the slash ended the word.
  const space = /[a-z]/.test(sourceCode.text[start - 1] ?? '') ? ' ' : '';
  if (node.type === 'Literal') {
    return { range: [start, end], text: `${space}new ${name}(${sourceCode.getText(node)})` };
  }
  // A third argument, which RegExp does not look at, would be options.
  if (node.arguments.length > 2) return undefined;
  const opening = sourceCode.getTokenAfter(node.callee, { filter: (/** @type {any} */ { value }) => value === '(' });
  if (sourceCode.commentsExistBetween(sourceCode.getFirstToken(node), opening)) return undefined;
  return { range: [start, opening.range[0]], text: `${space}new ${name}` };
}

/**
 * Parsers of components (Svelte's, for one) have scripts inside elements, and a program of those.
 *
 * @param {SourceCode} sourceCode
 * @param {Node} node
 */
function isInStatement({ ast }, node) {
  const [start, end] = node.range;
  const around = ast.body.find((/** @type {Node} */ { range }) => range[0] <= start && end <= range[1]);
  return around !== undefined && /(?:Statement|Declaration|Assignment)$/.test(around.type);
}

/**
 * @param {SourceCode} sourceCode
 * @param {Node} node
 * @param {string} name by which the file will know SafeRegExp
 * @returns {{ at: number, text: string }}
 */
function additionOf(sourceCode, node, name) {
  const { body } = sourceCode.ast;
  const isModule = usesImport(sourceCode);
  const before = isModule ? body : body.filter((/** @type {Node} */ each) => each.range[1] <= node.range[0]);
  const member = name === SAFE ? SAFE : `${SAFE}${isModule ? ' as' : ':'} ${name}`;

  const last = before.map(isModule ? lastImported : lastRequired).find(Boolean);
  if (last !== undefined) return { at: last.range[1], text: `, ${member}` };

  const anchor = before.filter(isModule ? isImport : isRequire).pop() ?? body.filter(isDirective).pop();
  const quote = anchor !== undefined && quoteOf(sourceCode, anchor) === '"' ? '"' : "'";
  const source = `${quote}${PACKAGE}${quote}`;
  const statement = isModule ? `import { ${member} } from ${source};` : `const { ${member} } = require(${source});`;
  const newline = /\r?\n/.exec(sourceCode.text)?.[0] ?? '\n';
  if (anchor === undefined) return { at: startOf(sourceCode), text: `${statement}${newline}` };
  return { at: endOf(sourceCode, anchor), text: `${newline}${statement}` };
}

/**
 * A module says so with an import or an export. ESLint takes any `.js` file for one, where the configuration does not
 * say otherwise: one that only requires, or assigns to `module.exports`, is CommonJS.
 *
 * @param {SourceCode} sourceCode
 */
function usesImport({ ast }) {
  if (ast.sourceType !== 'module') return false;
  if (ast.body.some((/** @type {Node} */ { type }) => /^(?:Import|Export|TSImport|TSExport)/.test(type))) return true;
  return !ast.body.some((/** @type {Node} */ each) => isRequire(each) || isAssignedExport(each));
}

/** @param {Node} statement */
function isAssignedExport({ type, expression }) {
  if (type !== 'ExpressionStatement' || expression.type !== 'AssignmentExpression') return false;
  let root = expression.left;
  while (root.type === 'MemberExpression') root = root.object;
  return root !== expression.left && ['module', 'exports'].includes(root.name);
}

/** @param {Node} statement */
function isImport(statement) {
  return statement.type === 'ImportDeclaration' || statement.type === 'TSImportEqualsDeclaration';
}

/** `require('a')`, `const b = require('b').c` and the like. @param {Node} statement */
function isRequire(statement) {
  return requiring(statement) !== undefined;
}

/** @param {Node} statement @returns {Node | undefined} */
function requiring(statement) {
  if (statement.type === 'ExpressionStatement') return requireIn(statement.expression);
  if (statement.type !== 'VariableDeclaration') return undefined;
  return statement.declarations.map((/** @type {Node} */ { init }) => init && requireIn(init)).find(Boolean);
}

/** @param {Node} expression @returns {Node | undefined} */
function requireIn(expression) {
  for (let inner = unwrap(expression); ; inner = unwrap(inner.object ?? inner.callee)) {
    if (requiredName(inner) !== undefined) return inner;
    if (inner.type !== 'MemberExpression' && inner.type !== 'CallExpression') return undefined;
  }
}

/** The last name between the braces of an import of Holdfast. @param {Node} statement @returns {Node | undefined} */
function lastImported(statement) {
  if (statement.type !== 'ImportDeclaration' || statement.source.value !== PACKAGE) return undefined;
  if (statement.importKind === 'type') return undefined;
  const last = statement.specifiers.at(-1);
  return last?.type === 'ImportSpecifier' ? last : undefined;
}

/** The last name between the braces of a require of Holdfast. @param {Node} statement @returns {Node | undefined} */
function lastRequired(statement) {
  if (statement.type !== 'VariableDeclaration') return undefined;
  const found = statement.declarations.find(
    (/** @type {Node} */ { id, init }) => id.type === 'ObjectPattern' && init && requiredName(unwrap(init)) === PACKAGE,
  );
  const last = found?.id.properties.at(-1);
  return last?.type === 'Property' ? last : undefined;
}

/** @param {Node} statement */
function isDirective(statement) {
  return typeof statement.directive === 'string';
}

/** The quotes that a statement's first string has. @param {SourceCode} sourceCode @param {Node} statement */
function quoteOf(sourceCode, statement) {
  const string = statement.source ?? statement.moduleReference?.expression ?? requiring(statement)?.arguments[0];
  return sourceCode.getText(string ?? statement)[0];
}

/**
 * Behind a statement, and behind what is said about it on its last line.
 *
 * @param {SourceCode} sourceCode
 * @param {Node} statement
 */
function endOf(sourceCode, statement) {
  const comments = sourceCode.getCommentsAfter(statement);
  const last = comments.findLast((/** @type {Node} */ { loc }) => loc.start.line === statement.loc.end.line);
  if (last === undefined || last.loc.end.line !== statement.loc.end.line) return statement.range[1];
  const next = sourceCode.getTokenAfter(last);
  // A comment before more code on the same line may be about that.
  return next?.loc.start.line === last.loc.end.line ? statement.range[1] : last.range[1];
}

/**
 * Where a file without directives and imports gets its first: before the first statement, and before the comment that
 * documents it; behind everything that belongs to the file, such as `#!`, a licence and `@ts-check`.
 *
 * @param {SourceCode} sourceCode
 */
function startOf(sourceCode) {
  const [first] = sourceCode.ast.body;
  const comment = sourceCode.getTokenBefore(first, { includeComments: true });
  const documents = comment?.type === 'Block' && comment.value.startsWith('*') &&
    comment.loc.end.line + 1 >= first.loc.start.line;
  return (documents ? comment : first).range[0];
}

module.exports = { replacing };
