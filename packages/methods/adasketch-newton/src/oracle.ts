import { asVariables, type Raveling, raveling } from "@offprint/solvers";
import {
  add,
  asTensor,
  cast,
  checkOptions,
  dot,
  grad,
  hessian,
  hvp,
  isTensor,
  jacobian,
  jitSync,
  jvp,
  matmul,
  NonFiniteError,
  reshape,
  ShapeError,
  type Tensor,
  transpose,
  ValueError,
  vjp,
  zeros,
} from "@offprint/tensor-core";
import { callbackOracle } from "./callback-oracle.js";
import { type EqualityCallbacks, type EqualityProblem, isCallbacks } from "./problem.js";

/** f, c and the gradient of the Lagrangian at (x, multipliers). */
export interface LagrangianPoint {
  /** f, a scalar. */
  readonly objective: Tensor;
  /** `[m]` c. */
  readonly constraints: Tensor;
  /** `[n]` grad f + G^T multipliers. */
  readonly gradient: Tensor;
}

/** Products with the Hessian H of the Lagrangian and the Jacobian G of the constraints. */
export interface Products {
  /** H v. */
  readonly hessian: (v: Tensor) => Tensor;
  /** G v. */
  readonly jacobian: (v: Tensor) => Tensor;
  /** G^T y. */
  readonly jacobianTransposed: (y: Tensor) => Tensor;
}

/** The second-order model at a point: tensors, and what is done with them, apart so that it can be compiled once. */
export interface Linearisation {
  /** What the products are computed from. */
  readonly context: readonly Tensor[];
  /** `[n, n]` H and `[m, n]` G, where they are formed. */
  readonly dense?: { readonly hessian: Tensor; readonly jacobian: Tensor };
}

/** @internal What the solvers ask a problem. */
export interface Oracle {
  readonly n: number;
  readonly m: number;
  readonly at: (x: Tensor, multipliers: Tensor) => LagrangianPoint | Promise<LagrangianPoint>;
  readonly linearise: (x: Tensor, multipliers: Tensor) => Linearisation | Promise<Linearisation>;
  readonly products: (context: readonly Tensor[]) => Products;
  /** Whether `products` can be traced. */
  readonly traceable: boolean;
}

/** @internal A problem with the point it begins from. */
export interface ReadProblem<X> {
  readonly oracle: Oracle;
  /** `[n]`. */
  readonly start: Tensor;
  /** The variables as the user gave them. */
  readonly restore: (x: Tensor) => X;
}

/** @internal @throws ValueError for the state of a problem of another size. */
export function requireStateOf(owner: string, { n, m }: Oracle, state: { x: Tensor; multipliers: Tensor }): void {
  const [variables, constraints] = [state.x.size, state.multipliers.size];
  if (variables === n && constraints === m) return;
  throw new ValueError(
    `${owner}: resume is the state of a problem with ${variables} variables and ${constraints} constraints, not ${n} and ${m}`,
  );
}

/** @internal H and G as matrices. */
export function denseProducts([H, G]: readonly Tensor[]): Products {
  return {
    hessian: (v) => matmul(H, v),
    jacobian: (v) => (G.shape[0] === 0 ? zeros([0], "float64") : matmul(G, v)),
    jacobianTransposed: (y) => (G.shape[0] === 0 ? zeros([G.shape[1]], "float64") : matmul(transpose(G), y)),
  };
}

/**
 * @internal Reads a problem and where it begins.
 * @param constraintCount - m, where it is known from a saved state.
 */
export async function readProblem<X>(
  owner: string,
  problem: EqualityProblem<X> | EqualityCallbacks,
  initial: X,
  derivatives: "matrices" | "products",
  constraintCount?: number,
): Promise<ReadProblem<X>> {
  if (typeof problem !== "object" || problem === null) {
    throw new ValueError(
      `${owner}: problem is ${String(problem)}; give { objective, constraints } or { first, hessian }`,
    );
  }
  const variables = asVariables(initial);
  const space = raveling(owner, variables);
  const start = cast(space.ravel(variables), "float64");
  if (!start.data().every(Number.isFinite)) throw new ValueError(`${owner}: initial must be finite, got ${start}`);
  const oracle = isCallbacks(problem)
    ? await callbackOracle(owner, problem, start, derivatives, constraintCount)
    : tracedOracle(owner, problem, space, start, derivatives);
  if (oracle.m > oracle.n) {
    throw new ShapeError(
      `${owner}: there are ${oracle.m} constraints for ${oracle.n} variables; remove those that follow from the others`,
    );
  }
  return { oracle, start, restore: (x) => space.unravel(x) };
}

/** @internal @throws ValueError unless f and c are functions; a part of another name is none of the problem. */
export function checkedProblem<X>(owner: string, problem: EqualityProblem<X>): EqualityProblem<X> {
  checkOptions(`${owner}: the problem`, problem, ["objective", "constraints"], ["objective"]);
  for (const [name, part] of Object.entries(problem)) {
    if (part === undefined || typeof part === "function") continue;
    throw new ValueError(
      `${owner}: ${name} is ${typeof part}; give a function of the variables in operations of tensors`,
    );
  }
  return problem;
}

function tracedOracle<X>(
  owner: string,
  problem: EqualityProblem<X>,
  space: Raveling<X>,
  start: Tensor,
  derivatives: "matrices" | "products",
): Oracle {
  const { objective, constraints } = checkedProblem(owner, problem);
  const f = (x: Tensor) => scalar(owner, objective(space.unravel(x)));
  const c = (x: Tensor) =>
    constraints === undefined ? zeros([0], "float64") : vector(owner, constraints(space.unravel(x)));
  const [n, m] = [start.size, c(start).size];
  const lagrangian = (x: Tensor, multipliers: Tensor) => (m === 0 ? f(x) : add(f(x), dot(multipliers, c(x))));
  const at = jitSync((x: Tensor, multipliers: Tensor) => {
    const gradient = grad(lagrangian)(x, multipliers);
    return m === 0 ? { objective: f(x), gradient } : { objective: f(x), constraints: c(x), gradient };
  });
  const none = zeros([0], "float64");
  const matrices = jitSync((x: Tensor, multipliers: Tensor) => {
    const H = hessian(lagrangian)(x, multipliers);
    return m === 0 ? [H] : [H, jacobian(c)(x) as Tensor];
  });
  const noRows = zeros([0, n], "float64");
  return {
    n,
    m,
    traceable: true,
    at: (x, multipliers) => ({ constraints: none, ...at(x, multipliers) }),
    ...(derivatives === "matrices"
      ? {
          linearise(x, multipliers) {
            const [hessianMatrix, jacobianMatrix = noRows] = matrices(x, multipliers);
            requireFiniteMatrix(hessianMatrix);
            return {
              context: [hessianMatrix, jacobianMatrix],
              dense: { hessian: hessianMatrix, jacobian: jacobianMatrix },
            };
          },
          products: denseProducts,
        }
      : productsOf(lagrangian, c, n, m)),
  };
}

/** Products with second derivatives, compiled; inside another compiled function they are part of it. */
function productsOf(
  lagrangian: (x: Tensor, multipliers: Tensor) => Tensor,
  c: (x: Tensor) => Tensor,
  n: number,
  m: number,
): Pick<Oracle, "linearise" | "products"> {
  const hessianTimes = jitSync((x: Tensor, multipliers: Tensor, v: Tensor) => hvp(lagrangian)(x, v, multipliers));
  const jacobianTimes = jitSync((x: Tensor, v: Tensor) => jvp(c, [x], [v])[1]);
  const transposedTimes = jitSync((x: Tensor, y: Tensor) => vjp(c, x)[1](y)[0]);
  return {
    linearise: (x, multipliers) => ({ context: [x, multipliers] }),
    products: ([x, multipliers]) => ({
      hessian: (v) => hessianTimes(x, multipliers, v),
      jacobian: (v) => (m === 0 ? zeros([0], "float64") : jacobianTimes(x, v)),
      jacobianTransposed: (y) => (m === 0 ? zeros([n], "float64") : transposedTimes(x, y)),
    }),
  };
}

/** @internal @throws NonFiniteError for second derivatives that are not finite. */
export function requireFiniteMatrix(H: Tensor): void {
  if (H.data().every(Number.isFinite)) return;
  throw new NonFiniteError("the Hessian of the Lagrangian holds values that are not finite; begin elsewhere");
}

function scalar(owner: string, y: Tensor): Tensor {
  const value = asTensor(y);
  if (value.size !== 1) {
    throw new ShapeError(`${owner}: objective gave shape [${value.shape}]; it must give a scalar`);
  }
  return cast(reshape(value, []), "float64");
}

function vector(owner: string, y: Tensor): Tensor {
  if (!isTensor(y) || y.rank > 1) {
    const given = isTensor(y) ? `shape [${y.shape}]` : typeof y;
    throw new ShapeError(`${owner}: constraints gave ${given}; it must give a tensor [m], such as concatenate([...])`);
  }
  return cast(reshape(y, [y.size]), "float64");
}
