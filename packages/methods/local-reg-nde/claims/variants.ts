import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import { digits } from "@offprint/datasets";
import { initialStepSize, integrate } from "@offprint/ode";
import { type DigitsOdeParameters, digitImages, digitsOde } from "@offprint/ode/testing";
import { jitSync, random, type Tensor, tensor } from "@offprint/tensor-core";
import { type Effort, efforts, trained } from "./digits.js";
import { judge, type Trio, weights } from "./headline.js";
import { localRegNde, type Method } from "./method.js";

/** Weights of the stiffness term, which has no scale, so that they do at any tolerance; a shorter training needs a larger one. */
const stiffnessWeights: Record<ClaimContext["scale"], number> = { quick: 5, full: 3 };

/** The stiffness of one step in place of its error. */
export function stiffness(method: Method = localRegNde, effort?: Effort): Claim {
  return {
    id: "stiffness",
    statement: "The stiffness of one local step lowers evaluations, too, at the same accuracy",
    source: "Section 3.1, table 1",
    paper: "fewer",
    async run(context) {
      const { seed, scale, onProgress } = context;
      const chosen = effort ?? efforts[scale];
      const lambda = stiffnessWeights[scale];
      const all: Trio[] = [];
      for (let run = 0; run < chosen.runs; run++) {
        const name = `${seed}/${run}`;
        const of = (mode: "unbiased" | "biased") =>
          trained(context, method, name, chosen, { mode, regularize: "stiffness", lambda });
        const vanilla = await trained(context, method, name, chosen, { mode: "none" });
        all.push({ vanilla, unbiased: await of("unbiased"), biased: await of("biased") });
        await onProgress((run + 1) / chosen.runs);
      }
      const loss = 0.015;
      const mean = (kind: keyof Trio, what: "evaluations" | "accuracy") => meanOf(all.map((each) => each[kind][what]));
      const ratios = (["unbiased", "biased"] as const).map(
        (kind) => mean(kind, "evaluations") / mean("vanilla", "evaluations"),
      );
      return {
        measured: Math.max(...ratios),
        holds: judge(all, 0.9, loss),
        detail:
          `With a weight of ${lambda} evaluations must fall to .9 at most, unbiased (${figure(ratios[0])}) and biased (${figure(ratios[1])}), ` +
          `with accuracy within ${loss} of ${figure(mean("vanilla", "accuracy"))} (${figure(mean("unbiased", "accuracy"))}, ${figure(mean("biased", "accuracy"))}).`,
      };
    },
  };
}

/** Sizes and errors of steps at the start of training, by the solver and by the rule for first steps. */
function beginnings(method: Method, { seed }: ClaimContext): { step: number; error: number }[] {
  const weightsAtFirst = digitsOde.initial(random.rng(`${seed}/0/weights`));
  const settings = { parameters: weightsAtFirst, relativeTolerance: 1e-6, absoluteTolerance: 1e-6 };
  const x = digitImages(digits({ dtype: "float64" }), { train: 100, test: 300, batch: 100 }).train.x;
  // Room for as many steps as training has: all of it is copied out of the compiled solve.
  const { maxSteps } = digitsOde.options({ epochs: 1 }, "");
  const solved = integrate<Tensor, DigitsOdeParameters>(digitsOde.model.rate, x, [0, 1], {
    ...{ ...settings, dense: true, maxSteps },
  });
  const n = solved.steps.item();
  const term = jitSync((u: Tensor, t: Tensor, h: Tensor) =>
    method.localTerm<Tensor, DigitsOdeParameters>(digitsOde.model.rate, u, t, h, {
      parameters: weightsAtFirst,
      tolerance: 1e-6,
    }),
  );
  const first = jitSync((u: Tensor, t: Tensor, left: Tensor) =>
    initialStepSize<Tensor, DigitsOdeParameters>(digitsOde.model.rate, t, u, left, settings),
  );
  const rows = Array.from({ length: n }, (_, j) => {
    const t = solved.stepTimes.slice([j]);
    const u = solved.at(t);
    const left = tensor(1 - t.item(), { dtype: "float64" });
    return [solved.stepSizes.slice([j]), first(u, t, left)].map((h) => ({
      step: h.item(),
      error: term(u, t, h).item() / h.item(),
    }));
  });
  term.release();
  first.release();
  return [0, 1].map((way) => ({
    step: meanOf(rows.map((row) => row[way].step)),
    error: meanOf(rows.map((row) => row[way].error)),
  }));
}

/** Where the local step comes from decides what a weight means. */
export function stepSource(method: Method = localRegNde, effort?: Effort): Claim {
  return {
    id: "step-source",
    statement:
      "With the rule for first steps, as in the official code, local errors are so much smaller that the same weight does nothing, and a larger one does the same",
    source: "Official code; section 3.1",
    paper: "not stated",
    async run(context) {
      const { seed, scale, onProgress } = context;
      const chosen = { ...(effort ?? efforts[scale]), runs: 1 };
      const [solver, initial] = beginnings(method, context);
      const of = (lambda: readonly [number, number] | 0) =>
        trained(
          context,
          method,
          `${seed}/0`,
          chosen,
          lambda === 0 ? { mode: "none" } : { mode: "unbiased", localStep: "initial", lambda },
        );
      const vanilla = await of(0);
      const same = await of(weights[scale]);
      await onProgress(0.6);
      const larger = await of([1e6, 1e5]);
      const [still, fewer] = [same, larger].map(({ evaluations }) => evaluations / vanilla.evaluations);
      const loss = 0.015;
      return {
        measured: {
          "error of the solver's steps, to the rule's": solver.error / initial.error,
          "evaluations, same weight": still,
          "larger weight": fewer,
        },
        holds:
          solver.step > 3 * initial.step &&
          solver.error > 50 * initial.error &&
          still >= 0.9 &&
          fewer <= 0.8 &&
          vanilla.accuracy - larger.accuracy <= loss,
        detail:
          `At the start of training steps of the solver must be at least 3 times those of the rule (${figure(solver.step)}, ${figure(initial.step)}) and their errors 50 times (${figure(solver.error)}, ${figure(initial.error)}). ` +
          `With the rule, the usual weight must leave at least .9 of the evaluations (${figure(still)}), and 1e6 to 1e5 at most .8 (${figure(fewer)}), with accuracy within ${loss} (${figure(vanilla.accuracy)}, ${figure(larger.accuracy)}).`,
      };
    },
  };
}
