// The repository's checks, in the order in which they are run and reported.
import * as anatomy from "./anatomy.mjs";
import * as browser from "./browser.mjs";
import * as checkedOptions from "./checked-options.mjs";
import * as dependencies from "./dependencies.mjs";
import * as documented from "./documented.mjs";
import * as inPages from "./in-pages.mjs";
import * as installed from "./installed.mjs";
import * as listed from "./listed.mjs";
import * as missingArguments from "./missing-arguments.mjs";
import * as pictured from "./pictured.mjs";
import * as unfinished from "./unfinished.mjs";
import * as words from "./words.mjs";

const checks = [
  anatomy,
  dependencies,
  browser,
  documented,
  checkedOptions,
  missingArguments,
  listed,
  inPages,
  installed,
  pictured,
  unfinished,
  words,
];

/**
 * @param {import("./repository.mjs").Repository} repository
 * @param {import("./repository.mjs").Package[]} [selected] all packages when left out
 * @param {import("./repository.mjs").Package[]} [changed] of those selected, the ones that local checks look at; all when left out
 * @returns {Promise<Array<import("./repository.mjs").CheckResult & { title: string }>>}
 */
export async function runChecks(repository, selected, changed = selected) {
  const results = [];
  for (const { title, check, ...more } of checks) {
    results.push({ title, ...(await check(repository, "local" in more ? changed : selected)) });
  }
  return results;
}
