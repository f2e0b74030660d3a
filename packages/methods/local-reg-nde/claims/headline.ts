import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import { trainTestSplit } from "@offprint/data";
import { digits } from "@offprint/datasets";
import { integrate } from "@offprint/ode";
import { adam, crossEntropy } from "@offprint/optim";
import {
  add,
  broadcastTo,
  concatenate,
  jitSync,
  matmul,
  mul,
  type Rng,
  random,
  reshape,
  type Tensor,
  take,
  tanh,
  zeros,
} from "@offprint/tensor-core";
import type { FitLocallyOptions } from "../src/index.js";
import { localRegNde, type Method } from "./method.js";

/** How much is trained. */
export interface Effort {
  /** Images to learn from. */
  readonly train: number;
  /** Images to judge by. */
  readonly test: number;
  /** Passes. */
  readonly epochs: number;
  /** Trainings of each kind. */
  readonly runs: number;
}

const efforts: Record<ClaimContext["scale"], Effort> = {
  quick: { train: 600, test: 300, epochs: 8, runs: 1 },
  full: { train: 1200, test: 597, epochs: 14, runs: 2 },
};

/** Weights of the local term: a shorter training needs larger ones. */
const weights: Record<ClaimContext["scale"], readonly [number, number]> = { quick: [400, 40], full: [300, 30] };

/** What a training comes to. */
export interface Outcome {
  readonly evaluations: number;
  readonly accuracy: number;
}

type Layers = { readonly [name in "w1" | "b1" | "w2" | "b2" | "w3" | "b3"]: Tensor };
type Batch = { readonly x: Tensor; readonly y: Tensor };

const withTime = (t: Tensor, z: Tensor) => concatenate([z, broadcastTo(reshape(t, [1, 1]), [z.shape[0], 1])], 1);
const rate = (t: Tensor, z: Tensor, { w1, b1, w2, b2 }: Layers) =>
  add(matmul(withTime(t, tanh(add(matmul(withTime(t, z), w1), b1))), w2), b2);
const head = (z: Tensor, { w3, b3 }: Layers) => add(matmul(z, w3), b3);

/** Glorot's uniform weights. */
function draw(rng: Rng): Layers {
  const glorot = (rows: number, columns: number) =>
    mul(rng.uniform([rows, columns], { low: -1, high: 1, dtype: "float64" }), Math.sqrt(6 / (rows + columns)));
  const none = (size: number) => zeros([size], "float64");
  return { w1: glorot(65, 40), b1: none(40), w2: glorot(41, 64), b2: none(64), w3: glorot(64, 10), b3: none(10) };
}

/** Trains on the digits, and predicts the images held out as one batch. */
async function trained(
  method: Method,
  name: string,
  effort: Effort,
  variant: Pick<FitLocallyOptions<Layers>, "mode" | "lambda">,
  signal: AbortSignal,
): Promise<Outcome> {
  const whole = trainTestSplit(digits({ dtype: "float64" }), { test: effort.test, rng: random.rng("digits") });
  const [x, y] = [mul(whole.train.inputs, 1 / 16), whole.train.targets];
  const { params } = await method.fitLocally(
    {
      rate,
      initial: (_: Layers, batch: Batch) => batch.x,
      loss: (p: Layers, { y: z }: { y: Tensor }, batch: Batch) => crossEntropy(head(z, p), batch.y),
    },
    draw(random.rng(`${name}/weights`)),
    function* (_, rng) {
      const order = rng.permutation(effort.train);
      for (let from = 0; from + 100 <= effort.train; from += 100) {
        const rows = order.slice([{ start: from, stop: from + 100 }]);
        yield { x: take(x, rows, 0), y: take(y, rows, 0) };
      }
    },
    {
      optimizer: adam({ learningRate: 5e-3 }),
      epochs: effort.epochs,
      seed: name,
      maxSteps: 64,
      adjoint: "discrete",
      signal,
      ...variant,
    },
  );
  const predict = jitSync((p: Layers, images: Tensor) => {
    const solved = integrate(rate, images, [0, 1], {
      parameters: p,
      relativeTolerance: 1e-6,
      absoluteTolerance: 1e-6,
      adjoint: "none",
    });
    return { found: head(solved.y, p).argMax({ axis: 1 }), evaluations: solved.evaluations };
  });
  const { found, evaluations } = predict(params, mul(whole.test.inputs, 1 / 16));
  predict.release();
  const [answers, right] = [found.data(), whole.test.targets.data()];
  let count = 0;
  for (let i = 0; i < right.length; i++) if (answers[i] === right[i]) count++;
  return { evaluations: evaluations.item(), accuracy: count / right.length };
}

/** One run of each kind. */
export interface Trio {
  readonly vanilla: Outcome;
  readonly unbiased: Outcome;
  readonly biased: Outcome;
}

/** Whether both samplings save what is asked for, and recognise as much. */
export function judge(all: readonly Trio[], part: number, loss: number): boolean {
  return (["unbiased", "biased"] as const).every((mode) => {
    const ratio = meanOf(all.map((each) => each[mode].evaluations / each.vanilla.evaluations));
    const lost = meanOf(all.map((each) => each.vanilla.accuracy - each[mode].accuracy));
    return ratio <= part && lost <= loss;
  });
}

/** Prediction takes fewer evaluations with either sampling. `effort` other than usual is for tests. */
export function headline(method: Method = localRegNde, effort?: Effort): Claim {
  return {
    id: "evaluations",
    statement:
      "One local step penalised at a random time lowers the evaluations of a prediction, by either sampling, at the same accuracy",
    source: "Abstract",
    paper: "0.556 to 0.733",
    async run({ seed, scale, signal, onProgress }) {
      const chosen = effort ?? efforts[scale];
      const all: Trio[] = [];
      for (let run = 0; run < chosen.runs; run++) {
        const of = async (variant: Pick<FitLocallyOptions<Layers>, "mode" | "lambda">) => {
          const outcome = await trained(method, `${seed}/${run}`, chosen, variant, signal);
          await onProgress((run + 0.5) / chosen.runs);
          return outcome;
        };
        all.push({
          vanilla: await of({ mode: "none" }),
          unbiased: await of({ mode: "unbiased", lambda: weights[scale] }),
          biased: await of({ mode: "biased", lambda: weights[scale] }),
        });
      }
      const [part, loss] = scale === "full" ? [0.6, 0.015] : [0.75, 0.04];
      const ratio = (mode: "unbiased" | "biased") =>
        meanOf(all.map((each) => each[mode].evaluations / each.vanilla.evaluations));
      const row = (kind: keyof Trio) => [
        kind,
        meanOf(all.map((each) => each[kind].evaluations)),
        meanOf(all.map((each) => each[kind].accuracy)),
      ];
      return {
        measured: Math.max(ratio("unbiased"), ratio("biased")),
        holds: judge(all, part, loss),
        detail: `Evaluations must fall to ${part} at most, unbiased (${figure(ratio("unbiased"))}) and biased (${figure(ratio("biased"))}), with accuracy within ${loss} of ${figure(row("vanilla")[2] as number)}.`,
        tables: [
          {
            title: "Digits",
            columns: ["sampling", "evaluations to predict", "accuracy"],
            rows: [row("vanilla"), row("unbiased"), row("biased")],
          },
        ],
      };
    },
  };
}
