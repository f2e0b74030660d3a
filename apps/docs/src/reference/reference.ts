import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { Application, Converter } from "typedoc";
import { escapeHtml } from "../workspace/markdown-document.js";
import { repositoryAddress } from "../workspace/repository-links.js";
import { type EntryPoint, pageOf, type Workspace } from "../workspace/workspace.js";
import { mainExport, mainFirst } from "./main-first.js";
import { paginate } from "./paginate.js";
import { arrangeModules } from "./sections.js";

/** Entry points that are not meant for users' imports. */
const internalEntries = new Set(["./claims", "./cli"]);

function documentedEntries({ core, methods }: Workspace): EntryPoint[] {
  return [...core, ...methods].flatMap(({ entryPoints }) =>
    entryPoints.filter(({ path, source }) => !internalEntries.has(path) && source.endsWith(".ts")),
  );
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

/** Runs TypeDoc, which writes one Markdown page for each entry point and namespace into `output`. */
async function generate(workspace: Workspace, output: string, scratch: string): Promise<void> {
  const entries = documentedEntries(workspace);
  mkdirSync(scratch, { recursive: true });
  const tsconfig = join(scratch, "tsconfig.reference.json");
  writeCompilerOptions(workspace.root, tsconfig, entries);
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
    basePath: workspace.root,
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
  const packages = [...workspace.core, ...workspace.methods];
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => arrangeModules(project, entries, packages));
  const project = await app.convert();
  if (!project) throw new Error("TypeDoc could not read the packages; run it through the type checker first.");
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

/**
 * The API reference of every public entry point as pages, by path below `/api/`.
 *
 * @param scratch folder for intermediate files; replaced
 */
export async function referencePages(workspace: Workspace, scratch: string): Promise<Map<string, string>> {
  rmSync(scratch, { recursive: true, force: true });
  const output = join(scratch, "pages");
  await generate(workspace, output, scratch);
  const files = readdirSync(output, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".md"));
  const mains = new Map([...workspace.core, ...workspace.methods].map((pkg) => [pkg.slug, mainExport(pkg)]));
  const pages = files.sort().map((path): [string, string] => {
    const content = readFileSync(join(output, path), "utf8");
    const main = mains.get(path.split(sep)[0]!.replace(/\.md$/, ""));
    return [path.split(sep).join("/"), mainFirst(content, main?.name ?? "")];
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
