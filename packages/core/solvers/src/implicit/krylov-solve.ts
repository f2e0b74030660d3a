import {
  add,
  div,
  equal,
  expandDims,
  eye,
  greater,
  less,
  linalg,
  logicalAnd,
  matmul,
  mul,
  outer,
  reshape,
  scan,
  slice,
  sub,
  type Tensor,
  tensor,
  transpose,
  where,
  whileLoop,
  zerosLike,
} from "@offprint/tensor-core";

/** How an iterative solve is limited. */
export interface KrylovSettings {
  /** Accepted `|b - A u| / |b|`. */
  readonly tolerance: number;
  /** Most products with A, up to whole rounds. */
  readonly maxIterations: number;
  /** Vectors of a round. */
  readonly restart: number;
}

/** A solution and what is left of the right-hand side. */
export interface IterativeSolution {
  readonly u: Tensor;
  /** `|b - A u|`. */
  readonly residualNorm: Tensor;
  /** What it had to come down to. */
  readonly goal: Tensor;
}

/**
 * @internal Restarted GMRES (Saad and Schultz 1986) in operations of tensors, so that it runs eagerly, batched and in
 * compiled functions. `A` is known by its products.
 * @param b - `[n]`
 */
export function krylovSolve(apply: (v: Tensor) => Tensor, b: Tensor, settings: KrylovSettings): IterativeSolution {
  const restart = Math.min(settings.restart, b.size);
  const rounds = Math.ceil(settings.maxIterations / restart);
  const goal = mul(linalg.norm(b), settings.tolerance);
  const start = { u: zerosLike(b), residual: b, round: tensor(0, { dtype: "int32" }) };
  const goesOn = ({ residual, round }: typeof start) =>
    logicalAnd(greater(linalg.norm(residual), goal), less(round, rounds));
  const body = ({ u, residual, round }: typeof start) => {
    const next = add(u, correction(apply, residual, restart));
    return { u: next, residual: sub(b, apply(next)), round: add(round, 1) };
  };
  const { u, residual } = whileLoop(goesOn, body, start);
  return { u, residualNorm: linalg.norm(residual), goal };
}

/** The vector of the Krylov space of `residual` that leaves the least of it. */
function correction(apply: (v: Tensor) => Tensor, residual: Tensor, restart: number): Tensor {
  const length = linalg.norm(residual);
  const first = unit(residual, length);
  const places = eye(restart + 1, restart + 1, residual.dtype);
  const basis = outer(slice(places, [0]), first);
  const [{ basis: vectors }, columns] = scan(
    (state: { basis: Tensor; last: Tensor }, place: Tensor) => {
      let v = apply(state.last);
      const size = linalg.norm(v);
      let column = matmul(state.basis, v);
      v = sub(v, matmul(column, state.basis));
      // Once more: the first time leaves rounding errors in directions that are nearly used up.
      const rest = matmul(state.basis, v);
      v = sub(v, matmul(rest, state.basis));
      column = add(column, rest);
      const remaining = linalg.norm(v);
      const usedUp = less(remaining, mul(size, 1e-14));
      const last = where(usedUp, 0, unit(v, remaining));
      const whole = add(column, mul(place, where(usedUp, 0, remaining)));
      return [{ basis: add(state.basis, outer(place, last)), last }, whole] as [typeof state, Tensor];
    },
    { basis, last: first },
    slice(places, [{ start: 1 }]),
  );
  const right = mul(slice(places, [0]), length);
  const weights = reshape(linalg.lstsq(transpose(columns), expandDims(right, -1)), [restart]);
  return matmul(weights, slice(vectors, [{ stop: restart }]));
}

function unit(v: Tensor, length: Tensor): Tensor {
  return div(v, where(equal(length, 0), 1, length));
}
