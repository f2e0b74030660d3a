import { type Claim, figure } from "@offprint/claims";
import type { EdgeList } from "@offprint/graph";
import {
  add,
  grad,
  jitSync,
  mul,
  scatterProduct,
  sin,
  sum,
  type Tensor,
  tanh,
  tensor,
  trace,
} from "@offprint/tensor-core";
import { type Method, method as ours } from "./method.js";
import { randomGraph, randomMaps } from "./random-maps.js";

const heads = 2;
const gamma = 0.8;

interface Variables {
  readonly logits: Tensor;
  readonly bias: Tensor;
}

/** Figures of the claim. */
export interface GradientFigures {
  /** Largest relative difference from the gradient of 200 iterations. */
  readonly unrolled: number;
  /** Largest relative difference from central differences. */
  readonly differences: number;
  /** Values of a gradient with 20 and with 200 iterations. */
  readonly implicit: readonly [number, number];
  /** The same of the unrolled iteration. */
  readonly kept: readonly [number, number];
}

/** The criterion. */
export function judgeGradient({ unrolled, differences, implicit, kept }: GradientFigures): boolean {
  return unrolled <= 1e-6 && differences <= 1e-6 && implicit[0] === implicit[1] && kept[1] >= 8 * kept[0];
}

/** The gradient is that of the implicit function theorem, and costs no memory for iterations. */
export function implicitGradient(method: Method = ours): Claim {
  return {
    id: "implicit-gradient",
    statement: "The gradient is one more linear solve, and its memory does not depend on the iterations",
    source: "Section 4.4",
    paper: "exact",
    run({ rng }) {
      const graph = randomGraph(8, 2, rng);
      const point = randomMaps(graph, heads, rng);
      // Away from 0 and 1, where the clip has a kink; some outside.
      const values = { ...point, logits: add(mul(point.logits, 0.9), 0.05) };
      let unrolled = 0;
      let differences = 0;
      for (const activation of ["identity", "tanh"] as const) {
        for (const squash of ["clip", "sigmoid"] as const) {
          const loss = (fixed: (graph: EdgeList, a: Tensor, b: Tensor) => Tensor) => (v: Variables) =>
            sum(sin(fixed(graph, method.contractingWeights(graph, v.logits, { squash }), v.bias)));
          const settings = { gamma, activation, tolerance: 1e-13, maxIterations: 400 };
          const implicit = loss((g, a, b) => method.contraction(g, a, b, settings).h);
          const ours = grad(implicit)(values);
          const theirs = grad(loss((g, a, b) => repeated(g, a, b, activation, 200)))(values);
          const numerical = central(jitSync(implicit), values);
          for (const name of ["logits", "bias"] as const) {
            unrolled = Math.max(unrolled, relative(ours[name], theirs[name].data()));
            differences = Math.max(differences, relative(ours[name], numerical[name]));
          }
        }
      }
      const size = (fixed: (g: EdgeList, a: Tensor, b: Tensor) => Tensor) =>
        elements((v: Variables) => sum(sin(fixed(graph, v.logits, v.bias))), values);
      const both = (fixed: (limit: number) => (g: EdgeList, a: Tensor, b: Tensor) => Tensor): [number, number] => [
        size(fixed(20)),
        size(fixed(200)),
      ];
      const implicit = both((maxIterations) => (g, a, b) => method.contraction(g, a, b, { gamma, maxIterations }).h);
      const kept = both((count) => (g, a, b) => repeated(g, a, b, "identity", count));
      const figures = { unrolled, differences, implicit, kept };
      return {
        measured: {
          "from 200 iterations": unrolled,
          "from differences": differences,
          "memory, 200 / 20": implicit[1] / implicit[0],
        },
        holds: judgeGradient(figures),
        detail:
          `Gradients by logits and biases, with identity and tanh, clip and sigmoid, must be within 1e-6 of those through 200 iterations (${figure(unrolled)}) ` +
          `and of central differences (${figure(differences)}). What a gradient computes and keeps, with 20 and 200 iterations: ${implicit.join(" and ")} ` +
          `numbers, which must be equal; through the iterations ${kept.join(" and ")}, which must grow by 8 at least.`,
      };
    },
  };
}

/** The iteration without a fixed point's gradient. */
function repeated(graph: EdgeList, a: Tensor, b: Tensor, activation: "identity" | "tanh", count: number): Tensor {
  let h = mul(b, 0);
  for (let k = 0; k < count; k++) {
    const z = add(b, mul(scatterProduct(a, h, graph.targets, graph.sources, graph.nodes), gamma));
    h = activation === "tanh" ? tanh(z) : z;
  }
  return h;
}

/** Numbers that the traced gradient computes outside of loops, each of which is kept until it is used. */
function elements(loss: (v: Variables) => Tensor, values: Variables): number {
  const graph = trace(
    (logits: Tensor, bias: Tensor) => {
      const slopes = grad(loss)({ logits, bias });
      return add(sum(slopes.logits), sum(slopes.bias));
    },
    spec(values.logits),
    spec(values.bias),
  );
  return graph.equations.reduce(
    (total, { outputs }) => total + outputs.reduce((s, { shape }) => s + shape.reduce((a, b) => a * b, 1), 0),
    0,
  );
}

function spec({ shape, dtype }: Tensor) {
  return { shape, dtype };
}

function central(loss: (v: Variables) => Tensor, values: Variables): Record<keyof Variables, Float64Array> {
  const step = 1e-5;
  const at = (name: keyof Variables, k: number, by: number) => {
    const moved = values[name].data().slice() as Float64Array;
    moved[k] += by;
    return loss({ ...values, [name]: tensor(moved, { shape: values[name].shape }) }).item();
  };
  const slope = (name: keyof Variables) =>
    Float64Array.from({ length: values[name].size }, (_, k) => (at(name, k, step) - at(name, k, -step)) / (2 * step));
  return { logits: slope("logits"), bias: slope("bias") };
}

function relative(a: Tensor, b: ArrayLike<number>): number {
  const values = a.data();
  let difference = 0;
  let largest = 0;
  for (let k = 0; k < b.length; k++) {
    difference = Math.max(difference, Math.abs(values[k] - b[k]));
    largest = Math.max(largest, Math.abs(b[k]));
  }
  return difference / largest;
}
