// What the code of a README imports, its lines of `npm install` name: npm brings a package's own dependencies, other installers hide them.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { tsBlocks } from "../readme/blocks.mjs";
import { installLines } from "../readme/install-lines.mjs";

export const title = "every README installs what its code imports";

/**
 * The packages that code imports.
 *
 * @param {string} code
 */
function imported(code) {
  return [...code.matchAll(/\b(?:from|import)\s*\(?\s*"([^".][^"]*)"/g)]
    .filter(([, specifier]) => !specifier.startsWith("node:"))
    .map(([, specifier]) => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/"));
}

/**
 * @param {import("./repository.mjs").Repository} repository
 * @param {import("./repository.mjs").Package[]} [selected]
 * @returns {import("./repository.mjs").CheckResult}
 */
export function check(repository, selected = repository.packages) {
  const published = selected.filter(
    ({ kind, manifest, directory }) => kind !== "tool" && !manifest.private && existsSync(join(directory, "README.md")),
  );
  const violations = published.flatMap(({ directory, folder }) => {
    const readme = readFileSync(join(directory, "README.md"), "utf8");
    const installs = new Set(installLines(readme).flat());
    const missing = new Set(
      tsBlocks(readme)
        .flatMap(({ code }) => imported(code))
        .filter((name) => !installs.has(name)),
    );
    return [...missing].map((name) => ({
      subject: `${folder}/README.md`,
      message: `its code imports ${name}, which no line of npm install names; add it to the first one, or a line of its own with a comment that says for what`,
    }));
  });
  return { subjects: published.length, violations };
}
