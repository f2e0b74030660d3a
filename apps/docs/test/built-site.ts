import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { serve, siteFolder } from "../serve.mjs";
import type { CatalogueEntry } from "../src/pages/catalogue.js";

/** The built site, as it is served to a browser. */
export interface ServedSite {
  /** The site's root. */
  readonly address: string;
  /** Ends the server, and notes for `npm test` all files that it was asked for. */
  close(): Promise<void>;
}

/**
 * Serves the site that `npm test` has built, or builds it.
 *
 * @param name of the tests, where they see nothing else of the site: `npm test` does not run them again while what they
 * were given stays the same
 */
export async function servedSite(name?: string): Promise<ServedSite> {
  const script = join(dirname(siteFolder), "..", "..", "..", "tooling", "setup", "build.mjs");
  // A test runner that hears nothing of its process for a minute gives it up: waiting must not stop it.
  const child = spawn(process.execPath, [script, "site"], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (said += part));
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`The site could not be built:\n${said}`);
  const asked = new Set<string | undefined>();
  const { address, close } = await serve(siteFolder, { onAsked: (path) => asked.add(path) });
  return {
    address,
    async close() {
      await close();
      const folder = process.env["OFFPRINT_TEST_READS"];
      // What was asked for and is not there may be there the next time.
      if (name === undefined || folder === undefined || asked.has(undefined)) return;
      writeFileSync(join(folder, `reads-${name}.json`), JSON.stringify([...asked]));
    },
  };
}

/** Addresses of all pages, relative to the site's root. */
export function pageAddresses(): string[] {
  return readdirSync(siteFolder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".html") && path !== "404.html")
    .map((path) =>
      path
        .split(sep)
        .join("/")
        .replace(/(?:(^|\/)index)?\.html$/, "$1"),
    )
    .sort();
}

/** The methods, as the build told them to the site's components. */
export function builtCatalogue(): CatalogueEntry[] {
  return JSON.parse(readFileSync(join(dirname(siteFolder), "generator", "catalogue.json"), "utf8"));
}
