// Public functions refuse options that do not exist.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { shown } from "./repository.mjs";

export const title = "public functions refuse unknown options";
/** What it finds of a package depends on that and on those it stands on. */
export const local = true;

/** What looks at the names of options. */
const CHECKS = /^(check\w*|axisOptions)$/;

/**
 * The functions that users can import from a module, with the modules that they are written in.
 *
 * @param {string} path
 * @param {(name: string) => boolean} [wanted]
 * @returns {Array<{ module: ts.SourceFile, statement: ts.FunctionDeclaration, name: string }>}
 */
function functionsOf(path, wanted = () => true) {
  if (!existsSync(path)) return [];
  const module = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  return module.statements.flatMap((statement) => {
    if (ts.isFunctionDeclaration(statement) && statement.name && wanted(statement.name.text)) {
      const exported = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
      return exported ? [{ module, statement, name: statement.name.text }] : [];
    }
    if (!ts.isExportDeclaration(statement) || !statement.moduleSpecifier) return [];
    const from = /** @type {ts.StringLiteral} */ (statement.moduleSpecifier).text;
    if (!from.startsWith(".")) return [];
    const source = join(dirname(path), from.replace(/\.js$/, ".ts"));
    const clause = statement.exportClause;
    if (!clause || ts.isNamespaceExport(clause)) return functionsOf(source);
    const names = clause.elements.filter(({ name }) => wanted(name.text));
    const given = new Set(names.map(({ propertyName, name }) => (propertyName ?? name).text));
    return given.size === 0 ? [] : functionsOf(source, (name) => given.has(name));
  });
}

/**
 * What is left of an object when it is taken apart.
 *
 * @param {ts.BindingName} pattern
 * @returns {string[]}
 */
function restOf(pattern) {
  if (!ts.isObjectBindingPattern(pattern)) return [];
  return pattern.elements.filter(({ dotDotDotToken }) => dotDotDotToken).map(({ name }) => name.getText());
}

/**
 * Whether a body looks at the names of an argument, or hands it (or what it leaves of it) on whole to what may.
 *
 * @param {ts.Node} body
 * @param {ts.BindingName} parameter
 * @returns {boolean}
 */
function looksAt(body, parameter) {
  const names = new Set(ts.isIdentifier(parameter) ? [parameter.text] : restOf(parameter));
  /** @type {(node: ts.Node) => boolean} */
  const looks = (node) => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && CHECKS.test(node.expression.text)) return true;
    if (ts.isVariableDeclaration(node) && node.initializer && names.has(node.initializer.getText())) {
      for (const name of restOf(node.name)) names.add(name);
    }
    if (ts.isIdentifier(node) && names.has(node.text)) {
      const { parent } = node;
      if (ts.isCallExpression(parent) || ts.isNewExpression(parent) || ts.isSpreadAssignment(parent)) return true;
    }
    return ts.forEachChild(node, looks) === true;
  };
  return looks(body);
}

/**
 * @param {import("./repository.mjs").Repository} repository
 * @param {import("./repository.mjs").Package[]} [selected]
 * @returns {import("./repository.mjs").CheckResult}
 */
export function check(repository, selected = repository.packages) {
  /** @type {import("./repository.mjs").Violation[]} */
  const violations = [];
  let subjects = 0;
  for (const { kind, directory } of selected) {
    if (kind !== "core" && kind !== "method") continue;
    for (const { module, statement, name } of functionsOf(join(directory, "src", "index.ts"))) {
      const options = statement.parameters.find(({ type }) => type && /^\w*Options\b/.test(type.getText()));
      if (options === undefined || statement.body === undefined || name.startsWith("check")) continue;
      subjects += 1;
      if (looksAt(statement.body, options.name)) continue;
      const { line } = module.getLineAndCharacterOfPosition(statement.getStart());
      const message = `${name} ignores options that do not exist; call checkOptions("${name}", options, [...]) first`;
      violations.push({ subject: `${shown(repository, module.fileName)}:${line + 1}`, message });
    }
  }
  return { subjects, violations };
}
