import { hostTensor, jitSync, matmul, type Tensor } from "@offprint/tensor-core";

/** From so many entries on a compiled product takes a quarter of the time of a loop; below, compiling is not worth its while. */
const COMPILED_FROM = 1.5e5;
/** Entries of the matrices that stay in the memory of compiled products. */
const KEPT = 1e7;

/** A matrix that the call before had too is not copied again. */
const dots = jitSync((columns: Tensor, s: Tensor) => matmul(columns, s), { views: true });
/** Entries for each size that it is compiled for. */
const sizes = new Map<string, number>();

/** Whether `columnDots` is for a matrix of this size. */
export function compilesDots(rows: number, columns: number): boolean {
  return rows * columns >= COMPILED_FROM && rows * columns <= KEPT;
}

/** `columns` `[n, m]` times s `[m]`; the next call overwrites the result. */
export function columnDots(columns: Tensor, s: Float64Array): Float64Array {
  const size = columns.shape.join();
  if (!sizes.has(size)) {
    let entries = columns.size;
    for (const others of sizes.values()) entries += others;
    if (entries > KEPT) {
      dots.release();
      sizes.clear();
    }
    sizes.set(size, columns.size);
  }
  return dots(columns, hostTensor(s, [s.length], "float64")).data() as Float64Array;
}
