import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { serve, siteFolder } from "../serve.mjs";

/** Serves the site that `npm test` has built, or builds it. */
export async function servedSite(): Promise<Awaited<ReturnType<typeof serve>>> {
  const script = join(dirname(siteFolder), "..", "..", "..", "tooling", "setup", "build.mjs");
  const built = spawnSync(process.execPath, [script, "site"], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`The site could not be built:\n${built.stdout}\n${built.stderr}`);
  return serve(siteFolder);
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

/** What the build wrote for the site's components: `catalogue` or `examples`. */
export function builtData<T>(name: "catalogue" | "examples"): T {
  return JSON.parse(readFileSync(join(dirname(siteFolder), "generator", `${name}.json`), "utf8")) as T;
}
