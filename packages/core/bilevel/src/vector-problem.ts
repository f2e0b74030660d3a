import { asVariables, type Raveling, raveling } from "@offprint/solvers";
import {
  checkOptions,
  type Rng,
  requireFunction,
  requireInteger,
  type Tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import { type ProblemFunctions, type ProblemIdentity, problemIdentity } from "./compiled-phase.js";
import { type Derivatives, derivativesOf } from "./derivatives.js";
import { refuseMisspelt } from "./misspelt-fields.js";
import { OracleCounter } from "./oracle-counts.js";
import type { Batches, BatchSampler, BilevelProblem, FiniteSum } from "./problem.js";

/** A problem as methods compute with it: x and y are vectors, whatever trees they are for the user. */
export class VectorProblem<X, Y, U, L> implements ProblemFunctions<U, L> {
  /** How x is written as a vector. */
  readonly x: Raveling<X>;
  /** How y is written as a vector. */
  readonly y: Raveling<Y>;
  /** Where they begin. */
  readonly initial: { readonly x: Tensor; readonly y: Tensor };

  /** What tells the problem from others. */
  readonly identity: ProblemIdentity;

  /** @throws ValueError for what is no problem. */
  constructor(
    readonly owner: string,
    readonly problem: BilevelProblem<X, Y, U, L>,
  ) {
    checkProblem(owner, problem);
    const [x, y] = [asVariables(problem.initial.x), asVariables(problem.initial.y)];
    this.x = raveling(`${owner}: x`, x);
    this.y = raveling(`${owner}: y`, y);
    this.identity = problemIdentity(problem, [describe(x), describe(y)].join(" "));
    this.initial = { x: finite(owner, "x", this.x.ravel(x)), y: finite(owner, "y", this.y.ravel(y)) };
  }

  upper(x: Tensor, y: Tensor, batch: U): Tensor {
    return this.problem.upper(this.x.unravel(x), this.y.unravel(y), batch);
  }

  lower(x: Tensor, y: Tensor, batch: L): Tensor {
    return this.problem.lower(this.x.unravel(x), this.y.unravel(y), batch);
  }

  /** The derivatives, traceable; each call is counted. */
  derivatives(counter = new OracleCounter()): Derivatives<Tensor, Tensor, U, L> {
    return derivativesOf(this, counter);
  }

  /** The nearest x of its set. */
  projectX(x: Tensor): Tensor {
    const project = this.problem.project?.x;
    return project === undefined ? x : this.x.ravel(project(this.x.unravel(x)));
  }

  /** The nearest y of its set. */
  projectY(y: Tensor): Tensor {
    const project = this.problem.project?.y;
    return project === undefined ? y : this.y.ravel(project(this.y.unravel(y)));
  }

  /** The batches of all data. @throws ValueError where batches are drawn and the problem has no `full`. */
  get full(): Batches<U, L> {
    const { full, sample } = this.problem;
    if (full !== undefined) return full;
    if (sample !== undefined) {
      throw new ValueError(
        `${this.owner}: the problem draws batches and has no \`full\`; give the batches of all data`,
      );
    }
    // Without batches U and L are null.
    return { upper: null, lower: null } as unknown as Batches<U, L>;
  }

  /** Batches of one iteration, drawn one after the other; all data where the problem draws none. */
  draw(rng: Rng): { upper(): U; lower(): L } {
    const { sample } = this.problem;
    if (sample !== undefined) return { upper: () => sample.upper(rng), lower: () => sample.lower(rng) };
    const { full } = this;
    return { upper: () => full.upper, lower: () => full.lower };
  }
}

/** Keys, shapes and dtypes of a tree. */
function describe(variables: unknown): string {
  const tensors = tree.leaves<Tensor>(variables).map(({ shape, dtype }) => `${dtype}[${shape}]`);
  return `${tree.formatStructure(tree.structure(variables))} ${tensors.join(" ")}`;
}

function finite(owner: string, name: string, vector: Tensor): Tensor {
  const values = vector.data();
  const bad = values.findIndex((v: number) => !Number.isFinite(v));
  if (bad < 0) return vector;
  throw new ValueError(`${owner}: initial.${name} holds ${values[bad]}; all numbers must be finite`);
}

function checkProblem<X, Y, U, L>(owner: string, problem: BilevelProblem<X, Y, U, L>): void {
  if (typeof problem !== "object" || problem === null) {
    throw new ValueError(`${owner}: the problem is ${String(problem)}; give { initial: { x, y }, upper, lower }`);
  }
  for (const name of ["upper", "lower"] as const) {
    if (typeof problem[name] === "function") continue;
    throw new ValueError(`${owner}: the problem has no function \`${name}\`; give ${name}(x, y, batch)`);
  }
  const { initial, sample, full, project, parts } = problem;
  if (initial?.x === undefined || initial.y === undefined) {
    throw new ValueError(`${owner}: the problem has no initial x and y; give initial: { x, y }`);
  }
  refuseMisspelt(owner, problem, ["sample", "full", "parts", "project"]);
  checkOptions(`${owner}: project`, project, ["x", "y"]);
  for (const name of ["x", "y"] as const) {
    if (project?.[name] !== undefined) requireFunction(owner, `project.${name}`, project[name]);
  }
  if (full !== undefined && (full?.upper === undefined || full.lower === undefined)) {
    throw new ValueError(`${owner}: full has no upper and lower; give the batches of all data, null for none`);
  }
  if (parts !== undefined) checkParts(owner, parts);
  if (sample === undefined) return;
  for (const name of ["upper", "lower"] as const satisfies readonly (keyof BatchSampler<U, L>)[]) {
    if (typeof sample?.[name] !== "function") {
      throw new ValueError(`${owner}: sample has no function \`${name}\`; give sample: { upper(rng), lower(rng) }`);
    }
  }
}

function checkParts(owner: string, parts: object): void {
  for (const level of ["upper", "lower"] as const) {
    const { count, batch } = (parts as Partial<Record<typeof level, Partial<FiniteSum<unknown>>>>)?.[level] ?? {};
    requireInteger(owner, `parts.${level}.count`, count as number, 1);
    requireFunction(owner, `parts.${level}.batch`, batch);
  }
}
