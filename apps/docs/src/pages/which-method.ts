import { escapeHtml } from "../workspace/markdown-document.js";
import { type Package, pageOf } from "../workspace/workspace.js";
import type { Guide } from "./guides.js";

/** The guide that says which method to take. */
export const whichMethod = "which-method";

/** That guide with the methods that it does not speak of yet, so that it has all of them. */
export function withAllMethods(guide: Guide, methods: readonly Package[]): Guide {
  const others = methods.filter((method) => !guide.content.includes(`(${pageOf(method)})`));
  if (guide.slug !== whichMethod || others.length === 0) return guide;
  const rows = others.map((method) => {
    const { task, purpose } = method.paper!;
    return `| [${method.slug}](${pageOf(method)}) | **${escapeHtml(task)}.** ${escapeHtml(purpose)} |`;
  });
  const section = ["## Also here", "", "| method | for whom |", "| --- | --- |", ...rows, ""].join("\n");
  return { ...guide, content: `${guide.content.trimEnd()}\n\n${section}` };
}
