import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import type { BoSurrogate } from "../src/index.js";
import { boRun, type Method, published, type RunSize } from "./method.js";
import { branin, networkDraw, type Problem } from "./problems.js";
import { polynomial } from "./simulations.js";

interface Compared {
  readonly random: number;
  readonly gp: number;
  readonly ibnn: number;
}

async function compared(context: ClaimContext, method: Method, problem: Problem, size: RunSize, trials: number) {
  const surrogates: Record<keyof Compared, BoSurrogate | null> = { random: null, gp: method.gp(), ibnn: method.ibnn() };
  const mean = async (surrogate: BoSurrogate | null) => {
    const ends: number[] = [];
    for (let k = 0; k < trials; k++) {
      const progress = await boRun(context, method, problem, surrogate, size, k);
      ends.push(progress[progress.length - 1]);
    }
    return meanOf(ends);
  };
  return { random: await mean(surrogates.random), gp: await mean(surrogates.gp), ibnn: await mean(surrogates.ibnn) };
}

/** Infinitely wide networks where dimensions are many. */
export function manyDimensions(method: Method = published): Claim {
  return {
    id: "many-dimensions",
    statement:
      "Where dimensions are many, the infinitely wide network finds better points than the usual Gaussian process",
    source: "Section 5.4, Figure 6",
    paper: "ibnn the most promising (curves)",
    async run(context) {
      const full = context.scale === "full";
      const trials = full ? 5 : 3;
      const size = { initialTrials: 30, batch: 10, batches: 8 };
      const problems: [string, Problem, RunSize][] = [
        ["network draw, d = 50", networkDraw(50, `${context.seed}/draw`), size],
        ...(full
          ? ([
              ["network draw, d = 100", networkDraw(100, `${context.seed}/wide`), { ...size, initialTrials: 50 }],
              ["polynomial, d = 40", polynomial(40, `${context.seed}/polynomial`), size],
            ] as [string, Problem, RunSize][])
          : []),
      ];
      const rows: (Compared & { name: string })[] = [];
      for (const [name, problem, own] of problems) {
        rows.push({ name, ...(await compared(context, method, problem, own, trials)) });
        await context.onProgress(rows.length / problems.length);
      }
      const holds = rows.every(({ random, gp, ibnn }) => ibnn > gp + 0.3 * (ibnn - random));
      const [first] = rows;
      return {
        measured: { random: first.random, gp: first.gp, ibnn: first.ibnn },
        holds,
        detail:
          `Mean best value of ${trials} runs of 8 batches of 10: the network's must exceed the process's by 0.3 of what it gains on even points ` +
          `(${rows.map(({ name, random, gp, ibnn }) => `${name}: even points ${figure(random)}, gp ${figure(gp)}, ibnn ${figure(ibnn)}`).join("; ")}).`,
        tables: [
          {
            title: "Mean best value",
            columns: ["problem", "even points", "gp", "ibnn"],
            rows: rows.map(({ name, random, gp, ibnn }) => [name, random, gp, ibnn]),
          },
        ],
      };
    },
  };
}

const BRANIN = branin();

/** The usual process where they are few. */
export function fewDimensions(method: Method = published): Claim {
  return {
    id: "few-dimensions",
    statement: "On a smooth problem of few dimensions the usual Gaussian process finds better points",
    source: "Section 5.2, Figure 4",
    paper: "gp best on Branin (curves)",
    async run(context) {
      const trials = context.scale === "full" ? 9 : 5;
      const { random, gp, ibnn } = await compared(
        context,
        method,
        BRANIN,
        { initialTrials: 10, batch: 4, batches: 8 },
        trials,
      );
      return {
        measured: { random, gp, ibnn },
        holds: gp < 0.5 && gp < ibnn - 0.1,
        detail:
          `Branin, mean best value of ${trials} runs of 8 batches of 4: below 0.5 (${figure(gp)}), and by 0.1 below that of the infinitely wide network ` +
          `(${figure(ibnn)}); even points ${figure(random)}, the minimum is 0.398.`,
      };
    },
  };
}
