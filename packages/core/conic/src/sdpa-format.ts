import { sparse, UnsupportedError } from "@offprint/tensor-core";
import { type ConicProblem, checkProblem } from "./problem.js";

/**
 * A problem without P and without second-order cones in the SDPA sparse text format, which CSDP, SDPA, SDPT3 and others
 * read: minimise c^T x subject to sum x_k F_k - F_0 >= 0. Rows of the zero cone become two opposite inequalities; the
 * upper triangle is written, without factors of sqrt 2.
 *
 * @throws UnsupportedError for a quadratic objective, a second-order cone or an operator
 */
export function formatSdpa(problem: ConicProblem): string {
  const { A, P, b, c, blocks } = checkProblem(problem);
  if (P !== undefined) throw new UnsupportedError("formatSdpa: the format has no quadratic objective");
  if (A === undefined) throw new UnsupportedError("formatSdpa: give A as a matrix, not as an operator");
  if (blocks.some(({ kind }) => kind === "secondOrder")) {
    throw new UnsupportedError("formatSdpa: the format has no second-order cones; write them as matrix inequalities");
  }
  const diagonal = blocks
    .filter(({ kind }) => kind !== "semidefinite")
    .reduce((count, { kind, length }) => count + (kind === "zero" ? 2 * length : length), 0);
  const semidefinite = blocks.filter(({ kind }) => kind === "semidefinite");
  const sizes = [...(diagonal > 0 ? [-diagonal] : []), ...semidefinite.map(({ order }) => order)];
  const lines = [String(c.length), String(sizes.length), sizes.join(" "), Array.from(c, exact).join(" ")];
  const places = rowPlaces(blocks, diagonal > 0);
  const write = (matrix: number, row: number, value: number): void => {
    for (const { block, i, j, factor } of places[row]) {
      if (value !== 0) lines.push(`${matrix} ${block} ${j} ${i} ${exact(value * factor)}`);
    }
  };
  // b - A x in K, that is F_k = -A[:, k] and F_0 = -b.
  for (let row = 0; row < b.length; row++) write(0, row, -b[row]);
  const { indptr, indices, values } = sparse.toCsc(A);
  for (let k = 0; k < c.length; k++) {
    for (let p = indptr[k]; p < indptr[k + 1]; p++) write(k + 1, indices[p], -values[p]);
  }
  return `${lines.join("\n")}\n`;
}

interface Place {
  readonly block: number;
  readonly i: number;
  readonly j: number;
  readonly factor: number;
}

function rowPlaces(blocks: ReturnType<typeof checkProblem>["blocks"], hasDiagonal: boolean): Place[][] {
  const places: Place[][] = [];
  let diagonal = 0;
  let block = hasDiagonal ? 1 : 0;
  const next = (factor: number): Place => {
    diagonal++;
    return { block: 1, i: diagonal, j: diagonal, factor };
  };
  for (const { kind, length, order } of blocks) {
    if (kind === "zero") for (let k = 0; k < length; k++) places.push([next(1), next(-1)]);
    else if (kind === "nonnegative") for (let k = 0; k < length; k++) places.push([next(1)]);
    else {
      block++;
      for (let j = 1; j <= order; j++) {
        for (let i = j; i <= order; i++) places.push([{ block, i, j, factor: i === j ? 1 : Math.SQRT1_2 }]);
      }
    }
  }
  return places;
}

function exact(value: number): string {
  return String(value);
}
