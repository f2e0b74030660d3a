import {
  cast,
  grad,
  hostTensor,
  type Jitted,
  jit,
  max,
  mean,
  mul,
  scan,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  tree,
  where,
} from "@offprint/tensor-core";
import { marked } from "./host-swarm.js";
import { movedTensor } from "./motion.js";
import type { BatchedObjective } from "./objective.js";
import { feasible } from "./problem.js";
import type { Execution, StepRecord, Swarm, SwarmPlan } from "./swarm-plan.js";
import { cappedAlpha, weighTensor } from "./tensor-consensus.js";

/** Between steps. */
interface Carry {
  readonly particles: Tensor;
  readonly consensus: Tensor;
}

/** What a step is given. */
interface StepInput {
  readonly normals: Tensor;
  readonly scale: Tensor;
  readonly alpha: Tensor;
  /** False where the particles are to stay: at the first step, and beyond the last. */
  readonly moves: Tensor;
  /** The batch that decides. */
  readonly rows?: Tensor;
  /** Which particles move, `[n, 1]`. */
  readonly movers?: Tensor;
}

type StepOutput = Record<"consensus" | "energy" | "spread" | "radius" | "nEff" | "least" | "best", Tensor>;

/**
 * @internal Carries a plan out on a backend: a step, with energies, consensus, noise and statistics, is one body of a loop,
 * and `stepsPerRun` turns of it are one run. Noise is an input.
 */
export class CompiledSwarm implements Swarm {
  private carry: Carry;
  private readonly compiled: Jitted<(carry: Carry, inputs: StepInput) => [Carry, StepOutput]>;
  private last: { readonly from: number; readonly carry: Carry; readonly inputs: StepInput } | undefined;

  constructor(
    private readonly plan: SwarmPlan,
    private readonly execution: Execution,
    objective: BatchedObjective,
  ) {
    this.carry = { particles: plan.start, consensus: tensor(new Float64Array(plan.d), { dtype: plan.dtype }) };
    const step = stepOf(plan, objective);
    this.compiled = jit((carry: Carry, inputs: StepInput) => scan(step, carry, inputs), {
      ...(execution.backend && { backend: execution.backend }),
    });
  }

  async run(k: number, limit: number): Promise<StepRecord[]> {
    const count = Math.min(this.execution.stepsPerRun, limit);
    const inputs = this.inputs(k, count);
    const before = this.carry;
    const [after, output] = await this.compiled(before, inputs);
    if (this.last !== undefined) dispose(this.last.carry, this.plan.start);
    this.last = { from: k, carry: before, inputs };
    this.carry = after;
    return this.records(k, count, output);
  }

  async particlesAt(k: number): Promise<Tensor> {
    const { from, carry, inputs } = this.last!;
    const moves = inputs.moves.data();
    const beyond = moves.findIndex((move, step) => move !== 0 && from + step > k);
    if (beyond < 0) return this.carry.particles.host();
    // The run went on after step k: the same once more, where the particles stay after it.
    const stopped = { ...inputs, moves: tensor(moves.map((move, step) => (from + step > k ? 0 : move)) as Uint8Array) };
    const [after] = await this.compiled(carry, stopped);
    return after.particles.host();
  }

  async release(): Promise<void> {
    dispose(this.carry, this.plan.start);
    if (this.last !== undefined) dispose(this.last.carry, this.plan.start);
    await this.compiled.release();
  }

  private inputs(k: number, count: number): StepInput {
    const { plan } = this;
    const { n, d, dtype, batches } = plan;
    const length = this.execution.stepsPerRun;
    const Values = dtype === "float32" ? Float32Array : Float64Array;
    const normals = new Values(length * n * d);
    const [scale, alpha, moves] = [new Values(length), new Values(length), new Uint8Array(length)];
    const rows = new Int32Array(length * (batches?.size ?? 0));
    const movers = new Uint8Array(batches?.partial ? length * n : 0).fill(1);
    for (let step = 0; step < length; step++) {
      const at = Math.min(k + step, k + count - 1);
      alpha[step] = cappedAlpha(plan.alphaAt(at), dtype);
      if (batches !== undefined) rows.set(batches.rowsAt(at), step * batches.size);
      if (step >= count || at === plan.first) continue;
      moves[step] = 1;
      normals.set(plan.normalsAt(at), step * n * d);
      scale[step] = plan.scaleAt(at);
      if (batches?.partial) movers.set(marked(batches.rowsAt(at - 1), n), step * n);
    }
    return {
      normals: hostTensor(normals, [length, n, d], dtype),
      scale: tensor(scale),
      alpha: tensor(alpha),
      moves: tensor(moves),
      ...(batches && { rows: hostTensor(rows, [length, batches.size], "int32") }),
      ...(batches?.partial && { movers: hostTensor(movers, [length, n, 1], "bool") }),
    };
  }

  private async records(from: number, count: number, output: StepOutput): Promise<StepRecord[]> {
    const { d } = this.plan;
    const names = Object.keys(output) as (keyof StepOutput)[];
    const host = await Promise.all(names.map(async (name) => [name, (await output[name].host()).data()] as const));
    const values = Object.fromEntries(host) as Record<keyof StepOutput, Float64Array>;
    const row = (name: keyof StepOutput, step: number) =>
      Float64Array.from(values[name].subarray(step * d, (step + 1) * d));
    return Array.from({ length: count }, (_, step) => {
      const [k, least] = [from + step, values.least[step]];
      const [energy, spread, radius, nEff] = [values.energy, values.spread, values.radius, values.nEff].map(
        (column) => column[step],
      );
      return { k, consensus: row("consensus", step), energy, spread, radius, nEff, least, best: row("best", step) };
    });
  }
}

/** Frees the tensors of a run that nobody needs any more; the user's own stay. */
function dispose(carry: Carry, kept: Tensor): void {
  for (const leaf of tree.flatten(carry).leaves as Tensor[]) if (leaf !== kept) leaf.dispose();
}

/** A step: move, evaluate, weigh. */
function stepOf(plan: SwarmPlan, objective: BatchedObjective) {
  const { motion, descent, problem, owner, dtype } = plan;
  const flat = plan.alphaAt(plan.first) === 0;
  const gradient = grad((particles: Tensor) => sum(objective(particles))) as (particles: Tensor) => Tensor;
  return (carry: Carry, x: StepInput): [Carry, StepOutput] => {
    let next = movedTensor(motion, carry.particles, carry.consensus, x.normals, x.scale);
    if (descent !== 0) next = sub(next, mul(gradient(next), descent));
    if (x.movers !== undefined) next = where(x.movers, next, carry.particles);
    next = feasible(problem, next, owner);
    const particles = cast(where(x.moves, next, carry.particles), dtype);
    const deciding = x.rows === undefined ? particles : take(particles, x.rows);
    const { consensus, energy, nEff, least, best } = weighTensor(objective(deciding), deciding, x.alpha, flat);
    const squares = sum(square(sub(particles, consensus)), { axis: 1 });
    const output = {
      consensus,
      energy,
      spread: sqrt(mean(squares)),
      radius: sqrt(max(squares)),
      nEff,
      least,
      best: take(deciding, best),
    };
    return [{ particles, consensus }, output];
  };
}
