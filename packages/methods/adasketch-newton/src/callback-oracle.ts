import {
  abs,
  add,
  matmul,
  max,
  reshape,
  ShapeError,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  transpose,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import { denseProducts, type Oracle, requireFiniteMatrix } from "./oracle.js";
import type { EqualityCallbacks } from "./problem.js";

interface First {
  readonly objective: Tensor;
  readonly gradient: Tensor;
  readonly constraints: Tensor;
  readonly jacobian: Tensor;
}

/** @internal The oracle of a problem that is given by functions of plain numbers. */
export async function callbackOracle(
  owner: string,
  { first, hessian, hessianProduct }: EqualityCallbacks,
  start: Tensor,
  derivatives: "matrices" | "products",
  constraintCount?: number,
): Promise<Oracle> {
  const n = start.size;
  if (derivatives === "matrices" && typeof hessian !== "function") {
    throw new ValueError(
      `${owner}: problem has no hessian; give hessian(x, multipliers), or hessianProduct and derivatives: "products"`,
    );
  }
  if (derivatives === "products" && typeof hessianProduct !== "function") {
    throw new ValueError(
      `${owner}: problem has no hessianProduct(x, multipliers, v), which derivatives: "products" needs`,
    );
  }
  const read = (argument: string, values: TensorLike, shape: readonly number[]): Tensor => {
    if (values === undefined || values === null) {
      throw new ValueError(`${owner}: ${argument} is ${values}; give an array of numbers [${shape}]`);
    }
    const given = tensor(values, { dtype: "float64" });
    // A matrix may come row after row in one array; another shape of as many numbers is another matrix.
    const another = given.rank === 2 && shape.length === 2 && given.shape[0] !== shape[0];
    if (another || given.size !== shape.reduce((a, b) => a * b, 1)) {
      throw new ShapeError(`${owner}: ${argument} has shape [${given.shape}]; it must be [${shape}]`);
    }
    return reshape(given, [...shape]);
  };
  // Of the last points: a direction is computed where the function was asked before.
  const known: { x: Tensor; value: First }[] = [];
  const evaluate = async (x: Tensor): Promise<First> => {
    const found = known.find((entry) => entry.x === x);
    if (found !== undefined) return found.value;
    const told = await first(Float64Array.from(x.data()));
    if (typeof told !== "object" || told === null) {
      throw new ValueError(`${owner}: first gave ${told}; it must give { objective, gradient, constraints, jacobian }`);
    }
    const { objective, gradient, constraints = [], jacobian } = told;
    if (typeof objective !== "number") {
      throw new ValueError(`${owner}: first gave an objective that is ${typeof objective}; it must be a number`);
    }
    const c = tensor(constraints, { dtype: "float64" });
    if (c.size === 0 && jacobian !== undefined && tensor(jacobian, { dtype: "float64" }).size > 0) {
      throw new ValueError(`${owner}: first gave a jacobian without constraints; give both, or none of them`);
    }
    const value: First = {
      objective: tensor(objective, { dtype: "float64" }),
      gradient: read("gradient", gradient, [n]),
      constraints: reshape(c, [c.size]),
      jacobian: c.size === 0 ? zeros([0, n], "float64") : read("jacobian", jacobian as TensorLike, [c.size, n]),
    };
    known.push({ x, value });
    if (known.length > 4) known.shift();
    return value;
  };
  const m = constraintCount ?? (await evaluate(start)).constraints.size;
  const numbers = (x: Tensor) => Float64Array.from(x.data());
  return {
    n,
    m,
    traceable: derivatives === "matrices",
    async at(x, multipliers) {
      const { objective, gradient, constraints, jacobian } = await evaluate(x);
      if (constraints.size !== m) {
        throw new ShapeError(`${owner}: first gave ${constraints.size} constraints; there were ${m} before`);
      }
      return {
        ...{ objective, constraints },
        gradient: m === 0 ? gradient : add(gradient, matmul(transpose(jacobian), multipliers)),
      };
    },
    async linearise(x, multipliers) {
      const { jacobian } = await evaluate(x);
      if (hessian === undefined || derivatives === "products") return { context: [x, multipliers, jacobian] };
      const matrix = read("hessian", await hessian(numbers(x), numbers(multipliers)), [n, n]);
      requireFiniteMatrix(matrix);
      requireSymmetric(owner, matrix);
      return { context: [matrix, jacobian], dense: { hessian: matrix, jacobian } };
    },
    products(context) {
      if (hessianProduct === undefined || derivatives === "matrices") return denseProducts(context);
      const [x, multipliers, jacobian] = context;
      return {
        ...denseProducts([jacobian, jacobian]),
        hessian: (v) => read("hessianProduct", hessianProduct(numbers(x), numbers(multipliers), numbers(v)), [n]),
      };
    },
  };
}

/** Finite differences of gradients are symmetric to a few digits; a triangle alone is not at all. */
function requireSymmetric(owner: string, matrix: Tensor): void {
  const difference = max(abs(sub(matrix, transpose(matrix)))).item();
  const largest = max(abs(matrix)).item();
  if (difference <= 1e-3 * largest) return;
  throw new ValueError(
    `${owner}: hessian is not symmetric: entries that must be equal differ by ${difference}, the largest is ${largest}; ` +
      "give both triangles",
  );
}
