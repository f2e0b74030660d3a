import { relative, sep } from "node:path";
import { Comment, CommentTag, type DeclarationReflection, type ProjectReflection, ReflectionKind } from "typedoc";
import type { EntryPoint, Package } from "../workspace/workspace.js";

/** Modules with fewer exports are easier to survey when they are grouped by kind: functions, classes, types. */
const fewExports = 30;

/** A file or folder name as a heading: `custom-vjp` is `Custom vjp`. */
function headingOf(name: string): string {
  const words = name.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The heading under which an export is found: the family of operations, or the folder or file that it is defined in. */
function sectionOf(source: string, sourceFolder: string): string {
  const parts = relative(sourceFolder, source).replace(/\.ts$/, "").split(sep);
  const [folder = "", file = ""] = parts.length > 1 ? parts : ["", parts[0]];
  if (folder === ".." || file === "index") return "Other";
  return headingOf(folder === "" || folder === "ops" ? file : folder);
}

function hasCategory({ comment }: DeclarationReflection): boolean {
  return comment?.blockTags.some(({ tag }) => tag === "@category") ?? false;
}

/** Puts what a module exports under headings; namespaces keep a page of their own. */
function categorise(module: DeclarationReflection, sourceFolder: string): void {
  const exported = (module.children ?? []).filter(({ kind }) => kind !== ReflectionKind.Namespace);
  if (exported.length < fewExports) return;
  for (const each of exported) {
    const source = each.sources?.[0]?.fullFileName ?? each.signatures?.[0]?.sources?.[0]?.fullFileName;
    if (!source || hasCategory(each)) continue;
    each.comment ??= new Comment();
    each.comment.blockTags.push(new CommentTag("@category", [{ kind: "text", text: sectionOf(source, sourceFolder) }]));
  }
}

/** Names modules as they are imported, without the scope, and groups what large ones export. */
export function arrangeModules(
  project: ProjectReflection,
  entries: readonly EntryPoint[],
  packages: readonly Package[],
): void {
  for (const module of project.getReflectionsByKind(ReflectionKind.Module) as DeclarationReflection[]) {
    const file = module.sources?.[0]?.fullFileName;
    const entry = entries.find(({ source }) => source === file);
    const pkg = packages.find(({ entryPoints }) => entry && entryPoints.includes(entry));
    if (!entry || !pkg) continue;
    module.name = moduleName(entry);
    categorise(module, `${pkg.directory}${sep}src`);
  }
}

/** Name of an entry point's page: `optim`, `optim-conformance`. */
export function moduleName({ specifier }: EntryPoint): string {
  return specifier.replace(/^@offprint\//, "").replaceAll("/", "-");
}
