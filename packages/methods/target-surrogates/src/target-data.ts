import {
  asTensor,
  checkOptions,
  isTensor,
  random,
  refuseIdle,
  requireChoice,
  requireInteger,
  ShapeError,
  type Tensor,
  type TensorLike,
  take,
  tree,
  ValueError,
} from "@offprint/tensor-core";

/** Inputs of all examples. */
export interface TargetData<X = unknown> {
  /** A tensor `[n, ...]`, or a tree of such tensors; plain arrays of numbers are read in float64. */
  readonly x: X;
  /** Number of each example as the oracle knows it, `[n]`. Default 0, 1, ..., n - 1. */
  readonly ids?: Int32Array;
}

/** Which examples a step uses: `full`, a number, or a list of rows for every step. */
export type BatchChoice = number | "full" | readonly Int32Array[];

/** Examples of a step. */
export interface ExampleBatch {
  /** Their inputs. */
  readonly x: unknown;
  /** Their numbers, as the oracle knows them. */
  readonly ids: Int32Array;
  /** Their places among all examples. */
  readonly rows: Int32Array;
}

/** Inputs as tensors. */
export function inputsOf(caller: string, x: unknown): unknown {
  if (x === undefined || x === null) {
    throw new ValueError(`${caller}: data.x is ${String(x)}; give the inputs of all examples, a tensor [n, ...]`);
  }
  if (isTensor(x)) return x;
  const plain = ArrayBuffer.isView(x) || (Array.isArray(x) && typeof x.flat(Number.POSITIVE_INFINITY)[0] === "number");
  return plain ? asTensor(x as TensorLike, "float64") : x;
}

/** @throws ValueError for what is no list of integers. */
function integersOf(owner: string, name: string, list: ArrayLike<number>): Int32Array {
  const isList = Array.isArray(list) || ArrayBuffer.isView(list);
  if (!isList || !Array.from(list as ArrayLike<number>).every(Number.isSafeInteger))
    throw new ValueError(`${owner}: ${name} is no list of integers; give an Int32Array`);
  return list instanceof Int32Array ? list : Int32Array.from(list);
}

/** The rows of every step. */
export class TargetBatches {
  /** n. */
  readonly size: number;
  /** Steps of a pass. */
  readonly perPass: number;
  private readonly batch: BatchChoice;
  private readonly seed: number | string;
  private readonly whole: ExampleBatch;
  private pass = -1;
  private order = new Int32Array(0);

  constructor(caller: string, data: TargetData, batch: BatchChoice, seed?: number | string, dropLast?: boolean) {
    const x = inputsOf(caller, data?.x);
    checkOptions(`${caller}: data`, data, ["x", "ids"]);
    requireChoice(caller, "dropLast", dropLast, [true, false]);
    const leaves = tree.leaves<unknown>(x).filter((leaf) => isTensor(leaf)) as Tensor[];
    const n = leaves[0]?.shape[0] ?? 0;
    for (const leaf of leaves) {
      if (leaf.rank === 0 || leaf.shape[0] !== n)
        throw new ShapeError(`${caller}: x has leaves with ${n} and [${leaf.shape}] rows; all need the same number`);
    }
    if (n === 0) throw new ValueError(`${caller}: data.x has no examples; give a tensor [n, ...]`);
    const rows = Int32Array.from({ length: n }, (_, i) => i);
    const ids = data.ids === undefined ? rows : integersOf(caller, "data.ids", data.ids);
    if (ids.length !== n)
      throw new ShapeError(`${caller}: there are ${ids.length} ids for ${n} examples; give one for each`);
    if (typeof batch === "number") requireInteger(caller, "batch", batch, 1, n);
    else if (batch !== "full" && !Array.isArray(batch)) {
      throw new ValueError(`${caller}: batch is ${String(batch)}; it must be a number, "full", or rows for every step`);
    }
    if (typeof batch !== "number") {
      const beside = `batch ${batch === "full" ? '"full"' : "a list of rows"}, which has no order to draw`;
      refuseIdle(caller, beside, { dropLast, seed }, ["dropLast", "seed"]);
    }
    this.size = n;
    this.batch = batch;
    this.seed = seed ?? 0;
    this.whole = { x, ids, rows };
    this.perPass = typeof batch === "number" ? (dropLast === false ? Math.ceil(n / batch) : Math.floor(n / batch)) : 1;
  }

  /** All examples. */
  all(): ExampleBatch {
    return this.whole;
  }

  /** Those of step t; the same for the same seed and t. */
  at(t: number): ExampleBatch {
    if (this.batch === "full") return this.whole;
    const rows = this.rowsAt(t);
    const ids = rows.map((row) => this.whole.ids[row]);
    return { x: tree.map((leaf: Tensor) => take(leaf, rows), this.whole.x), ids, rows };
  }

  private rowsAt(t: number): Int32Array {
    if (typeof this.batch !== "number") {
      const lists = this.batch as readonly Int32Array[];
      const rows = lists[t] === undefined ? new Int32Array(0) : integersOf("batch", `its list ${t}`, lists[t]);
      if (rows.length === 0) throw new ValueError(`batch has no rows for step ${t}; give a list for each of the steps`);
      const bad = rows.find((row) => !(row >= 0 && row < this.size));
      if (bad !== undefined)
        throw new ValueError(`batch has row ${bad} for step ${t}; rows must be in 0..${this.size - 1}`);
      return rows;
    }
    const pass = Math.floor(t / this.perPass);
    if (pass !== this.pass) {
      this.order = random.rng(`${this.seed}/pass/${pass}`).permutation(this.size).data() as Int32Array<ArrayBuffer>;
      this.pass = pass;
    }
    const from = (t % this.perPass) * this.batch;
    return this.order.slice(from, Math.min(this.size, from + this.batch));
  }
}
