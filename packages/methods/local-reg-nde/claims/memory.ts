import { type Claim, figure } from "@offprint/claims";
import { type Adjoint, integrate } from "@offprint/ode";
import { type DigitsOdeParameters, digitsOde } from "@offprint/ode/testing";
import { abs, add, div, grad, jitSync, mul, square, sum, type Tensor, tensor, tree } from "@offprint/tensor-core";
import { localRegNde, type Method } from "./method.js";

const tolerances = [1e-4, 1e-9] as const;
const batch = 100;
/** Weights are so many times those at the start of training, so that tight tolerances take many steps. */
const STEEP = 3;

/** How a gradient is found, and what is penalised. */
type Kind = "unbiased" | "biased" | "interpolating" | "global";

/** Steps that a solve takes at a tolerance. */
function stepsAt(parameters: DigitsOdeParameters, x: Tensor, tolerance: number): number {
  const { steps } = integrate<Tensor, DigitsOdeParameters>(digitsOde.model.rate, x, [0, 1], {
    ...{ parameters, relativeTolerance: tolerance, absoluteTolerance: tolerance, adjoint: "none" },
  });
  return steps.item();
}

/** Bytes that the compiled gradient of loss and regulariser needs, of a solve of so many steps: all that lies in memory at once. */
function bytesOf(
  method: Method,
  kind: Kind,
  weights: DigitsOdeParameters,
  x: Tensor,
  tolerance: number,
  maxSteps: number,
): number {
  const settings = { relativeTolerance: tolerance, absoluteTolerance: tolerance, maxSteps };
  const loss = (parameters: DigitsOdeParameters, images: Tensor, uniform: Tensor) => {
    if (kind === "global") {
      // A state a step is kept, the least that the gradient of all steps needs; by default it is the stages as well.
      const { y, errors, stepSizes } = integrate<Tensor, DigitsOdeParameters>(digitsOde.model.rate, images, [0, 1], {
        ...{ ...settings, parameters, checkpointEvery: 1 },
      });
      return add(sum(square(y)), div(sum(mul(errors, abs(stepSizes))), maxSteps));
    }
    const adjoint: Adjoint = kind === "interpolating" ? kind : "backsolve";
    const mode = kind === "biased" ? kind : "unbiased";
    const { y, r } = method.solveWithLocalTerm<Tensor, DigitsOdeParameters>(
      digitsOde.model.rate,
      images,
      [0, 1],
      uniform,
      {
        ...{ ...settings, parameters, adjoint, mode, tolerance },
      },
    );
    return add(sum(square(y)), mul(r, 100));
  };
  const step = jitSync(grad(loss));
  const { bytes } = step.program(weights, x, tensor(0.4, { dtype: "float64" }));
  step.release();
  return bytes ?? Number.NaN;
}

/** The solve is closed, so that its adjoint may solve backwards, and nothing of its steps is kept. */
export function memory(method: Method = localRegNde): Claim {
  return {
    id: "memory",
    statement:
      "With the local term and an adjoint that solves backwards a gradient needs the same memory however many steps the solve takes; through all steps it grows with them",
    source: "Abstract; section 3",
    paper: "constant",
    async run({ rng, onProgress }) {
      const weights = tree.map((w: Tensor) => mul(w, STEEP), digitsOde.initial(rng)) as DigitsOdeParameters;
      const x = rng.uniform([batch, 64], { dtype: "float64" });
      const steps = tolerances.map((tolerance) => stepsAt(weights, x, tolerance));
      const state = batch * 64 * 8;
      const of = (kind: Kind) => tolerances.map((t, i) => bytesOf(method, kind, weights, x, t, steps[i] as number));
      const rows: [Kind, number, number][] = [];
      for (const kind of ["unbiased", "biased", "interpolating", "global"] as const) {
        const [loose, tight] = of(kind) as [number, number];
        rows.push([kind, loose, tight]);
        await onProgress(rows.length / 4);
      }
      const ratio = (kind: Kind) => {
        const [, loose, tight] = rows.find((row) => row[0] === kind) as (typeof rows)[number];
        return tight / loose;
      };
      const [, loose, tight] = rows[2] as (typeof rows)[number];
      // Dense output of Tsit5: a state and seven stages a step, beside its time, size and estimates.
      const grown = (tight - loose) / ((steps[1] as number) - (steps[0] as number)) / (8 * state);
      const closed = Math.max(ratio("unbiased"), ratio("biased"));
      return {
        measured: { "local, backwards": closed, "through all steps": ratio("global") },
        holds: closed <= 1.1 && ratio("global") >= 2 && grown <= 1.01,
        detail:
          `From ${steps[0]} to ${steps[1]} steps (tolerances 1e-4, 1e-9) the memory of the compiled gradient may grow to 1.1 times with the adjoint that solves backwards, unbiased (${figure(ratio("unbiased"))}) and biased (${figure(ratio("biased"))}); ` +
          `along the dense output by no more than that output (${figure(grown)} of it); through all steps, with the global regulariser, it must at least double (${figure(ratio("global"))}).`,
        tables: [
          {
            title: "Kilobytes of one gradient",
            columns: ["gradient", `${steps[0]} steps`, `${steps[1]} steps`],
            rows: rows.map(([kind, few, many]) => [kind, Math.round(few / 1000), Math.round(many / 1000)]),
          },
        ],
      };
    },
  };
}
