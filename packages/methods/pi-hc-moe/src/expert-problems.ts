import {
  add,
  broadcastTo,
  concatenate,
  div,
  expandDims,
  full,
  greater,
  linalg,
  matmul,
  max,
  mul,
  random,
  reshape,
  ShapeError,
  sqrt,
  squeeze,
  stopGradient,
  sub,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  tree,
  ValueError,
  where,
} from "@offprint/tensor-core";
import type { Fields, PdeConstraint } from "./constraint.js";
import { blockSize, type Settings } from "./constraint-options.js";
import { jacobianColumns } from "./expert-gradient.js";
import type { Constrained } from "./hard-constraint.js";
import { type Experts, expertCount, partition, unpartition } from "./partition.js";

/** A tree of what the residuals of experts depend on: their blocks of all problems. */
export interface ExpertData {
  /** Terms of the basis, each `[batch, experts, points, N]`. */
  readonly terms: Fields;
  /** Each `[batch, experts, points]`. */
  readonly offset: Fields;
  /** `[batch, experts, rows, N]`, with their targets; no rows without conditions. */
  readonly matrix: Tensor;
  /** `[batch, experts, rows]`. */
  readonly target: Tensor;
  /** What residuals are divided by, `[batch, experts, 1]`: gradients are parts of |J| |F| at the start then, in any units. */
  readonly size: Tensor;
}

/** @internal What every expert has to solve. */
export function expertProblems<P>(
  owner: string,
  basis: TensorLike,
  pde: PdeConstraint<P>,
  problem: P,
  settings: Settings,
) {
  const given = tensor(basis, { dtype: "float64" });
  const { grid } = pde;
  if (given.rank !== grid.length + 2 || grid.some((n, axis) => given.shape[axis + 1] !== n)) {
    throw new ShapeError(`${owner}: basis has shape [${given.shape}]; it must be [batch, ${grid}, N]`);
  }
  const shaped = pde.shape?.(given, problem) ?? given;
  const [batch, N] = [shaped.shape[0], shaped.shape[shaped.rank - 1]];
  const { experts, samplesPerExpert, ridge, seed } = settings;
  const K = expertCount(experts);
  const points = blockSize(grid, experts);
  const chosen =
    samplesPerExpert === "all" || samplesPerExpert === points
      ? undefined
      : random.rng(seed).choice(points, { shape: [samplesPerExpert], replace: false });
  const blocks = (x: Tensor): Tensor => {
    const all = reshape(partition(x, experts), [batch, K, points, x.shape[x.rank - 1]]);
    return chosen === undefined ? all : take(all, chosen, 2);
  };
  const each = (fields: Fields, f: (x: Tensor) => Tensor): Fields =>
    Object.fromEntries(Object.entries(fields).map(([name, x]) => [name, f(x)]));
  const terms = pde.terms(shaped, problem);
  if (terms.u === undefined) throw new ValueError(`${owner}: the equation's terms lack u, the functions themselves`);
  const conditions = pde.rows?.(shaped, problem) ?? {
    matrix: full([batch, 0, N], 0, "float64"),
    target: full([batch, 0], 0, "float64"),
  };
  const added = pde.offset?.(problem) ?? {};
  for (const { shape } of [...Object.values(added), conditions.target]) {
    if (shape[0] === batch || shape[0] === 1) continue;
    throw new ShapeError(`${owner}: basis is for ${batch} problems, and there are ${shape[0]}; give as many of both`);
  }
  const own = {
    terms: each(terms, blocks),
    offset: each(added, (x) => squeeze(blocks(expandDims(x, -1)), -1)),
    matrix: broadcastTo(expandDims(conditions.matrix, 1), [batch, K, ...conditions.matrix.shape.slice(1)]),
    target: broadcastTo(expandDims(conditions.target, 1), [batch, K, ...conditions.target.shape.slice(1)]),
  };
  const residuals = own.terms.u.shape[2] + conditions.target.shape[1];
  if (ridge === 0 && residuals < N) {
    throw new ValueError(
      `${owner}: ${N} basis functions have ${residuals} residuals of an expert; give a ridge, or more points`,
    );
  }
  const start = tensor(settings.initial, { dtype: "float64" });
  const initial = add(full([batch, K, N], 0, "float64"), start);
  const undivided = tree.map(stopGradient, { ...own, size: full([batch, K, 1], 1, "float64") }) as ExpertData;
  const size = problemSize((w) => expertResiduals(pde.residual, ridge, w, undivided), stopGradient(initial));
  return { shaped, data: { ...own, size }, initial };
}

/** Roots of `|J| (|F| + |J| |w|)` at the start, by the longest column of J, `[batch, experts, 1]`; 1 where they are nothing. */
function problemSize(residuals: (w: Tensor) => Tensor, w: Tensor): Tensor {
  const length = (x: Tensor) => linalg.norm(x, { axis: -1, keepDims: true });
  const longest = max(length(jacobianColumns(residuals, w)), 0);
  const product = mul(longest, add(length(residuals(w)), mul(longest, length(w))));
  return sqrt(where(greater(product, 0), product, 1));
}

/** @internal F_k(w) of all experts: `[batch, experts, N]` to `[batch, experts, residuals]`. */
export function expertResiduals(
  residual: (fields: Fields) => Tensor,
  ridge: number,
  w: Tensor,
  { terms, offset, matrix, target, size }: ExpertData,
): Tensor {
  const times = (x: Tensor) => squeeze(matmul(x, expandDims(w, -1)), -1);
  const parts = [residual(combined(terms, offset, times))];
  if (target.shape[2] > 0) parts.push(sub(times(matrix), target));
  if (ridge > 0) parts.push(mul(ridge, w));
  return div(concatenate(parts, -1), size);
}

/** @internal How experts iterate: compiled where their numbers are so many that it pays. */
export const iterationOptions = ({ terms }: ExpertData) => ({
  normalEquations: true,
  compile: terms.u.size > 2 ** 16,
});

/** Fields from terms: those of the weighted basis, with what is added to them and what is given. */
function combined(terms: Fields, offset: Fields, weighted: (x: Tensor) => Tensor): Fields {
  const fields: Record<string, Tensor> = { ...offset };
  for (const [name, x] of Object.entries(terms)) {
    const value = weighted(x);
    fields[name] = offset[name] === undefined ? value : add(value, offset[name]);
  }
  return fields;
}

/** @internal The solution that the experts make together. */
export function assembled<P>(
  pde: PdeConstraint<P>,
  problem: P,
  shaped: Tensor,
  weights: Tensor,
  experts: Experts,
): Omit<Constrained, "gradientNorms" | "dependent"> {
  const blocks = partition(shaped, experts);
  const [batch, K] = blocks.shape;
  const N = blocks.shape[blocks.rank - 1];
  const flat = reshape(blocks, [batch, K, -1, N]);
  const pieces = matmul(flat, expandDims(weights, -1));
  const part = unpartition(reshape(pieces, [...blocks.shape.slice(0, -1), 1]), experts);
  return { ...fieldsOf(pde, problem, pde.finish?.(part) ?? part), weights };
}

/** @internal The fields of one function `[batch, ...grid, 1]` with what is added to it. */
export function fieldsOf<P>(
  pde: PdeConstraint<P>,
  problem: P,
  part: Tensor,
): { readonly u: Tensor; readonly fields: Fields } {
  const fields = combined(pde.terms(part, problem), pde.offset?.(problem) ?? {}, (x) => squeeze(x, -1));
  return { u: fields.u, fields };
}
