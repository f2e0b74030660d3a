// Every symbol that users can import says what it is, and so do the members they see.
import { existsSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { shown } from "./repository.mjs";

export const title = "every public symbol is documented";
/** What it finds of a package depends on that and on those it stands on. */
export const local = true;

/** @type {ts.CompilerOptions} */
const options = {
  target: ts.ScriptTarget.ES2022,
  lib: ["lib.es2022.d.ts"],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  customConditions: ["@offprint/source"],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
};

/**
 * Members of a class, interface or object type that need words of their own.
 *
 * @param {ts.Declaration} declaration
 * @returns {ts.NamedDeclaration[]}
 */
function publicMembers(declaration) {
  const body = ts.isTypeAliasDeclaration(declaration) ? declaration.type : declaration;
  if (!ts.isClassDeclaration(body) && !ts.isInterfaceDeclaration(body) && !ts.isTypeLiteralNode(body)) return [];
  return [...body.members].filter((member) => {
    if (ts.isConstructorDeclaration(member) || ts.isClassStaticBlockDeclaration(member)) return false;
    if (!member.name || !ts.isIdentifier(member.name)) return false;
    // What overrides is documented by what it overrides, and `toString` by the language.
    const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected | ts.ModifierFlags.Override;
    if (member.name.text === "toString") return false;
    const internal = ts.getJSDocTags(member).some(({ tagName }) => tagName.text === "internal");
    return (ts.getCombinedModifierFlags(member) & hidden) === 0 && !internal;
  });
}

/**
 * The sources of what users can import.
 *
 * @param {import("./repository.mjs").Package} pkg
 * @returns {string[]}
 */
function entryPoints({ directory, manifest }) {
  const named = Object.values(manifest.exports ?? {}).flatMap((entry) => entry["@offprint/source"] ?? []);
  return [...new Set(["./src/index.ts", ...named])].map((path) => join(directory, path));
}

/**
 * @param {import("./repository.mjs").Repository} repository
 * @param {import("./repository.mjs").Package[]} [selected]
 * @returns {import("./repository.mjs").CheckResult}
 */
export function check(repository, selected = repository.packages) {
  const entries = selected
    .filter(({ kind }) => kind === "core" || kind === "method")
    .flatMap((pkg) => entryPoints(pkg).map((path) => ({ pkg, path })))
    .filter(({ path }) => existsSync(path));
  const program = ts.createProgram(
    entries.map(({ path }) => path),
    options,
  );
  const checker = program.getTypeChecker();
  /** @type {import("./repository.mjs").Violation[]} */
  const violations = [];
  const seen = new Set();
  let subjects = 0;

  /** @type {(symbol: ts.Symbol) => boolean} */
  const documented = (symbol) => symbol.getDocumentationComment(checker).length > 0;

  /** @type {(exported: ts.Symbol, directory: string, prefix: string) => void} */
  const visit = (exported, directory, prefix) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const declaration = symbol.declarations?.[0];
    const file = declaration?.getSourceFile();
    // What another package defines is that package's to document.
    if (!declaration || !file?.fileName.startsWith(directory) || seen.has(symbol)) return;
    seen.add(symbol);
    if (ts.isSourceFile(declaration)) {
      for (const inner of checker.getExportsOfModule(symbol)) visit(inner, directory, `${prefix}${exported.name}.`);
      return;
    }
    subjects += 1;
    /** @type {(node: ts.Node, name: string) => void} */
    const report = (node, name) => {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart());
      const subject = `${shown(repository, file.fileName)}:${line + 1}`;
      violations.push({ subject, message: `${prefix}${name} has no documentation comment` });
    };
    if (!documented(symbol)) report(declaration, exported.name);
    for (const each of symbol.declarations ?? []) {
      for (const member of publicMembers(each)) {
        const memberSymbol = member.name && checker.getSymbolAtLocation(member.name);
        if (memberSymbol && !documented(memberSymbol)) report(member, `${exported.name}.${memberSymbol.name}`);
      }
    }
  };

  for (const { pkg, path } of entries) {
    const source = program.getSourceFile(path);
    const module = source && checker.getSymbolAtLocation(source);
    for (const exported of module ? checker.getExportsOfModule(module) : []) visit(exported, pkg.directory, "");
  }
  return { subjects, violations };
}
