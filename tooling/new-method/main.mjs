// `pnpm new-method <slug>`: a new method package, ready for its mathematics.
import { pnpm, root, SetupError } from "../setup/setup.mjs";
import { areasIn, createCore, createMethod, requireFree } from "./new-method.mjs";
import { completeData, coreDescription, readArguments, terminal, UsageError, usage } from "./paper-data.mjs";

/** @param {string} slug */
function nextSteps(slug) {
  return `
Next, with docs/adding-a-method.md beside you:
  1. packages/methods/${slug}/src/     the method, with the paper's symbols, where now the simplest of its kind is
  2. packages/methods/${slug}/test/    what must hold; one test there fails until it is yours
  3. packages/methods/${slug}/claims/  what the paper says, as programs
  4. packages/methods/${slug}/README.md, playground/, bench/
While you work: npx vitest packages/methods/${slug}
When it is done: npx pnpm@12 finish-method ${slug}`;
}

/** @param {string} slug */
function nextStepsOfCore(slug) {
  return `
Next, with docs/adding-a-core-package.md beside you:
  1. packages/core/${slug}/src/    one concept a file
  2. packages/core/${slug}/test/   what must hold; one test there fails until it is yours
  3. packages/core/${slug}/README.md, bench/, and a line in docs/architecture.md
When it is done: npm test -- --filter ${slug}`;
}

async function main() {
  const { help, core, install, slug, given } = readArguments(process.argv.slice(2));
  if (help) return console.log(`${usage}\n\nAreas so far: ${areasIn(root).join(", ")}.`);
  requireFree(root, slug);
  const { ask, close } = terminal();
  const make = async () => {
    if (core) return createCore(root, { slug, description: await coreDescription(given, ask) });
    return createMethod(root, await completeData(slug, given, areasIn(root), ask));
  };
  for (const path of await make().finally(close)) console.log(path);
  if (install) {
    const { status, output } = pnpm(["install", "--no-frozen-lockfile", "--prefer-offline"], { capture: true });
    if (status !== 0)
      throw new SetupError(`${output.trim()}\n\nThe files are written; the dependencies are not linked.`);
    console.log("pnpm-lock.yaml");
  }
  console.log(core ? nextStepsOfCore(slug) : nextSteps(slug));
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError || error instanceof SetupError)) throw error;
  console.error(error instanceof UsageError ? `${error.message}\n\n${usage}` : error.message);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
