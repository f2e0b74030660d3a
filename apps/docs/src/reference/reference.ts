import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { Application, Converter, type DeclarationReflection, type ProjectReflection, type Reflection } from "typedoc";
import { escapeHtml } from "../workspace/markdown-document.js";
import { repositoryAddress } from "../workspace/repository-links.js";
import { type EntryPoint, type Package, pageOf, type Workspace } from "../workspace/workspace.js";
import { KeptReference } from "./kept-reference.js";
import { mainExport, mainFirst } from "./main-first.js";
import { paginate } from "./paginate.js";
import { arrangeModules, moduleName } from "./sections.js";

/** Entry points that are not meant for users' imports. */
const internalEntries = new Set(["./claims", "./cli"]);

function documentedEntries({ entryPoints }: Package): EntryPoint[] {
  return entryPoints.filter(({ path, source }) => !internalEntries.has(path) && source.endsWith(".ts"));
}

/** A compiler configuration for the entry points, which lie in different projects of the repository. */
function writeCompilerOptions(root: string, path: string, entries: readonly EntryPoint[]): void {
  const options = {
    extends: join(root, "tsconfig.base.json"),
    compilerOptions: {
      composite: false,
      incremental: false,
      declaration: false,
      noEmit: true,
      types: ["node"],
      typeRoots: [join(root, "node_modules", "@types")],
    },
    files: entries.map(({ source }) => source),
  };
  writeFileSync(path, JSON.stringify(options));
}

/** The module that a reflection belongs to. */
function moduleOf(reflection: Reflection | undefined): Reflection | undefined {
  let at = reflection;
  while (at?.parent && !at.parent.isProject()) at = at.parent;
  return at;
}

/** A type does not name those that extend it in other packages: its page would change with every package that is added. */
function forgetHeirsElsewhere(project: ProjectReflection): void {
  for (const reflection of Object.values(project.reflections) as DeclarationReflection[]) {
    for (const key of ["extendedBy", "implementedBy"] as const) {
      const heirs = reflection[key]?.filter((heir) => moduleOf(heir.reflection) === moduleOf(reflection));
      if (heirs && heirs.length > 0) reflection[key] = heirs;
      else delete reflection[key];
    }
  }
}

/** Runs TypeDoc, which writes one Markdown page for each entry point and namespace of the packages into `output`. */
async function generate(root: string, packages: readonly Package[], output: string, scratch: string): Promise<void> {
  const entries = packages.flatMap(documentedEntries);
  mkdirSync(scratch, { recursive: true });
  const tsconfig = join(scratch, "tsconfig.reference.json");
  writeCompilerOptions(root, tsconfig, entries);
  const app = await Application.bootstrapWithPlugins({
    entryPoints: entries.map(({ source }) => source),
    tsconfig,
    out: output,
    plugin: ["typedoc-plugin-markdown"],
    // Types and documentation are judged by checks of their own.
    skipErrorChecking: true,
    validation: { notExported: false, invalidLink: false, notDocumented: false, invalidPath: false },
    excludeInternal: true,
    excludePrivate: true,
    excludeProtected: true,
    excludeExternals: true,
    categorizeByGroup: false,
    navigation: { includeCategories: false, includeGroups: false },
    sort: ["source-order"],
    groupOrder: ["Functions", "Classes", "Variables", "Interfaces", "Type Aliases", "*"],
    readme: "none",
    disableGit: true,
    basePath: root,
    sourceLinkTemplate: `${repositoryAddress}/blob/main/{path}#L{line}`,
    logLevel: "Error",
    ...({
      outputFileStrategy: "modules",
      entryFileName: "index",
      hidePageHeader: true,
      hideBreadcrumbs: true,
      hideGroupHeadings: false,
      useHTMLAnchors: true,
      parametersFormat: "table",
      interfacePropertiesFormat: "table",
      classPropertiesFormat: "table",
      typeAliasPropertiesFormat: "table",
      propertyMembersFormat: "table",
      typeDeclarationFormat: "table",
      enumMembersFormat: "table",
      tableColumnSettings: { hideSources: true, hideInherited: true, hideOverrides: true, hideModifiers: true },
    } as object),
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => arrangeModules(project, entries, packages));
  const project = await app.convert();
  if (!project) throw new Error("TypeDoc could not read the packages; run it through the type checker first.");
  forgetHeirsElsewhere(project);
  await app.generateOutputs(project);
}

/** The first page of every package begins with how it is imported and used. */
function withExamples(pages: Map<string, string>, { core, methods }: Workspace): Map<string, string> {
  for (const pkg of [...core, ...methods]) {
    const path = [`${pkg.slug}.md`, `${pkg.slug}/index.md`].find((each) => pages.has(each));
    const main = mainExport(pkg);
    if (!path || !main) continue;
    const lead = [
      `\`\`\`ts\nimport { ${main.name} } from "${pkg.name}";\n\`\`\``,
      `${escapeHtml(pkg.description)} [What it is for, and how it is used](${pageOf(pkg)}); an example:`,
      main.example,
    ];
    pages.set(
      path,
      pages.get(path)!.replace(/^# .*$/m, (title) => [title, ...lead].join("\n\n")),
    );
  }
  return pages;
}

/** The generated pages of packages: of those whose sources are the same as before, the pages of before. */
async function generatedPages(workspace: Workspace, scratch: string, kept: string): Promise<Map<string, string>> {
  const packages = [...workspace.core, ...workspace.methods];
  const reference = new KeptReference(kept, workspace);
  const unknown = reference.unknown(packages);
  if (unknown.length > 0) {
    rmSync(scratch, { recursive: true, force: true });
    const output = join(scratch, "pages");
    const linked = reference.linkedFrom(unknown);
    const read = packages.filter((pkg) => linked.has(pkg) && documentedEntries(pkg).length > 0);
    if (read.length > 0) await generate(workspace.root, read, output, scratch);
    else mkdirSync(output, { recursive: true });
    const files = readdirSync(output, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".md"));
    for (const pkg of unknown) {
      const modules = new Set(documentedEntries(pkg).map(moduleName));
      const own = files.filter((path) => modules.has(path.split(sep)[0]!.replace(/\.md$/, "")));
      const pages = own.map((path) => [path.split(sep).join("/"), readFileSync(join(output, path), "utf8")] as const);
      reference.set(pkg, pages);
    }
  }
  return reference.finish(packages);
}

/**
 * The API reference of every public entry point as pages, by path below `/api/`.
 *
 * @param scratch folder for intermediate files; replaced
 * @param kept file that keeps generated pages from one build to the next
 */
export async function referencePages(
  workspace: Workspace,
  scratch: string,
  kept: string,
): Promise<Map<string, string>> {
  const generated = await generatedPages(workspace, scratch, kept);
  const mains = new Map([...workspace.core, ...workspace.methods].map((pkg) => [pkg.slug, mainExport(pkg)]));
  const pages = [...generated].map(([path, content]): [string, string] => {
    const main = mains.get(path.split("/")[0]!.replace(/\.md$/, ""));
    return [path, mainFirst(content, main?.name ?? "")];
  });
  return withExamples(paginate(new Map(pages)), workspace);
}

/**
 * The first API page of every package that has one, from the site's root.
 *
 * @param pages paths below `/api/`
 */
export function apiAddresses(pages: Iterable<string>): Map<string, string> {
  const addresses = new Map<string, string>();
  for (const path of pages) {
    if (!path.includes("/")) addresses.set(path.replace(/\.md$/, ""), `/api/${path.replace(/\.md$/, "")}`);
    else if (path.endsWith("/index.md")) addresses.set(dirname(path), `/api/${dirname(path)}/`);
  }
  return addresses;
}
