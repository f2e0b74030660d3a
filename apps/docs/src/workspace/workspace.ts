import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What a method's package.json says about its paper, under `offprint`. */
export interface Paper {
  /** What one can do with the method, in a few words that begin with a verb. */
  readonly task: string;
  /** A sentence that says for whom it is. */
  readonly purpose: string;
  readonly title: string;
  readonly authors: readonly string[];
  readonly year: number;
  /** Number on arXiv, such as `1909.11015`. */
  readonly arxiv: string | undefined;
  readonly area: string;
  /** Where the paper was published. */
  readonly venue: string | undefined;
  /** Address of the authors' own code. */
  readonly code: string | undefined;
  /** Further papers that the package implements. */
  readonly further: readonly Pick<Paper, "title" | "authors" | "year" | "arxiv">[];
}

/** One entry point of a package: what users import, and the source behind it. */
export interface EntryPoint {
  /** `@offprint/optim/conformance`. */
  readonly specifier: string;
  /** Key in `exports`, such as `./conformance`. */
  readonly path: string;
  /** Absolute path of the TypeScript file. */
  readonly source: string;
}

/** A program that a package contributes to the playground. */
export interface Example {
  /** `diffgrad/valley`: the package's folder and the file's name. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly code: string;
  /** What it shows, drawn before, an SVG that takes its colours from the page; absent where it shows nothing. */
  readonly picture?: string;
}

/** A published package of the repository. */
export interface Package {
  /** Name of its folder, and of its page. */
  readonly slug: string;
  /** Name on npm. */
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly keywords: readonly string[];
  readonly kind: "core" | "method";
  readonly directory: string;
  /** Path from the repository's root, with forward slashes. */
  readonly folder: string;
  readonly readme: string;
  readonly entryPoints: readonly EntryPoint[];
  /** Names of the packages that it computes with. */
  readonly dependencies: readonly string[];
  /** Whether it comes as modules for pages without a bundler. */
  readonly forPages: boolean;
  /** What methods have. */
  readonly paper: Paper | undefined;
  readonly examples: readonly Example[];
}

/** The repository as the site sees it. */
export interface Workspace {
  readonly root: string;
  /** Core packages by name. */
  readonly core: readonly Package[];
  /** Methods by area and name. */
  readonly methods: readonly Package[];
}

interface Manifest {
  readonly name: string;
  readonly version?: string;
  readonly description?: string;
  readonly private?: boolean;
  readonly keywords?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly unpkg?: string;
  readonly exports?: Readonly<Record<string, string | { readonly "@offprint/source"?: string }>>;
  readonly offprint?: {
    readonly task?: string;
    readonly purpose?: string;
    readonly title: string;
    readonly authors: string | readonly string[];
    readonly year: number;
    readonly arxiv?: string | null;
    readonly area: string;
    readonly venue?: string;
    readonly code?: string;
    readonly further?: readonly {
      readonly title: string;
      readonly authors: readonly string[];
      readonly year: number;
      readonly arxiv: string | null;
    }[];
  };
}

function entryPoints(directory: string, { name, exports = {} }: Manifest): EntryPoint[] {
  return Object.entries(exports).flatMap(([path, target]) => {
    const source = typeof target === "object" ? target["@offprint/source"] : undefined;
    return source ? [{ specifier: name + path.slice(1), path, source: join(directory, source) }] : [];
  });
}

/** Areas are headings here, whatever case a manifest writes them in. */
function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function paperOf({ offprint }: Manifest): Paper | undefined {
  if (!offprint) return undefined;
  const { task, purpose = "", title, authors, year, arxiv, area, venue, code } = offprint;
  const further = (offprint.further ?? []).map((paper) => ({ ...paper, arxiv: paper.arxiv ?? undefined }));
  const names = typeof authors === "string" ? authors.split(/,\s*|\s+and\s+/) : authors;
  const paper = { title, authors: names, year, arxiv: arxiv || undefined, venue, code, further };
  return { task: task ?? title, purpose, ...paper, area: capitalised(area) };
}

/**
 * A program with its heading: the comment at the top is the title in its first line and a description below.
 *
 * @throws Error when the file does not start with a comment
 */
export function readExample(id: string, source: string): Example {
  const lines = source.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  const comment = lines.slice(0, Math.max(0, end)).map((line) => line.slice(2).trim());
  const [title = "", ...description] = comment;
  if (!title) throw new Error(`playground example ${id}: the first line must be a comment with its title.`);
  return { id, title, description: description.join(" "), code: lines.slice(end).join("\n").trim() + "\n" };
}

/** The picture beside a program, without the colours that it brings along for those who look at it alone. */
function readPicture(program: string): string | undefined {
  const path = program.replace(/\.js$/, ".svg");
  if (!existsSync(path)) return undefined;
  const svg = readFileSync(path, "utf8");
  return svg
    .replace(/<!--.*?-->/gs, "")
    .replace(/<style>.*?<\/style>/gs, "")
    .trim();
}

/** Programs of a folder, by file name. */
export function readExamples(slug: string, folder: string): Example[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith(".js"));
  return files.sort().map((file) => {
    const example = readExample(`${slug}/${file.slice(0, -3)}`, readFileSync(join(folder, file), "utf8"));
    const picture = readPicture(join(folder, file));
    return picture ? { ...example, picture } : example;
  });
}

function readPackage(root: string, folder: string, kind: Package["kind"]): Package | undefined {
  const directory = join(root, folder);
  const manifestPath = join(directory, "package.json");
  if (!existsSync(manifestPath)) return undefined;
  const manifest = JSON.parse(readFileSync(manifestPath, "utf8")) as Manifest;
  if (manifest.private) return undefined;
  const slug = folder.split("/").at(-1)!;
  const readme = join(directory, "README.md");
  return {
    slug,
    name: manifest.name,
    version: manifest.version ?? "0.0.0",
    description: manifest.description ?? "",
    keywords: manifest.keywords ?? [],
    kind,
    directory,
    folder,
    readme: existsSync(readme) ? readFileSync(readme, "utf8") : "",
    entryPoints: entryPoints(directory, manifest).filter(({ source }) => existsSync(source)),
    dependencies: Object.keys(manifest.dependencies ?? {}),
    forPages: manifest.unpkg !== undefined,
    paper: paperOf(manifest),
    examples: readExamples(slug, join(directory, "playground")),
  };
}

function readFolder(root: string, parent: string, kind: Package["kind"]): Package[] {
  const path = join(root, parent);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .sort()
    .flatMap((slug) => readPackage(root, `${parent}/${slug}`, kind) ?? []);
}

/** Reads every package of the repository; a new folder with a package.json is all that it takes to be on the site. */
export function readWorkspace(root: string): Workspace {
  const methods = readFolder(root, "packages/methods", "method").filter(({ paper }) => paper !== undefined);
  methods.sort((a, b) => a.paper!.area.localeCompare(b.paper!.area) || a.slug.localeCompare(b.slug));
  return { root, core: readFolder(root, "packages/core", "core"), methods };
}

/** The page of a package, from the site's root. */
export function pageOf({ kind, slug }: Pick<Package, "kind" | "slug">): string {
  return kind === "method" ? `/methods/${slug}` : `/packages/${slug}`;
}
