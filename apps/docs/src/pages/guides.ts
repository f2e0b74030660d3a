import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { forSite, parseDocument } from "../workspace/markdown-document.js";

/** A guide: a page that explains how to do something. */
export interface Guide {
  /** Name of its page. */
  readonly slug: string;
  readonly title: string;
  readonly content: string;
}

/** In which order guides are offered; others follow by name. */
const order = [
  "getting-started",
  "which-method",
  "tensors-and-gradients",
  "compiling-and-devices",
  "exporting-to-onnx",
  "where-it-runs",
  "from-one-machine-to-many",
  "certifying-networks",
  "performance",
  "adding-a-method",
  "adding-a-core-package",
  "compiled-code",
  "numbers",
];

/** The repository's documents for contributors that are guides of the site. */
const contributors = ["adding-a-core-package", "compiled-code", "numbers"];

function place({ slug }: Guide): number {
  const index = order.indexOf(slug);
  return index < 0 ? order.length : index;
}

/** The guide for contributors is the repository's own document; until there is one, the section of CONTRIBUTING.md. */
function addingAMethod(root: string): Guide[] {
  const slug = "adding-a-method";
  const own = join(root, "docs", "adding-a-method.md");
  if (existsSync(own)) {
    const content = forSite(readFileSync(own, "utf8"), "docs", root);
    return [{ slug, title: parseDocument(content).title || "Adding a method", content }];
  }
  const contributing = join(root, "CONTRIBUTING.md");
  if (!existsSync(contributing)) return [];
  const { sections } = parseDocument(forSite(readFileSync(contributing, "utf8"), "", root));
  const kept = sections.filter(({ heading }) => /adding a method|rules|style|set-up/i.test(heading));
  const content = ["# Adding a method", ...kept.map(({ heading, body }) => `## ${heading}\n\n${body}`)].join("\n\n");
  return [{ slug, title: "Adding a method", content: `${content}\n` }];
}

/** The other documents for contributors, as they stand in the repository. */
function forContributors(root: string): Guide[] {
  return contributors.flatMap((slug) => {
    const path = join(root, "docs", `${slug}.md`);
    if (!existsSync(path)) return [];
    const content = forSite(readFileSync(path, "utf8"), "docs", root);
    return [{ slug, title: parseDocument(content).title, content }];
  });
}

/** All guides in reading order. */
export function readGuides(root: string, folder: string): Guide[] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".md"));
  const written = files.map((name): Guide => {
    const content = readFileSync(join(folder, name), "utf8");
    return { slug: name.slice(0, -3), title: parseDocument(content).title, content };
  });
  return [...written, ...addingAMethod(root), ...forContributors(root)].sort(
    (a, b) => place(a) - place(b) || a.slug.localeCompare(b.slug),
  );
}
