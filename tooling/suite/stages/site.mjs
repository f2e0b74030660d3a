// Builds the documentation site, for its tests.
import { buildSite } from "../../setup/setup.mjs";

export const name = "site";
export const needs = ["build"];

/** @type {import("../suite.mjs").Stage} */
export function run({ packages }) {
  if (!packages.some(({ name }) => name === "@offprint/docs")) return { passed: 0, failed: 0 };
  console.log(buildSite());
  return { passed: 1, failed: 0 };
}
