import { transform } from "esbuild";
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

/** The page of the playground. */
export function playgroundPage(): string {
  return page(
    {
      title: "Playground",
      description: "Edit and run Offprint in this page.",
      layout: "page",
      pageClass: "playground-page",
    },
    "<Playground />",
  );
}
