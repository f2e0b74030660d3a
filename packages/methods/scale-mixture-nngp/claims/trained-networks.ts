import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import { div, special, sqrt, sub, type Tensor } from "@offprint/tensor-core";
import type { DenseArchitecture, NetworkTask } from "../src/index.js";
import { distance } from "./kolmogorov-smirnov.js";
import { type Method, published } from "./method.js";
import { column } from "./prior-law.js";

const architecture = {
  ...{ kind: "fullyConnected", depth: 1, activation: "erf", weightVariance: 9, biasVariance: 1 },
} as const satisfies DenseArchitecture;
const prior = { kind: "inverseGamma", shape: 2, rate: 2 } as const;
const places = [-2.5, -1.2, 0.2, 1.5, 2.8];
const task = { x: places.map((v) => [v]), y: places.map(Math.sin), points: [[1], [-2], [0.7]] };

/** Mean distances, over three points, of trained networks' outputs from the predicted t and from a normal. */
function distances(method: Method, asked: NetworkTask, outputs: Tensor) {
  const { marginals } = method.wideNetworkLaw(architecture, prior, asked);
  const student = marginals.cdf(outputs);
  const normal = special.normalCdf(div(sub(outputs, marginals.mean), sqrt(marginals.variance)));
  const each = task.points.map((_, j) => ({
    t: distance(column(student, j).data()),
    normal: distance(column(normal, j).data()),
  }));
  return { t: meanOf(each.map((d) => d.t)), normal: meanOf(each.map((d) => d.normal)) };
}

async function found({ seed, scale }: ClaimContext, method: Method) {
  const sizes = scale === "full" ? { last: 4000, all: 4000 } : { last: 2000, all: 600 };
  const drawn = (trained: "last" | "all", width: number, count: number) => {
    const asked = { ...task, trained };
    const outputs = method.sampleNetworks(architecture, prior, asked, { width, count, seed: `${seed}/${trained}` });
    return { ...distances(method, asked, outputs), count };
  };
  return { last: drawn("last", 512, sizes.last), all: drawn("all", 2048, sizes.all) };
}

/** Trained networks, of a random scale each, have the predicted law. */
export function trainedNetworks(method: Method = published): Claim {
  return {
    id: "trained-networks",
    statement: "Wide networks trained to the end, their last layer or all, are spread as the predicted Student-t laws",
    source: "Theorem 3.3, Figure 1",
    paper: "histograms match the predicted t densities",
    async run(context) {
      const { last, all } = await found(context, method);
      const most = context.scale === "full" ? 0.045 : 0.06;
      const fits = (d: typeof last, bound: number) => d.t <= bound && d.t <= 0.75 * d.normal;
      return {
        measured: { "last layer": last.t, "all layers": all.t, "to a normal": Math.min(last.normal, all.normal) },
        holds: fits(last, 0.045) && fits(all, most),
        detail:
          `five points of a sine; Kolmogorov and Smirnov's distances, means of three points: to the predicted t at most 0.045 with the last layer trained ` +
          `(${figure(last.t)}, ${last.count} networks of width 512) and ${most} with all, linearised (${figure(all.t)}, ${all.count} of width 2048), ` +
          `and at most 0.75 of those to a normal of equal variance (${figure(last.normal)}, ${figure(all.normal)})`,
      };
    },
  };
}
