import { type Backend, type DType, jit, type Tensor } from "@offprint/tensor-core";

/** How close floats must be: `|a - b| <= relative * |b| + absolute`. */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

/** One function of given inputs, which must give the same eagerly and compiled. */
export interface Cell {
  readonly label: string;
  readonly f: (...inputs: Tensor[]) => Tensor[];
  readonly inputs: readonly Tensor[];
  readonly tolerance?: Partial<Record<DType, Tolerance>>;
}

export const TOLERANCE: Record<DType, Tolerance> = {
  float32: { relative: 3e-6, absolute: 1e-6 },
  float64: { relative: 1e-13, absolute: 1e-14 },
  int32: { relative: 0, absolute: 0 },
  bool: { relative: 0, absolute: 0 },
};

/** Cells that are compiled as one graph: sessions cost more than nodes. */
const GROUP = 16;

/** Where a compiled result differs from the eager one; undefined where it agrees. */
export function disagreement(compiled: Tensor, eager: Tensor, tolerance: Tolerance): string | undefined {
  if (compiled.dtype !== eager.dtype) return `dtype ${compiled.dtype} instead of ${eager.dtype}`;
  if (compiled.shape.join() !== eager.shape.join()) return `shape [${compiled.shape}] instead of [${eager.shape}]`;
  const a = compiled.data();
  const b = eager.data();
  for (let i = 0; i < b.length; i++) {
    if (a[i] === b[i] || (a[i] !== a[i] && b[i] !== b[i])) continue;
    if (!(Math.abs(a[i] - b[i]) <= tolerance.relative * Math.abs(b[i]) + tolerance.absolute)) {
      return `element ${i} is ${a[i]} instead of ${b[i]}`;
    }
  }
  return undefined;
}

/** The cells that fail, with the reason: those that disagree, and those that the backend refuses or cannot run. */
export async function failures(backend: Backend, cells: readonly Cell[], group = GROUP): Promise<string[]> {
  const found: string[] = [];
  for (let from = 0; from < cells.length; from += group) {
    found.push(...(await groupFailures(backend, cells.slice(from, from + group))));
  }
  return found;
}

async function groupFailures(backend: Backend, cells: readonly Cell[]): Promise<string[]> {
  const ends = cells.map(
    (
      (end) => (cell: Cell) =>
        (end += cell.inputs.length)
    )(0),
  );
  const all = (...inputs: Tensor[]) =>
    cells.map((cell, i) => cell.f(...inputs.slice(ends[i] - cell.inputs.length, ends[i])));
  const compiled = jit(all, { backend });
  let results: Tensor[][];
  try {
    results = await compiled(...cells.flatMap((cell) => cell.inputs));
    results = await Promise.all(results.map((outputs) => Promise.all(outputs.map((y) => y.host()))));
  } catch (error) {
    if (cells.length === 1) return [`${cells[0].label}: ${(error as Error).message}`];
    const half = cells.length >> 1;
    return [
      ...(await groupFailures(backend, cells.slice(0, half))),
      ...(await groupFailures(backend, cells.slice(half))),
    ];
  } finally {
    await compiled.release().catch(() => {});
  }
  return cells.flatMap((cell, i) =>
    cell.f(...cell.inputs).flatMap((eager, k) => {
      const tolerance = cell.tolerance?.[eager.dtype] ?? TOLERANCE[eager.dtype];
      const reason = disagreement(results[i][k], eager, tolerance);
      return reason === undefined ? [] : [`${cell.label}, output ${k}: ${reason}`];
    }),
  );
}
