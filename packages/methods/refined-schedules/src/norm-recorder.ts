import { readCsv, Table, writeCsv } from "@offprint/data";
import {
  abs,
  add,
  asTensor,
  cast,
  FormatError,
  sqrt,
  square,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";

/** Both norms of a gradient, over all its leaves together. */
export interface GradientNorms {
  /** Sum of absolute values, a scalar. */
  readonly l1: Tensor;
  /** Euclidean norm, a scalar. */
  readonly l2: Tensor;
}

/**
 * Both norms of a tree of gradients, as scalars (float64 where a leaf is). Traceable: inside a compiled step two numbers
 * are all that has to be read back.
 */
export function gradientNorms(gradients: unknown): GradientNorms {
  const leaves = tree.leaves(gradients).map((leaf) => asTensor(leaf as TensorLike));
  const zero = tensor(0);
  return {
    l1: leaves.reduce((total, g) => add(total, sum(abs(g))), zero),
    l2: sqrt(leaves.reduce((total, g) => add(total, sum(square(g))), zero)),
  };
}

/** Both norms of a tree of gradients that is at hand, in float64. */
export function gradientNormsOf(gradients: unknown): { l1: number; l2: number } {
  // Sums of a million float32 squares need more digits than float32 has.
  const exact = tree.map((leaf) => cast(asTensor(leaf as TensorLike), "float64"), gradients);
  const { l1, l2 } = gradientNorms(exact);
  return { l1: l1.item(), l2: l2.item() };
}

/** Keeps the gradient norms of a run, step by step. */
export class GradientNormRecorder {
  private readonly rows: { readonly l1: number; readonly l2: number }[] = [];

  /** Steps recorded. */
  get length(): number {
    return this.rows.length;
  }

  /**
   * Records the norms of a step from its raw mini-batch gradient: before momentum, clipping and weight decay; with
   * accumulation, the accumulated one.
   * @returns the two norms
   */
  record(gradients: unknown): { l1: number; l2: number } {
    const row = gradientNormsOf(gradients);
    this.rows.push(row);
    return row;
  }

  /** Records norms that are known already; one of the two may be missing. */
  add(norms: { readonly l1?: number; readonly l2?: number }): void {
    const { l1 = Number.NaN, l2 = Number.NaN } = norms;
    this.rows.push({ l1, l2 });
  }

  /**
   * Sums of absolute values, `[steps]`: what Adam and its kin are refined from.
   * @throws ValueError where they were not recorded.
   */
  l1(): Float64Array {
    return this.column("l1");
  }

  /**
   * Euclidean norms, `[steps]`: what SGD is refined from.
   * @throws ValueError where they were not recorded.
   */
  l2(): Float64Array {
    return this.column("l2");
  }

  /** CSV with the columns `step`, `l2` and `l1`, a row for each step, all digits kept. */
  toCSV(): string {
    const column = (name: string, value: (row: { l1: number; l2: number }, step: number) => number) => ({
      name,
      type: "number" as const,
      values: Float64Array.from(this.rows, value),
    });
    return writeCsv(
      new Table([column("step", (_, step) => step), column("l2", ({ l2 }) => l2), column("l1", ({ l1 }) => l1)]),
    );
  }

  /**
   * Reads what `toCSV` wrote, or the export of a logger: columns named `l1` and `l2`, else the second column (of a single
   * one, the first) as Euclidean norms. Rows without a number are left out.
   * @throws FormatError, its `offset` the number of the line; for a column `step` that does not grow, too.
   */
  static fromCSV(text: string | Uint8Array): GradientNormRecorder {
    const table = readCsv(text);
    requireOrder(table);
    const chosen = table.names.filter((name) => name === "l1" || name === "l2");
    if (chosen.length === 0) {
      const name = table.names[Math.min(1, table.names.length - 1)];
      return GradientNormRecorder.fromColumns({ l2: numbersOf(table, name) }, table.rows);
    }
    const columns = Object.fromEntries(chosen.map((name) => [name, numbersOf(table, name)]));
    return GradientNormRecorder.fromColumns(columns, table.rows);
  }

  private static fromColumns(columns: { l1?: Float64Array; l2?: Float64Array }, rows: number): GradientNormRecorder {
    const recorder = new GradientNormRecorder();
    for (let i = 0; i < rows; i++) {
      const [l1, l2] = [columns.l1?.[i] ?? Number.NaN, columns.l2?.[i] ?? Number.NaN];
      if (!(Number.isNaN(l1) && Number.isNaN(l2))) recorder.add({ l1, l2 });
    }
    return recorder;
  }

  private column(name: "l1" | "l2"): Float64Array {
    const values = Float64Array.from(this.rows, (row) => row[name]);
    if (values.length > 0 && values.every(Number.isNaN)) {
      throw new ValueError(
        `GradientNormRecorder.${name}: only the other norm was recorded; record gradients, add both, or name the column of a file ${name}`,
      );
    }
    return values;
  }
}

/** Norms of steps in another order, or of some that were made twice, are none of a run. */
function requireOrder({ columns }: Table): void {
  const steps = columns.find(({ name, type }) => name.toLowerCase() === "step" && type !== "text")?.values ?? [];
  for (let row = 1; row < steps.length; row++) {
    if (!(Number(steps[row]) <= Number(steps[row - 1]))) continue;
    throw new FormatError(
      `gradient norms: line ${row + 2}: step ${steps[row]} comes after ${steps[row - 1]}; sort the rows, each step once`,
      { offset: row + 2 },
    );
  }
}

function numbersOf(table: Table, name: string): Float64Array {
  const column = table.column(name);
  if (column.type !== "text") return column.values;
  const row = column.values.findIndex((value) => value !== null && Number.isNaN(Number(value)));
  throw new FormatError(
    `gradient norms: line ${row + 2}: column ${name} holds ${JSON.stringify(column.values[row])}, which is not a number`,
    { offset: row + 2 },
  );
}
