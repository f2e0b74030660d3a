import {
  conjugateGradients,
  type LinearSolverRecord,
  type LinearState,
  type RunOptions,
  type RunState,
  requireStateLike,
  runLoop,
  type Status,
} from "@offprint/solvers";
import {
  ConvergenceError,
  linalg,
  NonFiniteError,
  random,
  type Tensor,
  tensor,
  zerosLike,
} from "@offprint/tensor-core";
import { type CompiledDerivatives, compiledDerivatives, type Place } from "./compiled-derivatives.js";
import type { VectorProblem } from "./vector-problem.js";
import { minus, plus } from "./vector-steps.js";

/** How `H z = grad_y F` is solved. */
export type HypergradientSolver = "exact" | "conjugateGradients" | "neumann" | "sgd";

/** What a solver of the system goes on from. */
export interface SeriesState {
  /** The solution so far, `[dy]`. */
  readonly z: Tensor;
  /** The last term of the series, or the last gradient. */
  readonly term: Tensor;
  /** Its norm; 0 where the solution is exact. */
  readonly residualNorm: number;
}

/** A state to go on from; a tree. */
export type HypergradientState = RunState<LinearState | SeriesState, LinearSolverRecord>;

/** What is set of a solver. */
export interface SystemSettings extends RunOptions<LinearSolverRecord, HypergradientState> {
  readonly solver: HypergradientSolver;
  readonly tolerance: number;
  readonly maxIterations: number | undefined;
  readonly stepSize: number;
  readonly sampled: boolean;
  readonly seed: number | string;
}

/** A solution of the system. */
export interface SystemSolution {
  /** `[dy]` */
  readonly z: Tensor;
  /** Iterations of the solver. */
  readonly iterations: number;
  /** How the solver ended. */
  readonly status: Status | "breakdown";
  /** The record of every iteration. */
  readonly history: readonly LinearSolverRecord[];
  /** What `resume` goes on from. */
  readonly state: HypergradientState;
}

/** The system `H z = b`, `b = grad_y F`, at one place. */
export class HypergradientSystem<X, Y, U, L> {
  /** `grad_x F` and b, on all data. */
  readonly right: Place;
  private readonly compiled: CompiledDerivatives<U, L>;
  /** `H v` on all data. */
  readonly product: (v: Tensor) => Tensor;

  constructor(
    private readonly vectors: VectorProblem<X, Y, U, L>,
    private readonly at: Place,
    private readonly settings: SystemSettings,
    private readonly initial: Tensor | undefined,
  ) {
    this.compiled = compiledDerivatives(vectors);
    this.right = this.compiled.gradients(at, vectors.full.upper);
    this.product = this.compiled.hessianProducts(at, vectors.full.lower);
  }

  /** `J v` on all data. */
  mixed(v: Tensor): Tensor {
    return this.compiled.mixedProduct(this.at, v, this.vectors.full.lower);
  }

  /** Solves the system as the settings say. */
  solve(): Promise<SystemSolution> {
    const { solver } = this.settings;
    if (solver === "exact") return this.exactly();
    return solver === "conjugateGradients" ? this.byConjugateGradients() : this.bySeries();
  }

  private async exactly(): Promise<SystemSolution> {
    const { vectors, at, right, settings, compiled } = this;
    return ending(
      await runLoop<SeriesState, LinearSolverRecord>(
        {
          owner: vectors.owner,
          limit: settings.maxIterations ?? 1,
          initial: () => ({ z: zerosLike(right.y), term: right.y, residualNorm: linalg.norm(right.y).item() }),
          step: () => ({
            z: linalg.solve(compiled.hessian(at, vectors.full.lower), right.y),
            term: right.y,
            residualNorm: 0,
          }),
          record: ({ residualNorm }, iteration) => ({ iteration, residualNorm }),
          finished: ({ residualNorm }) => (residualNorm === 0 ? "converged" : undefined),
          check: (state) => this.check(state),
        },
        this.runOptions(),
      ),
    );
  }

  private async byConjugateGradients(): Promise<SystemSolution> {
    const { y: space } = this.vectors;
    const { tolerance, maxIterations, ...run } = this.settings;
    const apply = (v: Float64Array, out: Float64Array) => {
      out.set(this.product(tensor(v.slice(), { dtype: space.dtype })).data());
    };
    const solved = await conjugateGradients(apply, Float64Array.from(this.right.y.data()), {
      tolerance,
      ...(this.initial && { initial: Float64Array.from(this.initial.data()) }),
      ...(maxIterations !== undefined && { maxIterations }),
      ...(run.signal && { signal: run.signal }),
      ...(run.onProgress && { onProgress: run.onProgress }),
      ...(run.checkpoint && { checkpoint: run.checkpoint }),
      // Conjugate gradients look at what they are given.
      ...(run.resume && { resume: run.resume as RunState<LinearState, LinearSolverRecord> }),
    });
    return { ...solved, z: tensor(solved.x, { dtype: space.dtype }) };
  }

  private async bySeries(): Promise<SystemSolution> {
    const { right, settings, vectors } = this;
    const { solver, maxIterations = 100, sampled } = settings;
    const stepSize = tensor(settings.stepSize, { dtype: "float64" });
    const { initial } = this;
    const given = initial && linalg.norm(minus(this.product(initial), 1, right.y)).item();
    const first = Math.max(linalg.norm(right.y).item(), given ?? 0);
    const advance = solver === "neumann" ? this.neumannTerm : this.descentStep;
    const end = await runLoop<SeriesState, LinearSolverRecord>(
      {
        owner: vectors.owner,
        limit: maxIterations,
        initial: () => ({
          z: solver === "neumann" ? plus(zerosLike(right.y), stepSize, right.y) : (initial ?? zerosLike(right.y)),
          term: right.y,
          residualNorm: first,
        }),
        step: (state, iteration) => {
          const next = advance.call(this, state, stepSize, iteration);
          return { ...next, residualNorm: this.bounded(linalg.norm(next.term).item(), first, 1e3) };
        },
        record: ({ residualNorm }, iteration) => ({ iteration, residualNorm }),
        check: (state) => this.check(state),
      },
      this.runOptions(),
    );
    // On all data the terms of a convergent series never grow.
    if (!sampled) this.bounded(end.last.residualNorm, first, 1 + 1e-9);
    return ending(end);
  }

  /** `p <- (I - step H) p; z <- z + step p`. */
  private neumannTerm({ z, term }: SeriesState, stepSize: Tensor, iteration: number) {
    const next = minus(term, stepSize, this.productIn(iteration, term));
    return { z: plus(z, stepSize, next), term: next };
  }

  /** `z <- z - step (H z - b)`. */
  private descentStep({ z }: SeriesState, stepSize: Tensor, iteration: number) {
    const slope = minus(this.productIn(iteration, z), 1, this.rightOf(iteration));
    return { z: minus(z, stepSize, slope), term: slope };
  }

  /** `H v` of an iteration, on data drawn for it where these are sampled. */
  private productIn(iteration: number, v: Tensor): Tensor {
    const { sampled, seed } = this.settings;
    if (!sampled) return this.product(v);
    const batch = this.vectors.draw(random.rng(`${seed}/lower/${iteration}`)).lower();
    return this.compiled.hessianProduct(this.at, v, batch);
  }

  private rightOf(iteration: number): Tensor {
    const { sampled, seed } = this.settings;
    if (!sampled) return this.right.y;
    return this.compiled.gradients(this.at, this.vectors.draw(random.rng(`${seed}/upper/${iteration}`)).upper()).y;
  }

  private bounded(norm: number, first: number, growth: number): number {
    if (norm <= growth * first) return norm;
    if (Number.isNaN(norm))
      throw new NonFiniteError("the products with the second derivatives of lower are not finite");
    const { solver, stepSize } = this.settings;
    throw new ConvergenceError(
      `${this.vectors.owner}: the ${solver} iteration grows (norm ${norm}, at first ${first}): stepSize ${stepSize} is ` +
        "above 2 over the largest curvature of lower, or lower is not convex there; take a smaller stepSize",
    );
  }

  private check(state: SeriesState): void {
    const { owner, initial } = this.vectors;
    requireStateLike(owner, state, { z: initial.y, term: initial.y });
  }

  /** The options of a run whose states are those of a series, which {@link check} looks at. */
  private runOptions() {
    return this.settings as RunOptions<LinearSolverRecord, RunState<SeriesState, LinearSolverRecord>>;
  }
}

function ending({ last, ...rest }: Omit<SystemSolution, "z"> & { readonly last: SeriesState }): SystemSolution {
  return { ...rest, z: last.z };
}
