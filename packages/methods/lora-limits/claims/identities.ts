import { type Claim, figure, largestDifference } from "@offprint/claims";
import { add, div, matmul, mul, sum, type Tensor, transpose } from "@offprint/tensor-core";
import { project, readHead } from "../src/head.js";
import { baselineGradients, type Head, type LoraGradients } from "../src/index.js";
import { joined } from "../src/lora-gradients.js";
import { chainRows } from "../src/softmax-chain.js";
import { loraLimits, type Method } from "./method.js";
import { adaptedHead, draw } from "./problem.js";

/** The largest difference of all gradients of two results. */
function difference(
  a: Pick<LoraGradients, "weights" | "b" | "a">,
  b: Pick<LoraGradients, "weights" | "b" | "a">,
): number {
  const of = (x: typeof a) => [x.weights, x.b, x.a].flatMap((each) => [each.q, each.k, each.v] as Tensor[]);
  return Math.max(...of(a).map((one, i) => largestDifference(one, of(b)[i])));
}

/** Claim 1: the chain of factors is the gradient. */
export function exactChain(method: Method = loraLimits): Claim {
  return {
    id: "exact-chain",
    statement:
      "The gradients of all adapters are a chain of products with the softmax matrix, as automatic differentiation finds them",
    source: "Section 3, lemma 3.1",
    paper: 0,
    async run({ rng }) {
      let measured = 0;
      for (const [length, dimension, width] of [
        [7, 5, 3],
        [20, 6, 4],
        [64, 12, 8],
      ]) {
        for (const causal of [false, true]) {
          const head: Head = { ...adaptedHead(rng, dimension, width, 2), causal };
          const x = draw(rng, [length, dimension]);
          const target = draw(rng, [length, width]);
          const ours = await method.loraGradients(x, head, { target }, { strategy: "exact", chunk: 16 });
          const theirs = await baselineGradients(x, head, { target }, { method: "autograd" });
          measured = Math.max(measured, difference(ours, theirs));
        }
      }
      return {
        measured,
        holds: measured <= 1e-10,
        detail: `The largest difference of any gradient by W, B and A is ${figure(measured)}; at most 1e-10 is allowed.`,
      };
    },
  };
}

/** Claim 2: features give the gradient of polynomial attention without its matrix. */
export function lowRankPath(method: Method = loraLimits): Claim {
  return {
    id: "low-rank-path",
    statement:
      "Products of features give the same gradient as the polynomial of every score, without the matrix of scores",
    source: "Section 4, lemmas 4.1 to 4.4",
    paper: 0,
    async run({ rng }) {
      let measured = 0;
      const rows: [string, number, number][] = [];
      for (const kind of ["chebyshev", "taylor"] as const) {
        for (const degree of [2, 4, 6]) {
          const head = { ...adaptedHead(rng, 6, 4, 2), beta: 0.1 };
          const x = mul(draw(rng, [40, 6]), 0.6);
          const target = draw(rng, [40, 4]);
          const ours = await method.loraGradients(x, head, { target }, { strategy: "almostLinear", degree, kind });
          const read = readHead("claim", x, head);
          const projected = project(read);
          const scores = mul(matmul(projected.q, transpose(projected.k)), read.beta);
          const { coefficients } = ours.polynomial ?? { coefficients: Float64Array.of() };
          let value = mul(scores, 0);
          for (let k = coefficients.length - 1; k >= 0; k--) value = add(mul(value, scores), coefficients[k]);
          const f = div(value, sum(value, { axis: 1, keepDims: true }));
          const dense = joined(read, chainRows(f, projected, target, "target", read.beta), "target", {
            strategy: "exact",
            range: 0,
          });
          const error = difference(ours, dense);
          rows.push([kind, degree, error]);
          measured = Math.max(measured, error);
        }
      }
      return {
        measured,
        holds: measured < 1e-12,
        detail: `The largest difference of any gradient is ${figure(measured)}; it must be below 1e-12.`,
        tables: [{ title: "Largest difference", columns: ["polynomial", "degree", "difference"], rows }],
      };
    },
  };
}
