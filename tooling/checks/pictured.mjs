// What a method does is seen before it is read: its README begins with the picture that its playground program draws.
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { draws, programsOf, stateOf } from "../pictures/pictures.mjs";

export const title = "every method has a picture, drawn by its program";

/**
 * @param {import("./repository.mjs").Repository} repository
 * @param {import("./repository.mjs").Package[]} [selected]
 * @returns {import("./repository.mjs").CheckResult}
 */
export function check(repository, selected = repository.packages) {
  const subjects = selected.filter(({ kind, slug }) => kind === "method" || slug === "docs");
  const violations = subjects.flatMap((pkg) => {
    const programs = programsOf(pkg).filter((program) => draws(program));
    const problems = programs.flatMap((program) => {
      const state = stateOf(program);
      if (state === "current") return [];
      return [`${basename(program.picture)} is ${state}: pnpm pictures ${pkg.slug}`];
    });
    if (pkg.kind === "method") {
      const [first] = programs;
      if (!first) problems.push("playground/ needs a program that displays something");
      const readme = join(pkg.directory, "README.md");
      const shown = existsSync(readme) ? readFileSync(readme, "utf8").split(/^## /m)[0] : "";
      if (first && !shown.includes(`(playground/${basename(first.picture)})`)) {
        problems.push(`README.md: above its first section it must show ![...](playground/${basename(first.picture)})`);
      }
    }
    return problems.map((message) => ({ subject: pkg.folder, message }));
  });
  return { subjects: subjects.length, violations };
}
