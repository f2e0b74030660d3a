import { type RunOptions, type RunState, runLoop } from "@offprint/solvers";
import {
  asTensor,
  hostTensor,
  NonFiniteError,
  requireChoice,
  requireInteger,
  type Tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { requireDecided } from "./consensus-point.js";
import { readTensor } from "./problem.js";
import type { BestParticle, SwarmOptions, SwarmRecord, SwarmResult, SwarmState } from "./swarm-options.js";
import type { SwarmPlan } from "./swarm-plan.js";
import { requirePoint, requireSwarmShape } from "./swarm-settings.js";
import { type SwarmFigures, stepperOf } from "./swarm-step.js";
import { cappedAlpha, weighed } from "./weighing.js";

/** A consensus that moves by no more than this is at rest. */
const AT_REST = 1e-5;
/** Two swarms found the same point where it differs by no more than so many tolerances. */
const SAME = 10;
/** Spread of particles that are the same, in sizes of their consensus, which is rounded. */
const ROUNDING = { float32: 2 ** -21, float64: 2 ** -50 };
const FEW_PARTICLES = 5;
/** Among so many first steps. */
const EARLY = 10;
/** So many points of the path share a buffer. */
const TOGETHER = 16;

type Run = RunOptions<SwarmRecord, RunState<SwarmState, SwarmRecord>>;

/** @internal Carries a plan out: step by step, swarm after swarm. */
export async function runSwarm(plan: SwarmPlan, options: SwarmOptions, warnings: string[]): Promise<SwarmResult> {
  const { owner, problem, d } = plan;
  const { backend, patience = Infinity, recordPath = true, maxEvaluations = Infinity } = options;
  if (backend !== undefined && problem.evaluator.traceable === undefined) {
    throw new UnsupportedError(
      `${owner}: a backend compiles objectives in operations of tensors (a function, or pointwise); leave backend ` +
        "out for perParticle and batch",
    );
  }
  const cost = costOf(plan);
  const points = recordPath ? new PathCopies() : undefined;
  requireAffordable(plan, cost, maxEvaluations);
  const stepper = stepperOf(plan, backend);
  const begin = async (swarm: number, k: number): Promise<SwarmFigures> => {
    const figures = await stepper.begin(plan.startOf(swarm), k);
    requireDecided(owner, figures, plan.batches?.size ?? plan.n, ` at step ${k}`);
    return figures;
  };
  const first = async (): Promise<SwarmState> => {
    const figures = await begin(0, 0);
    const beginning = { start: figures.consensus, earlier: null, restarts: 0, stalled: 0, evaluations: cost.first };
    return decided({ ...fieldsOf(figures), ...beginning, best: bestOf(figures), next: "step" });
  };
  const restarted = async (state: SwarmState, k: number): Promise<SwarmState> => {
    const restarts = state.restarts + 1;
    const figures = await begin(restarts, k);
    const evaluations = state.evaluations + cost.first;
    const fresh = { restarts, evaluations, earlier: foundBy(state), best: bestOf(figures), stalled: 0 };
    return decided({ ...state, ...fieldsOf(figures), ...fresh, next: "step" });
  };
  const afterStep = (state: SwarmState, figures: SwarmFigures): SwarmState => {
    requireFinite(figures, plan);
    return decided(new SteppedSwarm(state, figures, cost.step), figures.radius);
  };
  const decided = (state: SwarmState, radius = Infinity): SwarmState => {
    const collapsed = (plan.collapses && radius < 1) || alike(plan, state);
    if (!collapsed && state.stalled < patience) return state;
    const next = state.restarts >= plan.restarts || foundAgain(plan, state) ? "end" : "restart";
    return { ...state, particles: state.particles, next };
  };
  const run = await runLoop<SwarmState, SwarmRecord, "converged" | "limit">(
    {
      owner,
      limit: plan.maxIterations,
      initial: first,
      step(state, k) {
        if (state.next === "restart") return restarted(state, k);
        const figures = stepper.move(state, k);
        return figures instanceof Promise
          ? figures.then((known) => afterStep(state, known))
          : afterStep(state, figures);
      },
      record: (state, iteration) => recordOf(state, iteration, points),
      finished({ next, evaluations }) {
        if (next === "end") return "converged";
        const further = (next === "restart" ? cost.first : cost.step) + cost.answer;
        return evaluations + further > maxEvaluations ? "limit" : undefined;
      },
      snapshot: async (state) => ({ ...state, particles: await state.particles.host() }),
      check(state) {
        checkState(plan, state);
        if (recordPath) requirePath(plan, options.resume?.history ?? []);
      },
    },
    options as Run,
  ).finally(() => stepper.release());
  const answer = await answerOf(plan, run.last, run.iterations);
  warn(plan, run.history, warnings);
  const { status, iterations, history, state } = run;
  const kept = recordPath ? [run.last.start.data(), ...history.map(({ consensus }) => consensus!)] : [];
  if (kept.length > 0 && plan.batches !== undefined) kept[kept.length - 1] = answer.x.data();
  const path = new Float64Array(kept.length * d);
  kept.forEach((point, k) => {
    path.set(point as Float64Array, k * d);
  });
  return {
    ...{ ...answer, status, iterations, history, path: hostTensor(path, [kept.length, d], "float64") },
    ...{ particles: run.last.particles, evaluations: run.last.evaluations + cost.answer, warnings, state },
  };
}

/**
 * The state after a step. A class, since to spread objects would take as long as a tenth of a quick step, and since steps
 * ahead compute particles where they are looked at.
 */
class SteppedSwarm implements SwarmState {
  readonly consensus: Tensor;
  readonly energy: number;
  readonly spread: number;
  readonly nEff: number;
  readonly start: Tensor;
  readonly best: BestParticle;
  readonly earlier: SwarmState["earlier"];
  readonly restarts: number;
  readonly stalled: number;
  readonly evaluations: number;
  readonly next = "step";
  readonly #figures: SwarmFigures;

  constructor(before: SwarmState, figures: SwarmFigures, evaluations: number) {
    this.#figures = figures;
    this.consensus = figures.consensus;
    this.energy = figures.energy;
    this.spread = figures.spread;
    this.nEff = figures.nEff;
    this.start = before.start;
    this.best = figures.least < before.best.objective ? bestOf(figures) : before.best;
    this.earlier = before.earlier;
    this.restarts = before.restarts;
    this.stalled = atRest(figures.consensus, before.consensus) ? before.stalled + 1 : 0;
    this.evaluations = before.evaluations + evaluations;
  }

  get particles(): Tensor {
    return this.#figures.particles;
  }
}

/** Whether all particles are the same but for rounding, and remain so: their noise is as wide as they are. */
function alike({ motion, descent, dtype }: SwarmPlan, { spread, consensus }: SwarmState): boolean {
  if (motion.noise === "constant" || descent > 0) return false;
  return spread === 0 || spread <= ROUNDING[dtype] * Math.max(...consensus.data().map(Math.abs));
}

interface Cost {
  /** Evaluations with which a swarm begins. */
  readonly first: number;
  /** Of each step. */
  readonly step: number;
  /** Of the final answer. */
  readonly answer: number;
}

function costOf({ n, d, batches, descent, problem }: SwarmPlan): Cost {
  const deciding = batches?.size ?? n;
  const differences = descent === 0 ? 0 : n * (problem.evaluator.traceable === undefined ? 2 * d : 1);
  return { first: deciding, step: deciding + differences, answer: batches === undefined ? 1 : n + 1 };
}

function requireAffordable({ owner }: SwarmPlan, { first, answer }: Cost, budget: number): void {
  if (first + answer <= budget) return;
  throw new ValueError(`${owner}: maxEvaluations is ${budget}; the first step alone takes ${first + answer}`);
}

/** Throws where the particles have left the range of numbers, or the places where the objective is defined. */
function requireFinite({ spread, least }: SwarmFigures, { problem }: SwarmPlan): void {
  if (Number.isFinite(spread) && Number.isFinite(least)) return;
  const where = Number.isFinite(spread) ? "the places where the objective is finite" : "the range of numbers";
  const remedy = problem.box === undefined ? "or give bounds" : "or give narrower bounds";
  throw new NonFiniteError(`the particles left ${where}; lower sigma, ${remedy}`);
}

function fieldsOf({ particles, consensus, energy, spread, nEff }: SwarmFigures) {
  return { particles, consensus, energy, spread, nEff };
}

function bestOf(figures: SwarmFigures): BestParticle {
  const x = figures.best();
  return { x: hostTensor(x, [x.length], "float64"), objective: figures.least };
}

/** The best of all swarms, and the consensus of the one that found it. */
function foundBy({ earlier, best, consensus }: SwarmState): BestParticle & { readonly consensus: Tensor } {
  return earlier !== null && earlier.objective < best.objective ? earlier : { ...best, consensus };
}

function atRest(after: Tensor, before: Tensor): boolean {
  const a = after.data();
  const b = before.data();
  for (let j = 0; j < a.length; j++) if (!(Math.abs(a[j] - b[j]) <= AT_REST)) return false;
  return true;
}

/** Whether a swarm has found the best point of those before again. */
function foundAgain({ unit }: SwarmPlan, { earlier, best }: SwarmState): boolean {
  if (earlier === null) return false;
  const [a, b] = [best.x.data(), earlier.x.data()];
  return unit.every((length, j) => Math.abs(a[j] - b[j]) <= SAME * length);
}

function recordOf(state: SwarmState, iteration: number, path: PathCopies | undefined): SwarmRecord {
  const { energy, spread, nEff, restarts } = state;
  const best = Math.min(state.best.objective, state.earlier?.objective ?? Infinity);
  if (path === undefined) return { iteration, energy, spread, nEff, best, restarts };
  return { iteration, consensus: path.copy(state.consensus), energy, spread, nEff, best, restarts };
}

/** Copies of points. Many share a buffer: to make and free one takes longer than to fill it. */
class PathCopies {
  private block = new Float64Array(0);
  private used = 0;

  copy(point: Tensor): Float64Array {
    const { size } = point;
    if (this.used + size > this.block.length) {
      this.block = new Float64Array(TOGETHER * size);
      this.used = 0;
    }
    const out = this.block.subarray(this.used, this.used + size);
    this.used += size;
    out.set(point.data());
    return out;
  }
}

/** The consensus to give, its energy, and the best particle. Where batches decided on the steps, all particles decide on it. */
async function answerOf(plan: SwarmPlan, state: SwarmState, k: number) {
  const { problem, dtype, d } = plan;
  const { evaluator } = problem;
  let { x: place, objective: least, consensus } = foundBy(state);
  if (plan.batches !== undefined && consensus === state.consensus) {
    const { particles } = state;
    const energies = hostTensor(Float64Array.from(await evaluator.evaluate(particles)), [plan.n], "float64");
    const alpha = plan.automatic ? "auto" : asTensor(cappedAlpha(plan.alphaAt(k), "float64"), "float64");
    const all = weighed(energies, particles, alpha);
    if (Number.isFinite(all.least.item())) consensus = all.consensus;
    if (all.least.item() < least) {
      least = all.least.item();
      place = asTensor(particles.slice([all.best.item()]), "float64");
    }
  }
  const x = asTensor(consensus, "float64");
  const [objective] = Array.from(await evaluator.evaluate(asTensor(x.reshape([1, d]), dtype)));
  return { x, objective, best: { x: place, objective: least } };
}

function warn(plan: SwarmPlan, history: readonly SwarmRecord[], warnings: string[]): void {
  if (plan.automatic || plan.alphaAt(0) === Infinity || history.length === 0) return;
  const early = Math.min(...history.slice(0, EARLY).map(({ nEff }) => nEff));
  if (early >= FEW_PARTICLES) return;
  warnings.push(
    `in the first steps no more than ${early.toPrecision(2)} particles decided; lower alpha or take more particles`,
  );
}

/** Throws where a state is not one of this swarm: damaged ones would go on with other numbers. */
function checkState({ owner, n, d }: SwarmPlan, state: SwarmState): void {
  const { particles, consensus, start, best, earlier, next } = state;
  if (particles === undefined || consensus === undefined || best?.x === undefined || state.evaluations === undefined) {
    throw new ValueError(`${owner}: resume is not the state of a swarm; give the \`state\` of a result`);
  }
  requireSwarmShape(owner, "resume.particles", readTensor(owner, "resume.particles", particles), n, d);
  requirePoint(owner, "resume.consensus", consensus, d);
  requirePoint(owner, "resume.start", start, d);
  for (const name of ["evaluations", "restarts", "stalled"] as const) {
    requireInteger(owner, `resume.${name}`, state[name], 0);
  }
  if (next === undefined) throw new ValueError(`${owner}: resume.next is missing; give the \`state\` of a result`);
  requireChoice(owner, "resume.next", next, ["step", "restart", "end"]);
  requireBest(owner, "resume.best", best, d);
  if (earlier === null) return;
  requireBest(owner, "resume.earlier", earlier, d);
  requirePoint(owner, "resume.earlier.consensus", earlier.consensus, d);
}

/** Throws where records of a saved run have no consensus, from which the path would be made. */
function requirePath({ owner, d }: SwarmPlan, history: readonly SwarmRecord[]): void {
  const without = history.findIndex((record) => record?.consensus?.length !== d);
  if (without < 0) return;
  throw new ValueError(
    `${owner}: resume.history[${without}] has no consensus of ${d} coordinates; go on with recordPath: false, as the run was made`,
  );
}

function requireBest(owner: string, name: string, best: BestParticle | undefined, d: number): void {
  requirePoint(owner, `${name}.x`, best?.x, d);
  if (Number.isFinite(best?.objective)) return;
  throw new ValueError(`${owner}: ${name}.objective is ${best?.objective}; it must be a finite number`);
}
