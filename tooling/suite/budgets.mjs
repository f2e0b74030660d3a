// Processor time of methods against what they may take. Going over is shown and fails nothing: on a busy machine the same
// claims took 14 and 25 seconds within twenty minutes, while `pace` gave 0.94 both times. It sees the processor's share and
// not that of the memory, so that a limit that holds there would be twice the budget or more.

/**
 * @typedef {object} Use
 * @property {string} stage
 * @property {string} method
 * @property {number} cpu seconds of processor time, in those of the machine that budgets are meant for
 * @property {number} budget
 */

/** Milliseconds that {@link pace}'s work takes on the machine that budgets are meant for. */
const referencePace = 50;

/**
 * How much slower this machine is now than the one that budgets are meant for. Processor time stretches too where
 * others use the caches, so it is measured in the same run.
 */
export function pace() {
  const values = new Float64Array(4096).map((_, k) => Math.sin(k));
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage();
    let sum = 0;
    for (let k = 0; k < 10_000; k++) for (let i = 0; i < 4096; i++) sum += values[i] * values[(i + k) & 4095];
    const { user, system } = process.cpuUsage(before);
    if (Number.isFinite(sum)) least = Math.min(least, (user + system) / 1000);
  }
  return least / referencePace;
}

/**
 * Use of processor time by methods.
 *
 * @param {Array<{ name: string, budget?: number }>} stages
 * @param {Array<{ stage: string, title: string, cpu: number, method: boolean }>} results
 * @param {number} slowness of this machine
 * @returns {Use[]}
 */
export function usesOf(stages, results, slowness) {
  return stages.flatMap(({ name, budget }) =>
    budget === undefined
      ? []
      : results
          .filter(({ stage, method }) => stage === name && method)
          .map(({ title, cpu }) => ({ stage: name, method: title, cpu: cpu / slowness, budget })),
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
