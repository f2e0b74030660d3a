import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { buildSite } from "../../../tooling/setup/setup.mjs";
import { serve, siteFolder } from "../serve.mjs";

/** Serves the site that `npm test` has built, or builds it. */
export async function servedSite(): Promise<Awaited<ReturnType<typeof serve>>> {
  buildSite();
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
