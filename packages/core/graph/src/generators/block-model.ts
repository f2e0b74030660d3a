import {
  checkOptions,
  type Rng,
  requireInteger,
  requireObject,
  ShapeError,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import { type Graph, undirected } from "../graph.js";
import type { NodeData } from "../node-data.js";
import { eachWithProbability, pairAt, requireProbability } from "./pairs.js";

/**
 * Stochastic block model: an undirected graph in which two nodes of classes a and b are linked with probability
 * `probabilities[a][b]`, independently.
 * @param labels `[nodes]` class of each node
 */
export function stochasticBlockModel(
  labels: ArrayLike<number>,
  probabilities: readonly (readonly number[])[],
  rng: Rng,
): Graph {
  requireObject("stochasticBlockModel", "labels", labels, "an array of numbers");
  requireObject("stochasticBlockModel", "probabilities", probabilities, "an array");
  requireObject("stochasticBlockModel", "rng", rng, "a generator of random.rng(seed)");
  const classes = probabilities.length;
  const members: number[][] = Array.from({ length: classes }, () => []);
  for (let i = 0; i < labels.length; i++) {
    if (members[labels[i]] === undefined) {
      throw new ShapeError(`stochasticBlockModel: node ${i} has class ${labels[i]}; there are ${classes} classes`);
    }
    members[labels[i]].push(i);
  }
  const pairs: number[] = [];
  for (let a = 0; a < classes; a++) {
    for (let b = a; b < classes; b++) {
      const probability = probabilities[a][b];
      requireProbability("stochasticBlockModel", `probabilities[${a}][${b}]`, probability);
      const [first, second] = [members[a], members[b]];
      if (a === b) {
        eachWithProbability((first.length * (first.length - 1)) / 2, probability, rng, (k) => {
          const [low, high] = pairAt(k);
          pairs.push(first[low], first[high]);
        });
      } else {
        eachWithProbability(first.length * second.length, probability, rng, (k) => {
          pairs.push(first[Math.floor(k / second.length)], second[k % second.length]);
        });
      }
    }
  }
  return undirected(tensor(Int32Array.from(pairs), { shape: [pairs.length / 2, 2] }), labels.length);
}

/** Options of `contextualBlockModel`. */
export interface ContextualBlockModelOptions {
  /** Number of nodes. */
  nodes: number;
  /** Number of classes. */
  classes: number;
  /** Number of features. */
  features: number;
  /** Probability of a link within a class. */
  within: number;
  /** Probability of a link between classes. */
  between: number;
  /** Standard deviation of the noise, relative to that of the class means. */
  noise: number;
  /** Where it all comes from. */
  rng: Rng;
}

/**
 * Contextual stochastic block model: classes are drawn uniformly; class means are normal with variance 1 / features,
 * and features are the mean of the class plus `noise` times a normal vector of the same variance.
 */
export function contextualBlockModel(options: ContextualBlockModelOptions): NodeData {
  checkOptions(
    "contextualBlockModel",
    options,
    ["nodes", "classes", "features", "within", "between", "noise", "rng"],
    ["nodes", "classes", "features", "within", "between", "noise", "rng"],
  );
  const { nodes, classes, features, within, between, noise, rng } = options;
  requireInteger("contextualBlockModel", "nodes", nodes, 1);
  requireInteger("contextualBlockModel", "classes", classes, 1);
  requireInteger("contextualBlockModel", "features", features, 1);
  const labels = rng.randint([nodes], { high: classes }).data() as Int32Array;
  const std = 1 / Math.sqrt(features);
  const means = rng.normal([classes, features], { std }).data();
  const x = rng
    .normal([nodes, features], { std: std * noise })
    .data()
    .slice() as Float32Array;
  for (let i = 0; i < nodes; i++) {
    for (let k = 0; k < features; k++) x[i * features + k] += means[labels[i] * features + k];
  }
  const probabilities = Array.from({ length: classes }, (_, a) =>
    Array.from({ length: classes }, (_, b) => (a === b ? within : between)),
  );
  const featureTensor: Tensor = tensor(x, { shape: [nodes, features] });
  return {
    name: "contextual block model",
    graph: stochasticBlockModel(labels, probabilities, rng),
    features: featureTensor,
    labels,
  };
}
