import { type Claim, type ClaimContext, type ClaimResult, type ClaimTable, figure, memo } from "@offprint/claims";
import { random } from "@offprint/tensor-core";
import { type Method, published } from "./method.js";
import { type CountedRun, iterationsToTarget, type SteepProblem, steepProblem } from "./steep-problem.js";

const limit = 4000;
const refined = { refinementSteps: 20 };
const lower = { lowerStepSize: 0.15, linearStepSize: 0.15 };
/** The lengths at which it must reach the target on every seed. */
const reaching = [3e-3, 1e-2, 3e-2];

const baselines = ["stocBiO", "ttsa", "soba", "maSoba"] as const;

function boRepRun(method: Method, { problem }: SteepProblem, stepLength: number) {
  return (options: CountedRun) =>
    method.boRep(problem, { ...lower, stepLength, refinement: { method: "sgd", steps: 20 }, ...options });
}

function baselineRun(method: Method, name: (typeof baselines)[number], { problem }: SteepProblem, stepSize: number) {
  const common = { ...lower, ...refined, stepSize };
  return (options: CountedRun) => {
    if (name === "stocBiO") return method.stocBiO(problem, { ...common, lowerSteps: 3, terms: 20, ...options });
    if (name === "ttsa") return method.ttsa(problem, { ...common, terms: 20, ...options });
    if (name === "soba") return method.soba(problem, { ...common, ...options });
    return method.maSoba(problem, { ...common, momentum: 0.9, ...options });
  };
}

/** BO-REP's iterations to the target, by step length and seed, for the claims that look at them. */
export const boRepIterations = memo(async ({ scale, seed }, method: Method) => {
  const seeds = scale === "full" ? 5 : 2;
  const lengths = scale === "full" ? [1e-4, 3e-4, ...reaching] : reaching;
  const problem = steepProblem(random.rng(`${seed}/steep`));
  const counts = new Map<number, (number | undefined)[]>();
  for (const length of lengths) {
    const found: (number | undefined)[] = [];
    for (let k = 0; k < seeds; k++) {
      found.push(await iterationsToTarget(problem, boRepRun(method, problem, length), limit, `${seed}/${k}`));
    }
    counts.set(length, found);
  }
  return { problem, counts, seeds };
});

/** The headline: fixed lengths do what no fixed step does where curvature has no bound. */
export function unboundedSmoothness(method: Method = published): Claim {
  return {
    id: "unbounded-smoothness",
    statement:
      "Where the upper function's curvature has no bound, BO-REP needs far fewer iterations than methods with fixed steps",
    source: "Section 4, the reason for normalised momentum",
    paper: "faster than StocBiO, TTSA, SOBA, MA-SOBA (curves)",
    async run(context): Promise<ClaimResult> {
      const { problem, counts, seeds } = await boRepIterations(context, method);
      const worst = [...counts].map(([length, found]) => ({ length, worst: worstOf(found) }));
      const best = worst.reduce((a, b) => (b.worst < a.worst ? b : a));
      const everywhere = reaching.every((length) => counts.get(length)?.every((n) => n !== undefined));
      if (!everywhere) {
        const detail = `BO-REP must reach a gradient of 0.2 at each of three lengths on each of ${seeds} seeds within ${limit} iterations, and did not`;
        return { measured: { "BO-REP": best.worst }, holds: false, detail, tables: [iterationTable(counts)] };
      }
      const rivals = await rivalsOf(context, method, problem, best.worst, seeds);
      const holds = rivals.every(({ within }) => within === undefined);
      const shown = rivals
        .map(({ name, within }) => `${name} ${within === undefined ? "not" : `at ${within}`}`)
        .join(", ");
      return {
        measured: {
          "BO-REP": best.worst,
          "rivals within four times as many": rivals.filter((r) => r.within !== undefined).length,
        },
        holds,
        detail:
          `BO-REP must reach a gradient of 0.2 at lengths 0.003, 0.01 and 0.03 on each of ${seeds} seeds within ${limit} iterations ` +
          `(it does), and no rival at any of its steps on every seed within four times its ${figure(best.worst)} ` +
          `iterations (worst seed, length ${best.length}): ${shown}`,
        tables: [iterationTable(counts)],
      };
    },
  };
}

function worstOf(found: readonly (number | undefined)[]): number {
  return Math.max(...found.map((n) => n ?? limit));
}

/** For each rival a step at which it reaches the target on every seed within four times BO-REP's iterations. */
async function rivalsOf(context: ClaimContext, method: Method, problem: SteepProblem, best: number, seeds: number) {
  const steps = context.scale === "full" ? [1e-4, 3e-4, 1e-3, ...reaching] : reaching;
  const rivals: { name: string; within: number | undefined }[] = [];
  for (const name of baselines) {
    let within: number | undefined;
    for (const step of steps) {
      let all = true;
      for (let k = 0; k < seeds && all; k++) {
        const run = baselineRun(method, name, problem, step);
        all = (await iterationsToTarget(problem, run, Math.min(4 * best, limit), `${context.seed}/${k}`)) !== undefined;
      }
      if (all) within = step;
    }
    rivals.push({ name, within });
    await context.onProgress(rivals.length / baselines.length, name);
  }
  return rivals;
}

function iterationTable(counts: ReadonlyMap<number, readonly (number | undefined)[]>): ClaimTable {
  const seeds = [...counts.values()][0]?.length ?? 0;
  return {
    title: "Iterations of BO-REP to a gradient of 0.2",
    columns: ["length", ...Array.from({ length: seeds }, (_, k) => `seed ${k}`)],
    rows: [...counts].map(([length, found]) => [length, ...found.map((n) => n ?? "not reached")]),
  };
}

/** x moves by the same distance in each iteration, so that iterations are distance over length. */
export function fixedTravel(method: Method = published): Claim {
  return {
    id: "fixed-travel",
    statement: "Each iteration moves x by exactly the step length, so that iterations are the distance over it",
    source: "Algorithm 2, the normalised step",
    paper: { "ratio of iterations at 0.003 and 0.03": 10 },
    async run(context) {
      const { problem, counts } = await boRepIterations(context, method);
      if ([3e-3, 3e-2].some((length) => counts.get(length)?.some((n) => n === undefined))) {
        return {
          measured: "not reached",
          holds: false,
          detail: "the target must be reached at lengths 0.003 and 0.03",
        };
      }
      const ratios = (counts.get(3e-3) ?? []).map((slow, k) => (slow ?? limit) / (counts.get(3e-2)?.[k] ?? limit));
      let [before, largest] = [problem.problem.initial.x, 0];
      await boRepRun(
        method,
        problem,
        1e-2,
      )({
        maxIterations: 100,
        seed: `${context.seed}/travel`,
        evaluate({ x }) {
          const distance = Math.hypot(...x.sub(before).data());
          const still = before === problem.problem.initial.x && distance === 0;
          if (!still) largest = Math.max(largest, Math.abs(distance - 1e-2));
          before = x;
          return {};
        },
        onProgress: () => undefined,
      });
      const holds = largest <= 1e-8 && ratios.every((ratio) => ratio >= 8 && ratio <= 12);
      return {
        measured: { ratio: Math.max(...ratios), "largest deviation": largest },
        holds,
        detail:
          `steps must differ from the length by at most 1e-8 (${figure(largest)}; the first does not move, as m is zero), and ` +
          `iterations at 0.003 be 8 to 12 times those at 0.03 on every seed (${ratios.map((r) => figure(r, 3)).join(", ")})`,
      };
    },
  };
}
