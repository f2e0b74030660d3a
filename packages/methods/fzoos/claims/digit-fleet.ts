import { digits } from "@offprint/datasets";
import { mlp } from "@offprint/nn";
import { type AdamState, adam, applyUpdates, crossEntropy } from "@offprint/optim";
import { argMax, div, grad, jitSync, type random, type Tensor, take, tensor } from "@offprint/tensor-core";

const [CLIENTS, CLASSES, IMAGES, BATCH, EPOCHS] = [5, 7, 1000, 100, 25];
/** Part of the images of other classes that a client has. */
const OTHERS = 0.15;
/** How far an image can be changed: 0.6 times the perturbation less 1/2. */
const STRENGTH = 0.6;

/** An attack on several classifiers at once. */
export interface Attack {
  /** Margin of each client's network: logit of the label less the largest other; below 0 it is deceived. */
  readonly clients: readonly ((x: Float64Array) => number)[];
  /** Pixels. */
  readonly dimension: number;
}

const network = mlp({ sizes: [64, 32, 10] });
type Params = ReturnType<typeof network.init>;

/** Networks that have each seen seven classes of the digits, and an image that all of them know. */
export function digitAttack(rng: random.Rng): Attack {
  const set = digits();
  const pixels = div(set.inputs, 16);
  const labels = set.targets.data();
  const order = rng.permutation(labels.length).data();
  const fleet: Params[] = [];
  for (let i = 0; i < CLIENTS; i++) {
    const known = new Set(rng.permutation(10).data().slice(0, CLASSES));
    const seen = Array.from(order.slice(0, IMAGES)).filter(
      (at) => known.has(labels[at]) || rng.uniform([]).item() < OTHERS,
    );
    fleet.push(trained(pixels, set.targets, seen, rng.fork(`client ${i}`)));
  }
  const logits = jitSync((params: Params, images: Tensor) => network.apply(params, images));
  const decided = fleet.map((params) => argMax(logits(params, pixels), 1).data());
  const chosen = order.slice(IMAGES).find((at) => decided.every((classes) => classes[at] === labels[at]));
  if (chosen === undefined) throw new Error("digitAttack: the networks agree on no image");
  const image = Float64Array.from(take(pixels, tensor([chosen], { dtype: "int32" }), 0).data());
  const clients = fleet.map((params) => (x: Float64Array) => {
    const changed = Float32Array.from(image, (v, k) => Math.min(1, Math.max(0, v + STRENGTH * (x[k] - 0.5))));
    const scores = logits(params, tensor(changed, { shape: [1, 64] })).data();
    let other = -Infinity;
    scores.forEach((score, c) => {
      if (c !== labels[chosen]) other = Math.max(other, score);
    });
    return scores[labels[chosen]] - other;
  });
  return { clients, dimension: 64 };
}

const optimizer = adam({ learningRate: 0.005 });
const slope = grad((p: Params, x: Tensor, y: Tensor) => crossEntropy(network.apply(p, x), y));
/** One step of training, compiled once for all networks. */
const step = jitSync((params: Params, state: AdamState, x: Tensor, y: Tensor): [Params, AdamState] => {
  const { updates, state: next } = optimizer.update(slope(params, x, y) as Params, state, params);
  return [applyUpdates(params, updates), next];
});

function trained(pixels: Tensor, targets: Tensor, seen: readonly number[], rng: random.Rng): Params {
  let params = network.init(rng.fork("weights"));
  let state = optimizer.init(params);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const order = rng.permutation(seen.length).data();
    for (let from = 0; from + BATCH <= seen.length; from += BATCH) {
      const at = tensor(Int32Array.from(order.slice(from, from + BATCH), (k) => seen[k]));
      [params, state] = step(params, state, take(pixels, at, 0), take(targets, at, 0));
    }
  }
  return params;
}
