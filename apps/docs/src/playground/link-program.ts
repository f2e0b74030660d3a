import { init, parse } from "es-module-lexer";

/** Loads a package by the name that a program imports. */
export type LoadPackage = (specifier: string) => Promise<Record<string, unknown>>;

/** Namespaces of packages under the numbers by which the modules of a program find them. */
const namespaces: Record<string, unknown>[] = [];
const registry = "__offprintPackages";
const addresses = new Map<string, Promise<string>>();

function moduleAddress(source: string): string {
  return URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
}

/** A module that exports again what the bundle has, at an address that a program can import. */
async function reexport(specifier: string, load: LoadPackage): Promise<string> {
  const namespace = await load(specifier);
  (globalThis as Record<string, unknown>)[registry] = namespaces;
  const number = namespaces.push(namespace) - 1;
  const lines = Object.keys(namespace).map(
    (name, index) => `const e${index} = m.${name}; export { e${index} as ${name} };`,
  );
  return moduleAddress(`const m = globalThis.${registry}[${number}];\n${lines.join("\n")}`);
}

/**
 * A program as a module that the browser can import: names of packages become addresses, and lines stay where they are.
 *
 * @throws Error for syntax that cannot be read, or an import that is not a package of the site
 */
export async function linkProgram(code: string, load: LoadPackage): Promise<string> {
  await init;
  const [imports] = parse(code);
  let linked = "";
  let end = 0;
  for (const { n: specifier, s: from, e: to, d: dynamic } of imports) {
    if (dynamic === -2) continue; // import.meta
    if (specifier === undefined) throw new Error("import(): the playground needs the name of a package, written out.");
    let address = addresses.get(specifier);
    if (!address) {
      address = reexport(specifier, load);
      addresses.set(specifier, address);
      address.catch(() => addresses.delete(specifier));
    }
    const replacement = await address;
    linked += code.slice(end, from) + (dynamic >= 0 ? JSON.stringify(replacement) : replacement);
    end = to;
  }
  return moduleAddress(`${linked}${code.slice(end)}\n`);
}

/** The line of the program that an error comes from, from 1. */
export function lineOf(error: unknown, program: string): number | undefined {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const place = stack.indexOf(program);
  const line = place < 0 ? undefined : /^:(\d+)/.exec(stack.slice(place + program.length))?.[1];
  return line === undefined ? undefined : Number(line);
}
