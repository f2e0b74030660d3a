import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import { trainTestSplit } from "@offprint/data";
import { digits } from "@offprint/datasets";
import { conv2d, linear, sequential } from "@offprint/nn";
import { accuracy, adam, crossEntropy, train } from "@offprint/optim";
import { div, jit, maxPool, random, reshape, type Tensor, take } from "@offprint/tensor-core";
import { boostHead, stagedScore } from "../src/index.js";

const EPOCHS = 25;
const BATCH = 32;
const EACH = 600;

const body = sequential(
  conv2d({ inputs: 1, outputs: 8, kernel: 3, padding: 1 }),
  "relu",
  (x: Tensor) => maxPool(x, 2),
  conv2d({ inputs: 8, outputs: 16, kernel: 3, padding: 1 }),
  "relu",
  (x: Tensor) => maxPool(x, 2),
  (x: Tensor) => reshape(x, [x.shape[0], 64]),
);
const head = sequential(linear({ inputs: 64, outputs: 60 }), "sigmoid", linear({ inputs: 60, outputs: 10 }));

interface Params {
  readonly body: any;
  readonly head: any;
}

const logits = (params: Params, images: Tensor) => head.apply(params.head, body.apply(params.body, images));

/** What replaces the last layers. */
export type HeadMethod = typeof boostHead;

async function oneSplit(context: ClaimContext, method: HeadMethod, seed: number, epochs: number) {
  const set = digits();
  const inputs = reshape(div(set.inputs, 16), [set.inputs.shape[0], 1, 8, 8]);
  const rng = random.rng(`${seed}/digits`);
  const chosen = rng
    .permutation(inputs.shape[0])
    .data()
    .slice(0, 2 * EACH);
  const { train: learn, test } = trainTestSplit(
    { inputs: take(inputs, chosen), targets: take(set.targets, chosen) },
    { test: EACH },
  );
  const { backend, signal } = context;
  const { params } = await train<Params, { x: Tensor; y: Tensor }>({
    initial: { body: body.init(rng), head: head.init(rng) },
    loss: (p, { x, y }) => crossEntropy(logits(p, x), y),
    optimizer: adam({ learningRate: 3e-3 }),
    *data(_, order) {
      const rows = order.permutation(EACH).data();
      for (let from = 0; from + BATCH <= EACH; from += BATCH) {
        const batch = rows.slice(from, from + BATCH);
        yield { x: take(learn.inputs, batch), y: take(learn.targets, batch) };
      }
    },
    epochs,
    seed,
    signal,
    ...(backend && { backend }),
  });
  const compiled = <F extends (...args: any[]) => Tensor>(f: F) => jit(f, backend && { backend });
  const whole = (await (await compiled(logits)(params, test.inputs)).host()) as Tensor;
  const features = compiled((p: any, x: Tensor) => body.apply(p, x));
  const boosted = await method(
    async (x) => features(params.body, x as Tensor),
    "classification",
    learn.inputs,
    learn.targets,
    {
      unitsPerStep: 3,
      totalUnits: 60,
      learningRate: 0.1,
      subsample: 1,
      seed,
      signal,
    },
  );
  const scores = stagedScore(boosted.model, await (await boosted.features(test.inputs)).host(), test.targets);
  const last = scores.length - 1;
  return {
    head: accuracy(whole, test.targets).item(),
    boosted: scores[last],
    half: scores[Math.round(last / 2)],
    scores,
  };
}

/** Whether mean accuracies bear the claim out. */
export function judgeHead(original: number, boosted: number, half: number): boolean {
  return boosted >= original - 0.005 && half >= original - 0.015;
}

/** Boosting replaces the last layers of a convolutional network. */
export function convolutionalBody(method: HeadMethod = boostHead, quickSplits = 1, epochs = EPOCHS): Claim {
  return {
    id: "final-layers",
    statement:
      "On the features of a trained convolutional network, boosted final layers are as good as those it was trained with",
    source: "Section V, image sets, at small scale",
    paper: "competitive",
    async run(context) {
      const splits = context.scale === "quick" ? quickSplits : 4;
      const runs: Awaited<ReturnType<typeof oneSplit>>[] = [];
      for (let k = 0; k < splits; k++) {
        runs.push(await oneSplit(context, method, context.seed * splits + k, epochs));
        await context.onProgress((k + 1) / splits);
      }
      const [original, boosted, half] = (["head", "boosted", "half"] as const).map((key) =>
        meanOf(runs.map((run) => run[key])),
      );
      return {
        measured: { head: original, boosted, "half the units": half },
        holds: judgeHead(original, boosted, half),
        detail:
          `Mean accuracy on ${EACH} digits over ${splits} splits: ${figure(boosted)} (at least the head's ${figure(original)} minus 0.005), with half of the units ` +
          `${figure(half)} (at least the head's minus 0.015).`,
        tables: [
          {
            title: "Test accuracy",
            columns: ["split", "head trained with the body", "boosted", "half the units"],
            rows: runs.map((run, k) => [k, run.head, run.boosted, run.half]),
          },
        ],
        series: [
          {
            kind: "line",
            title: "Accuracy on test images while blocks are added",
            x: { label: "blocks of 3 units" },
            y: { label: "accuracy" },
            curves: runs.map(({ scores }, k) => ({ name: `split ${k}`, y: scores })),
            references: [{ value: original, label: "head trained with the body, mean" }],
          },
        ],
      };
    },
  };
}
