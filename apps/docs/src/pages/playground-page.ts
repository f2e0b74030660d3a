import { transform } from "esbuild";
import ts from "typescript";
import type { PlaygroundFiles } from "../playground-bundle.js";
import { page, parseDocument } from "../workspace/markdown-document.js";
import type { Example, Package, Workspace } from "../workspace/workspace.js";

/** The examples of one package, or of the core, under a heading. */
export interface ExampleGroup {
  readonly title: string;
  readonly examples: readonly Example[];
}

/** The code of a README's first example, which has no file of its own. */
function usageBlock(readme: string): string | undefined {
  const usage = parseDocument(readme).sections.find(({ heading }) => /\bus(age|e|ing)\b/i.test(heading));
  return /^```(?:ts|js)\s*\n(.*?)^```/ms.exec(usage?.body ?? "")?.[1];
}

/** Whether the playground, which runs JavaScript with the packages of the repository, can run it. */
async function runsInPlayground(code: string, available: ReadonlySet<string>): Promise<boolean> {
  const imported = [...code.matchAll(/\bfrom\s+"([^"]+)"/g)].map((match) => match[1]!);
  if (!imported.every((specifier) => available.has(specifier))) return false;
  return transform(code, { loader: "js", format: "esm", logLevel: "silent" }).then(
    () => true,
    () => false,
  );
}

/** The examples of a package: those of its `playground` folder, or else the usage of its README where that can run. */
export async function examplesOf(pkg: Package, available: ReadonlySet<string>): Promise<readonly Example[]> {
  if (pkg.examples.length > 0) return pkg.examples;
  const code = usageBlock(pkg.readme);
  if (!code || !(await runsInPlayground(code, available))) return [];
  const description = `The example of the README of ${pkg.name}.`;
  return [{ id: `${pkg.slug}/usage`, title: `${pkg.slug}: usage`, description, code }];
}

const typescriptBlock = /^```(?:ts|typescript)[ \t]*\n(.*?)^```[ \t]*$/gms;

/** The program of a README as JavaScript; `undefined` where the playground cannot run it. */
async function programOf(code: string, available: ReadonlySet<string>): Promise<string | undefined> {
  if (await runsInPlayground(code, available)) return code;
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };
  const { outputText } = ts.transpileModule(code, { compilerOptions: options });
  const indented = outputText.replace(/^(?: {4})+/gm, (spaces) => " ".repeat(spaces.length / 2));
  return (await runsInPlayground(indented, available)) ? indented : undefined;
}

/** The programs of a package's README that the playground can run, by the block that they are written in. */
export async function readmePrograms(
  pkg: Package,
  available: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Example>> {
  const programs = new Map<string, Example>();
  for (const [whole, block = ""] of pkg.readme.matchAll(typescriptBlock)) {
    const code = /^import /m.test(block) ? await programOf(block, available) : undefined;
    if (code === undefined) continue;
    const id = `readme/${pkg.slug}/${programs.size + 1}`;
    programs.set(whole, { id, title: pkg.name, description: "From the README, as it stands there.", code });
  }
  return programs;
}

/** A document whose blocks of code lead to the playground where it can run them. */
export function withOpenLinks(markdown: string, programs: ReadonlyMap<string, Example>): string {
  return markdown.replace(typescriptBlock, (whole) => {
    const program = programs.get(whole);
    if (!program) return whole;
    return `${whole}\n\n<p class="open-program"><a href="/playground#${program.id}">Open in the playground</a></p>\n`;
  });
}

/** All examples: the core's first, then those of the methods by area. */
export async function exampleGroups(
  { core, methods }: Workspace,
  own: readonly Example[],
  available: ReadonlySet<string>,
): Promise<ExampleGroup[]> {
  const coreExamples = await Promise.all(core.map((pkg) => examplesOf(pkg, available)));
  const groups = new Map<string, Example[]>([["Start here", [...own]]]);
  for (const method of methods) {
    const examples = await examplesOf(method, available);
    const area = method.paper!.area;
    if (examples.length > 0) groups.set(area, [...(groups.get(area) ?? []), ...examples]);
  }
  groups.set("Core packages", coreExamples.flat());
  return [...groups].map(([title, examples]) => ({ title, examples })).filter(({ examples }) => examples.length > 0);
}

/** The page of the playground; its component takes the addresses from the front matter. */
export function playgroundPage(files: PlaygroundFiles): string {
  return page(
    {
      title: "Playground",
      description: "Edit and run Offprint in this page.",
      layout: "page",
      pageClass: "playground-page",
      ...files,
    },
    "<Playground />",
  );
}
