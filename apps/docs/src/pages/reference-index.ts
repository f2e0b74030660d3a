import { escapeHtml, page } from "../workspace/markdown-document.js";
import type { Package, Workspace } from "../workspace/workspace.js";

/** The page that leads to the reference of every package. */
export function referenceIndex({ core, methods }: Workspace, api: ReadonlyMap<string, string>): string {
  const table = (packages: readonly Package[]) => [
    "| package | what it is |",
    "| --- | --- |",
    ...packages.flatMap(({ slug, name, description }) => {
      const link = api.get(slug);
      return link ? [`| [\`${name}\`](${link}) | ${escapeHtml(description)} |`] : [];
    }),
  ];
  return page(
    { title: "API reference", description: "Every public symbol of every package." },
    "# API reference",
    "Every public symbol, from the documentation comments of the sources.",
    "## Core packages",
    table(core).join("\n"),
    ...(methods.length > 0 ? ["## Methods", table(methods).join("\n")] : []),
  );
}
