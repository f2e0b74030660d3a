// Processor time of methods against what they may take. Going over is shown and fails nothing: on a busy machine the same
// claims took 14 and 25 seconds within twenty minutes, and what is known of its pace (pace.mjs) is an estimate.

/**
 * @typedef {object} Use
 * @property {string} stage
 * @property {string} method
 * @property {number} cpu seconds of processor time, in those of the machine that budgets are meant for
 * @property {number} budget
 */

/**
 * Use of processor time by methods.
 *
 * @param {Array<{ name: string, budget?: number }>} stages
 * @param {Array<{ stage: string, title: string, quiet: number, method: boolean }>} results
 * @returns {Use[]}
 */
export function usesOf(stages, results) {
  return stages.flatMap(({ name, budget }) =>
    budget === undefined
      ? []
      : results
          .filter(({ stage, method }) => stage === name && method)
          .map(({ title, quiet }) => ({ stage: name, method: title, cpu: quiet, budget })),
  );
}

/** @param {Use[]} uses */
export function budgetTable(uses) {
  const stages = [...new Set(uses.map(({ stage }) => stage))];
  const methods = [...new Set(uses.map(({ method }) => method))].sort();
  if (methods.length === 0) return "";
  const cell = (/** @type {Use | undefined} */ use) =>
    use ? `${use.cpu.toFixed(1)} of ${use.budget} s${use.cpu > use.budget ? " !" : ""}` : "";
  const head = ["CPU, quiet", ...stages];
  const rows = methods.map((method) => [
    method,
    ...stages.map((stage) => cell(uses.find((use) => use.method === method && use.stage === stage))),
  ]);
  return [head, ...rows]
    .map(([first, ...rest]) => first.padEnd(26) + rest.map((c) => c.padEnd(18)).join(""))
    .join("\n");
}

/**
 * A line for each stage in which methods are over their budget, the worst first; empty where none is.
 *
 * @param {Use[]} uses
 */
export function overBudget(uses) {
  const over = uses.filter(({ cpu, budget }) => cpu > budget).sort((a, b) => b.cpu - a.cpu);
  return [...new Set(over.map(({ stage }) => stage))].sort().map((stage) => {
    const those = over.filter((use) => use.stage === stage);
    const named = those.map(({ method, cpu }) => `${method} ${cpu.toFixed(1)}`).join(", ");
    return `warning: over ${those[0].budget} s of processor time (fails nothing), ${stage}: ${named}`;
  });
}
