// `pnpm pictures [word] [--all]`: draws the pictures of the playground's programs that are missing or no longer theirs.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { matchingPackages, readRepository } from "../checks/repository.mjs";
import { build, root } from "../setup/setup.mjs";
import { draws, markOf, programsOf, stateOf, withPicture } from "./pictures.mjs";

const words = process.argv.slice(2);
const all = words.includes("--all");
const word = words.find((each) => !each.startsWith("--"));
const repository = readRepository(root);
const packages = word ? matchingPackages(repository, word) : repository.packages;
const programs = packages.flatMap(programsOf).filter((program) => draws(program));
const due = programs.filter((program) => all || stateOf(program) !== "current");
if (due.length > 0) build();
for (const { path, shown, picture } of due) {
  const args = [fileURLToPath(new URL("draw.mjs", import.meta.url)), path];
  const child = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit", "pipe"] });
  const svg = String(child.output?.[3] ?? "");
  if (child.status !== 0 || !svg.startsWith("<svg")) {
    console.error(`${shown}: ${child.status === 0 ? "displays no plot and no image" : "failed"}`);
    process.exitCode = 1;
    continue;
  }
  writeFileSync(picture, `${svg}\n${markOf(readFileSync(path, "utf8"))}\n`);
  console.log(`${shown}: ${(svg.length / 1000).toFixed(1)} kB`);
}
// The first picture of a method stands in its README.
for (const pkg of packages.filter(({ kind }) => kind === "method")) {
  const [first] = programsOf(pkg).filter((program) => draws(program));
  const path = join(pkg.directory, "README.md");
  if (!first || !existsSync(first.picture) || !existsSync(path)) continue;
  const readme = readFileSync(path, "utf8");
  const shown = withPicture(readme, first, readFileSync(first.path, "utf8"));
  if (shown !== readme) {
    writeFileSync(path, shown);
    console.log(`${pkg.folder}/README.md shows it`);
  }
}
console.log(`${due.length} drawn, ${programs.length - due.length} as they were`);
