import { batches, sampleCount } from "@offprint/data";
import { makeBreather } from "@offprint/solvers";
import {
  add,
  asTensor,
  full,
  hostTensor,
  type Jitted,
  jit,
  mul,
  NonFiniteError,
  type Rng,
  random,
  stack,
  type Tensor,
  take,
  tensor,
} from "@offprint/tensor-core";
import { requireDecided } from "./consensus-point.js";
import { dispersion, reducedCount } from "./particle-reduction.js";
import { marked } from "./swarm-step.js";
import type { EpochRecord, SwarmTrainingOptions, SwarmTrainingState, TrainingData } from "./training-options.js";
import { TRAINING, type TrainingSettings } from "./training-settings.js";
import { lossesOf, type TrainingSwarm, turnsOf } from "./training-step.js";
import type { SwarmModel } from "./tree-model.js";
import { cappedAlpha, weighed } from "./weighing.js";

/** A consensus that moves by less is at rest, and the particles are shaken. */
const AT_REST = 1e-5;

/** Random numbers of one run of steps. */
const NOISE_PER_RUN = 250_000;

/** Everything random in an epoch. */
type Sources = Record<"order" | "shuffles" | "noise" | "shakes" | "survivors", Rng>;

/** What the steps of an epoch add up to. */
interface Tally {
  steps: number;
  energy: number;
  restarts: number;
}

/** Steps, and losses on a batch. */
interface CompiledTraining {
  readonly turns: Jitted<ReturnType<typeof turnsOf>>;
  /** The same for runs of one step, which are not made again: the swarm stays where it was computed, and is used up. */
  readonly turn: Jitted<ReturnType<typeof turnsOf>>;
  readonly losses: Jitted<(theta: Tensor, batch: TrainingData) => Tensor>;
}

function compile(
  model: SwarmModel<TrainingData>,
  settings: TrainingSettings,
  { backend }: SwarmTrainingOptions,
): CompiledTraining {
  const options = backend ? { backend } : {};
  const turns = jit(turnsOf(model, settings), options);
  return {
    turns,
    turn: backend ? turns : jit(turnsOf(model, settings), { resident: true }),
    losses: jit((theta: Tensor, batch: TrainingData) => lossesOf(model, theta, batch), options),
  };
}

/** By the model, so that further trainings of it need no compiling. */
const known = new WeakMap<SwarmModel<TrainingData>, Map<string, CompiledTraining>>();

function ownCompiled(model: SwarmModel<TrainingData>, settings: TrainingSettings): CompiledTraining {
  const key = [...Object.values(settings.motion), settings.dtype].join();
  const own = known.get(model) ?? new Map<string, CompiledTraining>();
  known.set(model, own);
  const compiled = own.get(key) ?? compile(model, settings, {});
  own.set(key, compiled);
  return compiled;
}

/** @internal The epochs of `cboTrain`. A batch of data is one run of a compiled function, or a few. */
export class SwarmTraining {
  private readonly compiled: CompiledTraining;
  private room: Float32Array | Float64Array | undefined;

  constructor(
    model: SwarmModel<TrainingData>,
    private readonly data: TrainingData,
    private readonly settings: TrainingSettings,
    private readonly options: SwarmTrainingOptions,
  ) {
    this.compiled = options.backend === undefined ? ownCompiled(model, settings) : compile(model, settings, options);
  }

  begin(): SwarmTrainingState {
    const particles = this.settings.start();
    // Infinitely far, so that the first consensus has moved.
    const consensus = full([this.settings.parameters], Infinity, particles.dtype);
    return { epoch: 0, particles, consensus, variance: dispersion(particles).variance, evaluations: 0 };
  }

  /** The state after the next epoch and what to record of it; undefined where the signal came in between. */
  async epoch(state: SwarmTrainingState): Promise<readonly [SwarmTrainingState, EpochRecord] | undefined> {
    const { settings, data } = this;
    const epoch = state.epoch + 1;
    const rng = random.rng(`${settings.seed}/epoch/${epoch}`);
    const [order, shuffles, noise, shakes, survivors] = rng.split(5);
    const sources: Sources = { order, shuffles, noise, shakes, survivors };
    const [sigma, alpha] = [settings.sigmaOf(epoch), settings.alphaOf(epoch)];
    const tally: Tally = { steps: 0, energy: 0, restarts: 0 };
    let swarm: TrainingSwarm = { particles: state.particles, consensus: state.consensus };
    const n = state.particles.shape[0];
    const batchSize = Math.min(settings.batchSize, sampleCount(data));
    const breather = makeBreather();
    for (const { inputs, targets } of batches(data, { batchSize, rng: order })) {
      const shuffled = shuffles.permutation(n).data() as Int32Array;
      for (const rows of this.runs(shuffled)) {
        if (breather.due()) await breather.pause();
        if (this.options.signal?.aborted) return undefined;
        swarm = await this.run(swarm, { inputs, targets }, rows, sources, { sigma, alpha }, tally);
        if (!Number.isFinite(tally.energy)) throw nothingFinite(settings.batchParticles);
      }
    }
    const particles = await swarm.particles.host();
    const consensus = await swarm.consensus.host();
    const { variance, spread } = dispersion(particles);
    const kept = this.reduced(particles, variance, state.variance, sources.survivors);
    const evaluations = state.evaluations + tally.steps * settings.batchParticles;
    const record: EpochRecord = {
      ...{ epoch, loss: tally.energy / tally.steps, spread, sigma, alpha, restarts: tally.restarts },
      ...{ particles: kept.shape[0], evaluations, figures: {} },
    };
    return [{ epoch, particles: kept, consensus, variance, evaluations }, record];
  }

  /** The consensus of all particles on all data. */
  async consult(particles: Tensor, alpha: number): Promise<Tensor> {
    const losses = hostTensor(await this.lossesOf(particles), [particles.shape[0]], "float64");
    const weight = tensor(cappedAlpha(alpha, "float64"), { dtype: "float64" });
    const { consensus, least } = weighed(losses, asTensor(particles, "float64"), weight);
    requireDecided(TRAINING, { least: least.item() }, particles.shape[0], " on all data");
    return asTensor(consensus, particles.dtype);
  }

  /** Losses of particles on all data, the mean over its samples. */
  async lossesOf(particles: Tensor): Promise<Float64Array> {
    const out = new Float64Array(particles.shape[0]);
    const count = sampleCount(this.data);
    for (const batch of batches(this.data, { batchSize: Math.min(count, this.settings.batchSize) })) {
      const losses = (
        await (await this.compiled.losses(particles, { inputs: batch.inputs, targets: batch.targets })).host()
      ).data();
      for (let i = 0; i < out.length; i++) out[i] += (losses[i] * batch.indices.size) / count;
    }
    return out;
  }

  /** Frees what a backend holds; what this package has compiled serves the model again. */
  async release(): Promise<void> {
    if (this.options.backend === undefined) return;
    await this.compiled.turns.release();
    await this.compiled.losses.release();
  }

  /** Batches of particles, `[batchParticles]` each, grouped into runs. */
  private runs(shuffled: Int32Array): Int32Array[][] {
    const { batchParticles: size, parameters } = this.settings;
    const count = Math.floor(shuffled.length / size);
    const most = Math.max(1, Math.floor(NOISE_PER_RUN / (shuffled.length * parameters)));
    const perRun = Math.ceil(count / Math.ceil(count / most));
    const all = Array.from({ length: count }, (_, b) => shuffled.slice(b * size, (b + 1) * size));
    return Array.from({ length: Math.ceil(count / perRun) }, (_, r) => all.slice(r * perRun, (r + 1) * perRun));
  }

  /** A few steps on one batch of data, at once; where the consensus stood still, up to there, and then the rest. */
  private async run(
    before: TrainingSwarm,
    batch: TrainingData,
    rows: readonly Int32Array[],
    { noise, shakes }: Sources,
    { sigma, alpha }: { readonly sigma: number; readonly alpha: number },
    tally: Tally,
  ): Promise<TrainingSwarm> {
    const { dtype, dt, parameters, partial } = this.settings;
    const scale = sigma * Math.sqrt(dt);
    const n = before.particles.shape[0];
    const given = {
      rows: stack(rows.map((own) => tensor(own))),
      normals: this.normals(noise, [rows.length, n, parameters]),
      ...(partial && { movers: stack(rows.map((own) => hostTensor(marked(own, n), [n, 1], "bool"))) }),
    };
    const strength = { scale: tensor(scale, { dtype }), alpha: tensor(cappedAlpha(alpha, dtype), { dtype }) };
    let swarm = before;
    const turns = rows.length === 1 ? this.compiled.turn : this.compiled.turns;
    let [from, to] = [0, rows.length];
    while (from < rows.length) {
      const active = tensor(Uint8Array.from(rows, (_, step) => (step >= from && step < to ? 1 : 0)));
      const [after, output] = await turns(swarm, batch, strength, { ...given, active });
      const [change, energy] = await Promise.all(
        [output.change, output.energy].map(async (x) => (await x.host()).data()),
      );
      const still = change.findIndex((moved, step) => step >= from && step < to && moved < AT_REST);
      if (still >= 0 && still < to - 1) {
        to = still + 1;
        dispose(after);
        continue;
      }
      dispose(swarm);
      swarm = still < 0 ? after : { ...after, particles: shaken(await after.particles.host(), shakes, scale) };
      for (let step = from; step < to; step++) tally.energy += energy[step];
      tally.steps += to - from;
      tally.restarts += still < 0 ? 0 : 1;
      [from, to] = [to, rows.length];
    }
    return swarm;
  }

  /** Random numbers of a run, in the memory of those of the last run, which is over. */
  private normals(noise: Rng, shape: readonly [number, number, number]): Tensor {
    const { dtype } = this.settings;
    const size = shape[0] * shape[1] * shape[2];
    if (this.room?.length !== size) this.room = dtype === "float32" ? new Float32Array(size) : new Float64Array(size);
    noise.fillNormal(this.room);
    return hostTensor(this.room, shape, dtype);
  }

  private reduced(particles: Tensor, variance: number, before: number, rng: Rng): Tensor {
    const { reduction, batchParticles } = this.settings;
    const n = particles.shape[0];
    const count = reduction ? reducedCount(n, batchParticles, variance, before) : n;
    if (count === n) return particles;
    const rows = rng
      .choice(n, { shape: [count], replace: false })
      .data()
      .slice()
      .sort();
    return take(particles, tensor(rows as Int32Array));
  }
}

/** Frees what a device holds. */
function dispose({ particles, consensus }: TrainingSwarm): void {
  particles.dispose();
  consensus.dispose();
}

function shaken(particles: Tensor, rng: Rng, scale: number): Tensor {
  const dtype = particles.dtype as "float32" | "float64";
  return add(particles, mul(scale, rng.normal(particles.shape, { dtype })));
}

function nothingFinite(n: number): NonFiniteError {
  return new NonFiniteError(
    `the loss is finite for none of ${n} particles; lower sigma, start them nearer to 0, or look for NaN in data`,
  );
}
