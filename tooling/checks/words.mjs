// Options of commands that mean the same have one name: the table of apps/cli/README.md, and what is learnt from one command holds for all.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { filesBelow, shown } from "./repository.mjs";

export const title = "commands have one word for one thing";

/** What options of commands are called, by the words that they could have too. */
const words = new Map(
  Object.entries({
    maxIterations: ["iterations", "iters", "maxIter", "maxIters", "limit"],
    batchSize: ["batch", "minibatch", "miniBatch"],
    hidden: ["widths", "hiddenSizes"],
    epochs: ["passes", "maxEpochs"],
    steps: ["numSteps", "maxSteps", "trainSteps", "trainingSteps"],
    learningRate: ["lr", "rate"],
    tolerance: ["tol", "rtol"],
    output: ["out", "outputFile", "outFile"],
    table: ["csv", "dataset"],
    seed: ["randomSeed", "randomState"],
    holdout: ["holdOut", "testShare"],
    weightDecay: ["decay", "wd"],
  }).flatMap(([word, others]) => others.map((other) => [other, word])),
);

/**
 * @param {import("./repository.mjs").Repository} repository
 * @param {import("./repository.mjs").Package[]} [selected]
 * @returns {import("./repository.mjs").CheckResult}
 */
export function check(repository, selected = repository.packages) {
  const files = selected.flatMap((pkg) => filesBelow(join(pkg.directory, "cli"), /\.ts$/));
  const violations = files.flatMap((path) =>
    readFileSync(path, "utf8")
      .split("\n")
      .flatMap((line, i) => {
        const found = /\b(\w+): option\.\w+/.exec(line)?.[1] ?? "";
        const word = words.get(found);
        if (word === undefined) return [];
        return [{ subject: `${shown(repository, path)}:${i + 1}`, message: `${found} is ${word} in other commands` }];
      }),
  );
  return { subjects: files.length, violations };
}
