import {
  asTensor,
  NonFiniteError,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
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

/** Cheap losses with their constants; `y` holds the targets of all examples. */
export const losses = {
  /** `|z - y|^2 / 2`, y `[n]` or `[n, C]`; L = 1. */
  squared(y: TensorLike): TargetLoss {
    const targets = rowsOf("squared", y);
    return {
      smoothness: 1,
      oracle: (z, ids, needs) => {
        const { data, loss, grad, C } = prepared(z);
        for (let i = 0; i < ids.length; i++) {
          const row = targets.row(ids[i], C);
          for (let c = 0; c < C; c++) {
            const r = data[i * C + c] - targets.data[row + c];
            grad[i * C + c] = r;
            loss[i] += 0.5 * r * r;
          }
        }
        return {
          ...answer(loss, grad, z),
          ...(needs.curvature && { curvature: tensor(new Float64Array(grad.length).fill(1), { shape: z.shape }) }),
        };
      },
    };
  },

  /** `log(1 + e^z) - y z`, y 0 or 1, one output; L = 1/4. */
  logistic(y: TensorLike): TargetLoss {
    const targets = rowsOf("logistic", y);
    const bad = targets.data.findIndex((value) => value !== 0 && value !== 1);
    if (bad >= 0) throw new ValueError(`logistic: target ${bad} is ${targets.data[bad]}; it must be 0 or 1`);
    return {
      smoothness: 0.25,
      oracle: (z, ids, needs) => {
        const { data, loss, grad, C } = prepared(z);
        if (C !== 1) throw new ShapeError(`logistic: the model has ${C} outputs; it must have one`);
        const curvature = needs.curvature ? new Float64Array(grad.length) : undefined;
        for (let i = 0; i < ids.length; i++) {
          const target = targets.data[targets.row(ids[i], 1)];
          const e = Math.exp(-Math.abs(data[i]));
          const p = data[i] >= 0 ? 1 / (1 + e) : e / (1 + e);
          loss[i] = Math.max(data[i], 0) + Math.log1p(e) - target * data[i];
          grad[i] = p - target;
          if (curvature) curvature[i] = p * (1 - p);
        }
        return { ...answer(loss, grad, z), ...(curvature && { curvature: tensor(curvature, { shape: z.shape }) }) };
      },
    };
  },

  /** Cross-entropy of softmax(z), y class numbers `[n]`; L = 1/2. */
  softmax(y: TensorLike): TargetLoss {
    const targets = rowsOf("softmax", y);
    return {
      smoothness: 0.5,
      oracle: (z, ids, needs) => {
        const { data, loss, grad, C } = prepared(z);
        const curvature = needs.curvature ? new Float64Array(grad.length) : undefined;
        for (let i = 0; i < ids.length; i++) {
          const target = targets.data[targets.row(ids[i], 1)];
          if (!(Number.isInteger(target) && target >= 0 && target < C)) {
            throw new ValueError(
              `softmax: the class of example ${ids[i]} is ${target}; it must be an integer in 0..${C - 1}`,
            );
          }
          const at = i * C;
          let largest = data[at];
          for (let c = 1; c < C; c++) largest = Math.max(largest, data[at + c]);
          let total = 0;
          for (let c = 0; c < C; c++) total += Math.exp(data[at + c] - largest);
          loss[i] = largest + Math.log(total) - data[at + target];
          for (let c = 0; c < C; c++) {
            const p = Math.exp(data[at + c] - largest) / total;
            grad[at + c] = p - (c === target ? 1 : 0);
            if (curvature) curvature[at + c] = p * (1 - p);
          }
        }
        return { ...answer(loss, grad, z), ...(curvature && { curvature: tensor(curvature, { shape: z.shape }) }) };
      },
    };
  },
} as const;

function rowsOf(name: string, y: TensorLike) {
  const targets = asTensor(y, "float64");
  if (targets.rank < 1 || targets.rank > 2) {
    throw new ShapeError(`${name}: y has shape [${targets.shape}]; it must be [examples] or [examples, outputs]`);
  }
  const [rows] = targets.shape;
  const width = targets.shape[1] ?? 1;
  return {
    data: targets.data(),
    row(id: number, C: number): number {
      if (width !== C) throw new ShapeError(`${name}: y has ${width} columns, the model's outputs ${C}`);
      if (!(id >= 0 && id < rows))
        throw new ValueError(`${name}: there is no target for example ${id}; y has ${rows} rows`);
      return id * width;
    },
  };
}

function prepared(z: Tensor) {
  const [rows, C] = z.shape;
  return { data: z.data(), loss: new Float64Array(rows), grad: new Float64Array(rows * C), C };
}

function answer(loss: Float64Array, grad: Float64Array, z: Tensor) {
  return { loss: tensor(loss), grad: tensor(grad, { shape: z.shape }) };
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
  const said = await oracle(z, ids, { grad, curvature });
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
    loss: read("loss", said.loss, [z.shape[0]]),
    grad: grad ? read("grad", said.grad, z.shape) : new Float64Array(0),
    curvature: curvature ? read("curvature", said.curvature, z.shape) : new Float64Array(0),
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
  let largest = 0;
  for (const probe of probes) {
    const change = precise(probe);
    if (change.shape.join() !== outputs.shape.join()) {
      throw new ShapeError(`estimateSmoothness: a probe has shape [${change.shape}]; it must be [${outputs.shape}]`);
    }
    const moved = await ask(oracle, outputs.add(change), ids, calls, { grad: true });
    const step = change.data();
    for (let i = 0; i < rows; i++) {
      let rise = 0;
      let run = 0;
      for (let k = i * C; k < (i + 1) * C; k++) {
        rise += (moved.grad[k] - at.grad[k]) ** 2;
        run += step[k] ** 2;
      }
      if (run > 0) largest = Math.max(largest, Math.sqrt(rise / run));
    }
  }
  return 1.5 * largest;
}
