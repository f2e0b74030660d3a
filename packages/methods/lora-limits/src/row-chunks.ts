import { slice, type Tensor } from "@offprint/tensor-core";

/** Numbers that one part of the work may hold at once. */
const NUMBERS_AT_ONCE = 2 ** 20;

/** Rows from `start` to before `stop`. */
export interface RowChunk {
  readonly start: number;
  readonly stop: number;
}

/** Rows that are worked on together where each of them needs `width` numbers. */
export function chunkFor(width: number): number {
  return Math.max(16, Math.min(1024, Math.floor(NUMBERS_AT_ONCE / width)));
}

/** Parts of at most `most` rows, equally large but for one row, so that few shapes are compiled. */
export function rowChunks(length: number, most: number): RowChunk[] {
  const count = Math.ceil(length / most);
  return Array.from({ length: count }, (_, i) => ({
    start: Math.floor((i * length) / count),
    stop: Math.floor(((i + 1) * length) / count),
  }));
}

/** Those rows of a matrix. */
export function rowsOf(x: Tensor, { start, stop }: RowChunk): Tensor {
  return slice(x, [{ start, stop }]);
}
