import { pageOf, type Workspace } from "../workspace/workspace.js";
import type { Guide } from "./guides.js";

/** `llms.txt`: what the site is and where its pages are, for programs that read before they answer. */
export function llmsText({ core, methods }: Workspace, guides: readonly Guide[]): string {
  const method = methods.map((pkg) => {
    const { task, purpose, title, year } = pkg.paper!;
    return `- [${pkg.name}](${pageOf(pkg)}): ${task}. ${purpose} From "${title}" (${year}).`;
  });
  const package_ = core.map((pkg) => `- [${pkg.name}](${pageOf(pkg)}): ${pkg.description}`);
  return [
    "# Offprint",
    "",
    "> Machine-learning papers as npm packages in TypeScript: one paper, one package, which does what the paper says on the user's own problem and carries the paper's claims as runnable code.",
    "",
    "Install one method with `npm i @offprint/<method> @offprint/tensor-core`; run its claims with `npx offprint reproduce <method>`. Everything runs in Node >= 20.19, in workers and in pages.",
    "",
    "## Methods",
    "",
    ...method,
    "",
    "## Core packages",
    "",
    ...package_,
    "",
    "## Guides",
    "",
    ...guides.map(({ slug, title }) => `- [${title}](/guides/${slug})`),
    "",
  ].join("\n");
}
