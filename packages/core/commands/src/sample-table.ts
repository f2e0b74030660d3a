import { readSamples } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import {
  isTensor,
  random,
  requireObject,
  requireSeed,
  ShapeError,
  type Tensor,
  take,
  tensor,
  ValueError,
} from "@offprint/tensor-core";

/** What to read of a table; the whole options of a command that takes `tableOptions` may be given. */
export interface TableColumns {
  /** Column to predict: default the last one, of an NPZ file the array `y`. `null` for tables to predict for. */
  readonly target?: string | null;
  /** Columns to predict from, in this order; default all others. */
  readonly features?: readonly string[];
}

/** A target of numbers `[rows]` or `[rows, outputs]` (float64), or of texts. */
export type Target = Tensor | readonly string[];

/** A table of samples whose target is known. */
export interface SampleTable {
  /** Where it was read from. */
  readonly path: string;
  /** `[rows, features]`, float64. */
  readonly inputs: Tensor;
  /** Names of the features. */
  readonly features: readonly string[];
  /** The target's name. */
  readonly targetName: string;
  /** What is to be predicted. */
  readonly target: Target;
}

/** A table to predict for. */
export type InputTable = Omit<SampleTable, "target" | "targetName">;

/** What is to be predicted: numbers, or one of several classes. */
export type Task = "classification" | "regression";

/**
 * Reads a table of samples; one rule for all commands. What it is is known by its content: NPZ with the arrays `x` (or
 * `X`) `[samples, features]` and `y`; LIBSVM text; otherwise CSV with a header, plain or compressed by gzip.
 *
 * @throws ValueError, FormatError, ShapeError with the file's name in front: a file that cannot be read, a column that is
 * not there, missing values, texts among the features, no target
 * @example const { inputs, target } = await readTable("wine.csv", { target: "grower" });
 */
export async function readTable(path: string, options: TableColumns & { readonly target: null }): Promise<InputTable>;
export async function readTable(path: string, options?: TableColumns): Promise<SampleTable>;
export async function readTable(path: string, options: TableColumns = {}): Promise<InputTable | SampleTable> {
  const { target, features } = options;
  const wanted = { ...(target !== undefined && { target }), ...(features && { inputs: features }) };
  const file = await loadFile(path, (bytes) => {
    try {
      return readSamples(bytes, wanted);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      throw new ValueError(`${path}: ${error.message.replace(/^Table: /, "")}`, { cause: error });
    }
  });
  const inputs = { path, inputs: file.inputs, features: file.inputNames };
  if (target === null) return inputs;
  if (file.targets === undefined) throw new ValueError(`${path}: it has no target; name it with --target`);
  return { ...inputs, target: file.targets, targetName: file.targetName ?? "y" };
}

function noNumbers({ path, targetName }: SampleTable): ValueError {
  return new ValueError(`${path}: ${targetName} holds texts, which are no numbers; take --task classification`);
}

/**
 * Whether classes or numbers are to be predicted: texts are classes, numbers are not unless `wanted` says so.
 *
 * @throws ValueError for texts that are to be numbers
 */
export function taskOf(table: SampleTable, wanted?: Task): Task {
  requireObject("taskOf", "table", table, "a SampleTable");
  if (wanted === "regression" && !isTensor(table.target)) throw noNumbers(table);
  return wanted ?? (isTensor(table.target) ? "regression" : "classification");
}

/**
 * The target as numbers `[rows, outputs]`, float64.
 *
 * @throws ValueError where it holds texts
 */
export function numbersOf(table: SampleTable): Tensor {
  requireObject("numbersOf", "table", table, "a SampleTable");
  const { target } = table;
  if (!isTensor(target)) throw noNumbers(table);
  return target.reshape([target.shape[0], -1]);
}

/** Classes of a target. */
export interface Classes {
  /** Their names in order: numbers by size, texts with numbers in them as people sort them. */
  readonly names: readonly string[];
  /** Place of each row's class in `names`: `[rows]`, int32. */
  readonly codes: Tensor;
}

/**
 * The target as classes, of texts or of numbers.
 *
 * @throws ValueError where there are fewer than two; ShapeError for several numbers in a row
 */
export function classesOf(sampleTable: SampleTable): Classes {
  requireObject("classesOf", "sampleTable", sampleTable, "a SampleTable");
  const { path, target, targetName } = sampleTable;
  if (isTensor(target) && target.rank !== 1) {
    throw new ShapeError(`${path}: classes must be one for each row, ${targetName} has shape [${target.shape}]`);
  }
  const labels: ArrayLike<number | string> = isTensor(target) ? target.data() : target;
  const distinct = [...new Set(Array.from(labels))].sort((a, b) =>
    typeof a === "number" && typeof b === "number"
      ? a - b
      : String(a).localeCompare(String(b), "en", { numeric: true }),
  );
  if (distinct.length < 2) {
    throw new ValueError(`${path}: ${targetName} has one class only; give samples of two at least`);
  }
  const places = new Map(distinct.map((label, place) => [label, place]));
  const codes = Int32Array.from(Array.from(labels), (label) => places.get(label) ?? -1);
  return { names: distinct.map(String), codes: tensor(codes) };
}

/** Rows to learn from, and rows to judge by. */
export interface Parts<T> {
  /** What is learnt from. */
  readonly train: T;
  /** What is held out; nothing where the share is 0. */
  readonly test: T | undefined;
  /** Places in the table of the rows of `train`, from 0. */
  readonly trainRows: readonly number[];
}

function rowsOf<T extends SampleTable>(table: T, rows: readonly number[]): T {
  const at = Int32Array.from(rows);
  const { inputs, target } = table;
  return {
    ...table,
    inputs: take(inputs, at),
    target: isTensor(target) ? take(target, at) : rows.map((i) => target[i]!),
  };
}

/**
 * Holds rows out at random: the same ones for the same seed, whatever is learnt from the others.
 *
 * @param share in [0, 1); 0 holds out nothing
 * @param optionName of the share, as the user gives it
 * @throws ValueError where one of the parts would be empty
 */
export function holdOut<T extends SampleTable>(
  table: T,
  share: number,
  seed: number | string,
  optionName = "--holdout",
): Parts<T> {
  requireObject("holdOut", "table", table, "a SampleTable");
  requireSeed("holdOut", seed);
  const rows = table.inputs.shape[0]!;
  if (share === 0) return { train: table, test: undefined, trainRows: Array.from({ length: rows }, (_, i) => i) };
  const count = Math.round(share * rows);
  if (count < 1 || count >= rows) {
    throw new ValueError(`${optionName} is ${share} of ${rows} rows; leave at least one for each part`);
  }
  const order: number[] = Array.from(random.rng(`${seed}/held out`).permutation(rows).data());
  const byPlace = (part: number[]) => part.sort((a, b) => a - b);
  const trainRows = byPlace(order.slice(0, rows - count));
  return { train: rowsOf(table, trainRows), test: rowsOf(table, byPlace(order.slice(rows - count))), trainRows };
}
