import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { serve, siteFolder } from "../serve.mjs";

const root = join(dirname(siteFolder), "..", "..", "..");

/** Builds the site with turbo unless it is there, and serves it. */
export async function servedSite(): Promise<Awaited<ReturnType<typeof serve>>> {
  if (!existsSync(join(siteFolder, "index.html"))) {
    const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const turbo = ["turbo", "run", "build", "--filter=@offprint/docs", "--output-logs=errors-only"];
    const built = spawnSync("npm", ["exec", "--yes", `--package=${packageManager}`, "--", "pnpm", "exec", ...turbo], {
      cwd: root,
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" },
      encoding: "utf8",
    });
    if (built.status !== 0) throw new Error(`The site could not be built:\n${built.stdout}\n${built.stderr}`);
  }
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
