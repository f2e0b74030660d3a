import { applyUpdates, type GradientTransformation } from "@offprint/optim";
import { asTensor, matmul, type Tensor, tensor } from "@offprint/tensor-core";
import type { ForwardCount, InnerPoint, InnerProblem, InnerProblems, OptimizerStep } from "./inner-problem.js";
import type { TargetSurrogate } from "./target-surrogate.js";

/** A point with its outputs; and where its gradient leads, once it is known. */
interface LinearPoint extends InnerPoint {
  readonly params: Tensor;
  readonly gradient: Tensor;
  /** Outputs `[b, C]`, row-major. */
  readonly z: Float64Array;
  /** Outputs of the gradient, and the curvature of q along it. */
  line?: { readonly z: Float64Array; readonly curvature: number };
}

/** Inner problems of `z = x W`, in float64: along a line q is a parabola, whose coefficients one product gives. */
export function linearProblems(count: ForwardCount): InnerProblems {
  const inputs = new WeakMap<object, Tensor>();
  const inputsOf = (given: Tensor) => {
    const known = inputs.get(given) ?? asTensor(given).cast("float64");
    inputs.set(given, known);
    return known;
  };
  return {
    forward: async (W: Tensor, x: Tensor) => {
      count.forward++;
      return matmul(inputsOf(x), W);
    },
    problem: (x: Tensor, surrogate) => new LinearProblem(x, surrogate, inputsOf(x), count),
    release: async () => {},
  };
}

class LinearProblem implements InnerProblem {
  readonly x: Tensor;
  readonly surrogate: TargetSurrogate;
  private readonly rows: Tensor;
  private readonly count: ForwardCount;
  private readonly z0: Float64Array;
  private readonly g: Float64Array;
  private readonly D: Float64Array;
  private readonly value0: number;

  constructor(x: Tensor, surrogate: TargetSurrogate, rows: Tensor, count: ForwardCount) {
    this.x = x;
    this.surrogate = surrogate;
    this.rows = rows;
    this.count = count;
    this.z0 = numbers(surrogate.z0);
    this.g = numbers(surrogate.grad);
    const D = numbers(surrogate.D);
    this.D = D.length === 1 ? new Float64Array(this.z0.length).fill(D[0]) : D;
    this.value0 = surrogate.value0.item();
  }

  async at(params: Tensor): Promise<InnerPoint> {
    return this.now(params);
  }

  async stepBy(optimizer: GradientTransformation, params: Tensor, state: any): Promise<OptimizerStep> {
    const { value, squaredNorm, gradient } = this.now(params);
    const next = optimizer.update(gradient, state, params);
    return { value, squaredNorm, params: applyUpdates(params, next.updates), state: next.state };
  }

  now(params: Tensor): LinearPoint {
    return this.pointAt(params, this.outputs(params));
  }

  async trial(point: InnerPoint, step: number): Promise<number> {
    return point.value - step * point.squaredNorm + 0.5 * step * step * this.along(point as LinearPoint).curvature;
  }

  async advance(point: InnerPoint, step: number): Promise<InnerPoint> {
    const { params, gradient, z } = point as LinearPoint;
    const line = this.along(point as LinearPoint);
    const moved = minus(numbers(params), numbers(gradient), step);
    return this.pointAt(tensor(moved, { shape: params.shape }), minus(z, line.z, step));
  }

  private outputs(params: Tensor): Float64Array {
    this.count.forward++;
    return numbers(matmul(this.rows, params));
  }

  private pointAt(params: Tensor, z: Float64Array): LinearPoint {
    const { z0, g, D } = this;
    const [b, d] = this.rows.shape;
    const C = z.length / b;
    const slope = new Float64Array(z.length); // [C, b], so that x need not be transposed
    let value = 0;
    for (let i = 0, k = 0; i < b; i++) {
      for (let c = 0; c < C; c++, k++) {
        const change = z[k] - z0[k];
        value += (g[k] + 0.5 * D[k] * change) * change;
        slope[c * b + i] = (g[k] + D[k] * change) / b;
      }
    }
    const product = numbers(matmul(tensor(slope, { shape: [C, b] }), this.rows));
    const gradient = new Float64Array(d * C);
    let squaredNorm = 0;
    for (let c = 0, k = 0; c < C; c++) {
      for (let j = 0; j < d; j++, k++) {
        gradient[j * C + c] = product[k];
        squaredNorm += product[k] * product[k];
      }
    }
    const shaped = tensor(gradient, { shape: [d, C] });
    return { params, value: this.value0 + value / b, gradient: shaped, squaredNorm, z };
  }

  private along(point: LinearPoint): { readonly z: Float64Array; readonly curvature: number } {
    if (point.line === undefined) {
      const z = this.outputs(point.gradient);
      let curvature = 0;
      for (let k = 0; k < z.length; k++) curvature += this.D[k] * z[k] * z[k];
      point.line = { z, curvature: curvature / this.rows.shape[0] };
    }
    return point.line;
  }
}

function numbers(x: Tensor): Float64Array {
  const data = x.data();
  return data instanceof Float64Array ? data : Float64Array.from(data);
}

function minus(from: Float64Array, direction: Float64Array, step: number): Float64Array {
  const result = new Float64Array(from.length);
  for (let k = 0; k < result.length; k++) result[k] = from[k] - step * direction[k];
  return result;
}
