// `pnpm rehearse-release [--keep] [package ...]`: prints the steps with their times; exit code 1 when one failed.
import { root } from "../setup/setup.mjs";
import { rehearse } from "./rehearsal.mjs";

const usage = `pnpm rehearse-release              everything
pnpm rehearse-release diffgrad     publish everything, then use these packages only (cli: the command)
  --keep                           leave the temporary folder, and say where it is

With OFFPRINT_REQUIRE_ALL=1 whatever cannot run because a program is absent counts as failed.`;

const words = process.argv.slice(2);
const unknown = words.filter((word) => word.startsWith("-") && !["--keep", "--help"].includes(word));
if (words.includes("--help") || unknown.length > 0) {
  console.log(unknown.length > 0 ? `unknown option ${unknown.join(" ")}\n\n${usage}` : usage);
  process.exitCode = unknown.length > 0 ? 2 : 0;
} else {
  const start = performance.now();
  const only = words.filter((word) => !word.startsWith("-"));
  const steps = await rehearse(root, { keep: words.includes("--keep"), only });
  const { text, passed, failed } = steps.summary(process.env.OFFPRINT_REQUIRE_ALL === "1");
  console.log(`\n${text}\n\n${((performance.now() - start) / 1000).toFixed(0)} s in all`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
