import {
  arange,
  asTensor,
  cast,
  div,
  equal,
  hostTensor,
  jitSync,
  logSumExp,
  mul,
  NonFiniteError,
  onesLike,
  reshape,
  ShapeError,
  sigmoid,
  softmax,
  special,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  takeAlongAxis,
  ValueError,
} from "@offprint/tensor-core";
import { precise } from "./target-surrogate.js";

/** What an oracle is asked for beside the losses. */
export interface OracleNeeds {
  /** Whether the derivatives of the losses by the outputs are needed: the expensive part. */
  readonly grad: boolean;
  /** Whether the second derivatives are needed (metric `newton`). */
  readonly curvature: boolean;
}

/** What an oracle gives. */
export interface OracleAnswer {
  /** Loss of each example, `[b]`. */
  readonly loss: TensorLike;
  /** d loss_i / d z_i, `[b, C]`. */
  readonly grad?: TensorLike;
  /** d^2 loss_i / d z_ic^2, `[b, C]`. */
  readonly curvature?: TensorLike;
}

/**
 * The expensive loss: a simulator, an expert, a remote service. It sees model outputs and nothing else, and need not be
 * differentiable code.
 *
 * @param z outputs of the model, `[b, C]`, in memory.
 * @param ids numbers of the examples, `[b]`.
 */
export type TargetOracle = (z: Tensor, ids: Int32Array, needs: OracleNeeds) => OracleAnswer | Promise<OracleAnswer>;

/** A loss with a known smoothness constant. */
export interface TargetLoss {
  /** L: the gradient of each loss by its outputs changes at most L times as fast as the outputs. */
  readonly smoothness: number;
  /** The oracle for targets of all examples. */
  readonly oracle: TargetOracle;
}

/** A loss of outputs `[b, C]` for the targets of their examples: values `[b]`, first and second derivatives `[b, C]`. */
type Formula = (z: Tensor, y: Tensor) => { loss: Tensor; grad: Tensor; curvature: Tensor };

const formulas = {
  squared(z, y) {
    const grad = sub(z, y);
    return { loss: div(sum(square(grad), 1), 2), grad, curvature: onesLike(z) };
  },
  logistic(z, y) {
    const p = sigmoid(z);
    return { loss: sum(sub(special.softplus(z), mul(y, z)), 1), grad: sub(p, y), curvature: mul(p, sub(1, p)) };
  },
  softmax(z, y) {
    const p = softmax(z, 1);
    const classes = cast(y, "int32");
    const own = reshape(takeAlongAxis(z, classes, { axis: 1 }), [-1]);
    const hot = cast(equal(arange(z.shape[1]), classes), "float64");
    return { loss: sub(logSumExp(z, 1), own), grad: sub(p, hot), curvature: mul(p, sub(1, p)) };
  },
} satisfies Record<string, Formula>;

/** Compiled for batches of any extents. */
const programs = {
  squared: jitSync<Formula>(formulas.squared),
  logistic: jitSync<Formula>(formulas.logistic),
  softmax: jitSync<Formula>(formulas.softmax),
};

/** The oracle of a formula, which finds the targets of a batch among those of all examples. */
function oracleOf(name: keyof typeof programs, targetsOf: (ids: Int32Array, C: number) => Tensor): TargetOracle {
  return (z, ids, needs) => {
    const { loss, grad, curvature } = programs[name](asTensor(z, "float64"), targetsOf(ids, z.shape[1]));
    return { loss, grad, ...(needs.curvature && { curvature }) };
  };
}

/** Cheap losses with their constants; `y` holds the targets of all examples. */
export const losses = {
  /** `|z - y|^2 / 2`, y `[n]` or `[n, C]`; L = 1. */
  squared(y: TensorLike): TargetLoss {
    const targets = targetsFrom("squared", y);
    return { smoothness: 1, oracle: oracleOf("squared", (ids, C) => targets.of(ids, C)) };
  },

  /** `log(1 + e^z) - y z`, y 0 or 1, one output; L = 1/4. */
  logistic(y: TensorLike): TargetLoss {
    const targets = targetsFrom("logistic", y);
    const bad = targets.data.findIndex((value) => value !== 0 && value !== 1);
    if (bad >= 0) throw new ValueError(`logistic: target ${bad} is ${targets.data[bad]}; it must be 0 or 1`);
    const oracle = oracleOf("logistic", (ids, C) => {
      if (C !== 1) throw new ShapeError(`logistic: the model has ${C} outputs; it must have one`);
      return targets.of(ids, 1);
    });
    return { smoothness: 0.25, oracle };
  },

  /** Cross-entropy of softmax(z), y class numbers `[n]`; L = 1/2. */
  softmax(y: TensorLike): TargetLoss {
    const targets = targetsFrom("softmax", y);
    const oracle = oracleOf("softmax", (ids, C) => {
      const classes = targets.of(ids, 1);
      classes.data().forEach((target: number, i: number) => {
        if (Number.isInteger(target) && target >= 0 && target < C) return;
        throw new ValueError(
          `softmax: the class of example ${ids[i]} is ${target}; it must be an integer in 0..${C - 1}`,
        );
      });
      return classes;
    });
    return { smoothness: 0.5, oracle };
  },
} as const;

function targetsFrom(name: string, y: TensorLike) {
  const targets = asTensor(y, "float64");
  if (targets.rank < 1 || targets.rank > 2) {
    throw new ShapeError(`${name}: y has shape [${targets.shape}]; it must be [examples] or [examples, outputs]`);
  }
  const [rows] = targets.shape;
  const width = targets.shape[1] ?? 1;
  const data = targets.data();
  return {
    data,
    /** The targets of examples, `[b, C]`. */
    of(ids: Int32Array, C: number): Tensor {
      if (width !== C) throw new ShapeError(`${name}: y has ${width} columns, the model's outputs ${C}`);
      const own = new Float64Array(ids.length * C);
      ids.forEach((id, i) => {
        if (!(id >= 0 && id < rows)) {
          throw new ValueError(`${name}: there is no target for example ${id}; y has ${rows} rows`);
        }
        own.set(data.subarray(id * C, (id + 1) * C), i * C);
      });
      return hostTensor(own, [ids.length, C], "float64");
    },
  };
}

/** Calls of an oracle, by what they cost. */
export interface OracleCalls {
  /** Calls that asked for gradients. */
  grad: number;
  /** Calls that asked for losses only. */
  loss: number;
}

/** An answer as checked float64 numbers. */
export interface CheckedAnswer {
  /** `[b]`. */
  readonly loss: Float64Array;
  /** `[b, C]`, row-major. */
  readonly grad: Float64Array;
  /** `[b, C]`, row-major; empty where it was not asked for. */
  readonly curvature: Float64Array;
}

/** @throws ValueError for what is no oracle. */
export function checkOracle(owner: string, oracle: unknown): void {
  if (typeof oracle === "function") return;
  throw new ValueError(
    `${owner}: the oracle is ${oracle === null ? "null" : typeof oracle}; it must be a function of outputs, such as losses.squared(y).oracle`,
  );
}

/** Asks an oracle, counts the call, and checks what it says. */
export async function ask(
  oracle: TargetOracle,
  z: Tensor,
  ids: Int32Array,
  calls: OracleCalls,
  needs: Partial<OracleNeeds> = {},
): Promise<CheckedAnswer> {
  const { grad = false, curvature = false } = needs;
  calls[grad ? "grad" : "loss"]++;
  const said: OracleAnswer | undefined | null = await oracle(z, ids, { grad, curvature });
  const read = (name: string, value: TensorLike | undefined, shape: readonly number[]): Float64Array => {
    if (value === undefined) throw new ValueError(`the oracle gave no ${name}, which was asked for`);
    const found = asTensor(value, "float64");
    if (found.shape.join() !== shape.join()) {
      throw new ShapeError(`the oracle's ${name} has shape [${found.shape}]; it must be [${shape}]`);
    }
    const numbers = found.data() as Float64Array;
    for (let k = 0; k < numbers.length; k++) {
      if (Number.isFinite(numbers[k])) continue;
      const example = ids[Math.floor((k * shape[0]) / numbers.length)];
      throw new NonFiniteError(`the oracle's ${name} is ${numbers[k]} for example ${example}; it must be finite`);
    }
    return numbers;
  };
  return {
    loss: read("loss", said?.loss, [z.shape[0]]),
    grad: grad ? read("grad", said?.grad, z.shape) : new Float64Array(0),
    curvature: curvature ? read("curvature", said?.curvature, z.shape) : new Float64Array(0),
  };
}

/**
 * An estimate of L for an oracle without a known one: the largest ratio of changes of the gradient and of the outputs, over
 * random probes and rows, times 1.5.
 *
 * @param probes random changes `[b, C]` of the outputs.
 */
export async function estimateSmoothness(
  oracle: TargetOracle,
  z: TensorLike,
  ids: Int32Array,
  probes: readonly TensorLike[],
): Promise<number> {
  if (probes === undefined || probes.length === 0)
    throw new ValueError("estimateSmoothness: there are no probes; give at least one, [b, C]");
  const outputs = precise(z);
  const [rows, C] = outputs.shape;
  const calls = { grad: 0, loss: 0 };
  const at = await ask(oracle, outputs, ids, calls, { grad: true });
  let largest: number | undefined;
  for (const probe of probes) {
    const change = precise(probe);
    if (change.shape.join() !== outputs.shape.join()) {
      throw new ShapeError(`estimateSmoothness: a probe has shape [${change.shape}]; it must be [${outputs.shape}]`);
    }
    const moved = await ask(oracle, outputs.add(change), ids, calls, { grad: true });
    const step = change.data();
    for (let i = 0; i < rows; i++) {
      const row = Array.from({ length: C }, (_, c) => i * C + c);
      const run = Math.hypot(...row.map((k) => step[k]));
      const rise = Math.hypot(...row.map((k) => moved.grad[k] - at.grad[k]));
      if (run > 0) largest = Math.max(largest ?? 0, rise / run);
    }
  }
  if (largest === undefined) throw new ValueError("estimateSmoothness: all probes are 0; give changes of the outputs");
  return 1.5 * largest;
}
