import { parseDocument } from "../workspace/markdown-document.js";
import type { Package } from "../workspace/workspace.js";

/** The first example of a README, and what it imports first from its own package: what people come for. */
export interface MainExport {
  readonly name: string;
  readonly example: string;
}

/** What a package is mainly there for, by its README; `undefined` where that shows no example. */
export function mainExport({ name, readme }: Pick<Package, "name" | "readme">): MainExport | undefined {
  const { sections } = parseDocument(readme);
  for (const { body } of sections) {
    const example = /^```(?:ts|typescript)[ \t]*\n.*?^```[ \t]*$/ms.exec(body)?.[0];
    const imported = example && new RegExp(`import \\{([^}]*)\\} from "${name}"`).exec(example)?.[1];
    const first = imported
      ?.split(",")
      .map((word) => word.trim())
      .find((word) => word !== "" && !word.startsWith("type "));
    if (example && first) return { name: first, example };
  }
  return undefined;
}

const itemStart = /^(?=<a id="[^"]+"><\/a>\n\n### )/m;

function nameOf(item: string): string {
  return /^### (.*)$/m.exec(item)?.[1]?.replace(/\\/g, "").replace(/<.*$/, "") ?? "";
}

function place(item: string, main: string): number {
  const name = nameOf(item);
  if (name.replace("()", "") === main) return 0;
  return name.endsWith("()") ? 1 : 2;
}

/**
 * A generated page in the order in which people read: the section of the main export comes first, and in every section
 * functions come before the types that they use.
 */
export function mainFirst(content: string, main: string): string {
  const [head = "", ...sections] = content.split(/^(?=## )/m);
  const sorted = sections.map((section) => {
    const [heading = "", ...items] = section.split(itemStart);
    const clean = items.map((item) => item.replace(/\n*^\*\*\*\n*$/m, "\n\n").trimEnd());
    const ordered = clean
      .map((item, index) => ({ item, index, place: place(item, main) }))
      .sort((a, b) => a.place - b.place || a.index - b.index);
    return {
      text: [heading.trimEnd(), ...ordered.map(({ item }) => item)].join("\n\n"),
      first: ordered[0]?.place === 0,
    };
  });
  const inOrder = [...sorted.filter(({ first }) => first), ...sorted.filter(({ first }) => !first)];
  return [head.trimEnd(), ...inOrder.map(({ text }) => text)].join("\n\n");
}
