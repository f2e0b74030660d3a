import { type Tensor, ValueError } from "@offprint/tensor-core";

/** @throws ValueError that names the first row and column of `[n, p]` with a number that is not finite. */
export function requireFiniteRows(owner: string, what: string, x: Tensor): void {
  const at = x.data().findIndex((value: number) => !Number.isFinite(value));
  if (at < 0) return;
  const width = x.shape[1];
  throw new ValueError(
    `${owner}: ${what} has ${x.data()[at]} in row ${Math.floor(at / width)}, column ${at % width} (from 0); fill it, or leave the row out`,
  );
}
