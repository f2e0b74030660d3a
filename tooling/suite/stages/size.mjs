// Size budgets, minified and gzipped.
import { measure } from "../../size/size.mjs";

export const name = "sizes";
export const needs = ["build"];

/** @type {import("../suite.mjs").Stage} */
export async function run({ repository, packages, filtered }) {
  const rows = await measure(repository, filtered ? packages : undefined);
  const over = rows.filter(({ bytes, limit }) => bytes > limit);
  for (const { title, bytes, limit } of over) {
    console.log(`  ${title}: ${(bytes / 1000).toFixed(1)} kB is over its budget of ${(limit / 1000).toFixed(1)} kB`);
  }
  return { passed: rows.length - over.length, failed: over.length };
}
