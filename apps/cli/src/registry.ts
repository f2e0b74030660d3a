import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ClaimSet } from "@offprint/claims";
import { type Command, didYouMean, exitCodes, Failure } from "@offprint/commands";

/** A method package and what its package.json says about its paper. */
export interface Method {
  /** Name on the command line: that of the package without its scope. */
  readonly name: string;
  readonly packageName: string;
  readonly version: string;
  readonly directory: string;
  readonly homepage: string | undefined;
  /** What one can do with it, in a few words; undefined where its package does not say. */
  readonly task: string | undefined;
  /** What it is for, in one sentence. */
  readonly purpose: string;
  readonly title: string;
  readonly authors: string;
  readonly year: number;
  readonly arxiv: string | undefined;
  readonly area: string;
  /** Summaries of the commands that the package adds, by name. */
  readonly commands: Readonly<Record<string, string>>;
}

/** The packages that this installation has. */
export interface Registry {
  /** Version of the command itself. */
  readonly version: string;
  /** By area and name. */
  readonly methods: readonly Method[];
  /** The package.json whose dependencies they are. */
  readonly manifestPath: string;
  /** Resolves as the command's own code would. */
  readonly require: NodeJS.Require;
  /** Version of an installed package, or nothing. */
  versionOf(packageName: string): string | undefined;
  /** Imports a module as the command's own code would; nothing when it is not installed. */
  load(specifier: string): Promise<Record<string, unknown> | undefined>;
}

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly description?: string;
  readonly homepage?: string;
  readonly repository?: { readonly url?: string; readonly directory?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly offprint?: {
    readonly task?: string;
    readonly title: string;
    readonly authors: string | readonly string[];
    readonly year: number;
    readonly arxiv?: string | null;
    readonly area: string;
    readonly commands?: Readonly<Record<string, string>>;
  };
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, "utf8")) as Manifest;
}

/**
 * Folder of an installed package. `require.resolve("<package>/package.json")` would fail for packages that do not
 * export that file.
 */
function packageDirectory(require: NodeJS.Require, name: string): string | undefined {
  const parents = require.resolve.paths(name) ?? [];
  return parents.map((parent) => join(parent, name)).find((path) => existsSync(join(path, "package.json")));
}

function sourceAddress({ homepage, repository }: Manifest): string | undefined {
  const url = repository?.url?.replace(/^git\+/, "").replace(/\.git$/, "");
  if (homepage || !url) return homepage;
  return repository?.directory ? `${url}/tree/main/${repository.directory}` : url;
}

function method(directory: string, manifest: Manifest): Method | undefined {
  const { name, version = "0.0.0", description, offprint } = manifest;
  if (!name || !offprint) return undefined;
  const { authors } = offprint;
  return {
    name: name.replace(/^@[^/]+\//, ""),
    packageName: name,
    version,
    directory,
    homepage: sourceAddress(manifest),
    task: offprint.task,
    purpose: description || offprint.title,
    title: offprint.title,
    authors: typeof authors === "string" ? authors : authors.join(", "),
    year: offprint.year,
    arxiv: offprint.arxiv || undefined,
    area: offprint.area,
    commands: offprint.commands ?? {},
  };
}

function isMissing(error: unknown, specifier: string): boolean {
  const { code, message = "" } = error as NodeJS.ErrnoException;
  return code === "MODULE_NOT_FOUND" && message.includes(`'${specifier}'`);
}

/**
 * Reads the methods from the dependencies of a package.json.
 *
 * @param manifestPath absolute path; modules are resolved from its folder
 */
export function readRegistry(manifestPath: string): Registry {
  const require = createRequire(manifestPath);
  const own = readManifest(manifestPath);
  const manifestOf = (name: string): [string, Manifest] | undefined => {
    const directory = packageDirectory(require, name);
    return directory ? [directory, readManifest(join(directory, "package.json"))] : undefined;
  };
  const methods = Object.keys(own.dependencies ?? {}).flatMap((name) => {
    const found = manifestOf(name);
    const read = found && method(...found);
    return read ? [read] : [];
  });
  return {
    require,
    manifestPath,
    version: own.version ?? "0.0.0",
    methods: methods.sort((a, b) => a.area.localeCompare(b.area) || a.name.localeCompare(b.name)),
    versionOf: (name) => manifestOf(name)?.[1].version,
    async load(specifier) {
      let path: string;
      try {
        path = require.resolve(specifier);
      } catch (error) {
        if (isMissing(error, specifier)) return undefined;
        throw error;
      }
      return import(pathToFileURL(path).href);
    },
  };
}

/** The registry of this installation. */
export function ownRegistry(): Registry {
  // Both src/ and dist/ lie beside package.json.
  return readRegistry(join(dirname(import.meta.dirname), "package.json"));
}

/**
 * The method that a word means: its name, or its package's.
 *
 * @throws Failure with suggestions when there is none
 */
export function findMethod(registry: Registry, word: string): Method {
  const found = registry.methods.find(({ name, packageName }) => word === name || word === packageName);
  if (found) return found;
  const names = registry.methods.map(({ name }) => name);
  throw new Failure(`there is no method "${word}".${didYouMean(word, names)} "offprint list" shows all.`);
}

async function entry(
  registry: Registry,
  { name, packageName }: Method,
  path: string,
): Promise<Record<string, unknown>> {
  const specifier = `${packageName}/${path}`;
  try {
    const loaded = await registry.load(specifier);
    if (loaded) return loaded;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`${name}: ${specifier} could not be loaded: ${reason}`, exitCodes.negative);
  }
  throw new Failure(`${name}: ${specifier} is missing; reinstall offprint.`, exitCodes.negative);
}

/** The claims of a method. */
export async function loadClaims(registry: Registry, method: Method): Promise<ClaimSet> {
  const { claims } = await entry(registry, method, "claims");
  if (Array.isArray((claims as ClaimSet | undefined)?.claims)) return claims as ClaimSet;
  throw new Failure(`${method.name}: ${method.packageName}/claims does not export claims.`, exitCodes.negative);
}

/** A command that a method adds. */
export async function loadCommand(registry: Registry, method: Method, name: string): Promise<Command> {
  const { commands } = await entry(registry, method, "cli");
  const found = Array.isArray(commands) ? (commands as Command[]).find((command) => command.name === name) : undefined;
  if (found) return found;
  throw new Failure(`${method.name}: ${method.packageName}/cli has no command "${name}".`, exitCodes.negative);
}
