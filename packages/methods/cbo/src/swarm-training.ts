import { type Batch, batches, sampleCount } from "@offprint/data";
import { NonFiniteError } from "@offprint/optim";
import {
  abs,
  add,
  cast,
  full,
  hostTensor,
  type Jitted,
  jit,
  max,
  mul,
  type Rng,
  random,
  sub,
  type Tensor,
  take,
  tensor,
  where,
} from "@offprint/tensor-core";
import { emptyWeighing, requireDecided, weigh } from "./consensus-point.js";
import { marked } from "./host-swarm.js";
import { movedTensor } from "./motion.js";
import { dispersion, reducedCount } from "./particle-reduction.js";
import { cappedAlpha, weighTensor } from "./tensor-consensus.js";
import type { EpochRecord, SwarmTrainingOptions, SwarmTrainingState, TrainingData } from "./training-options.js";
import { TRAINING, type TrainingSettings } from "./training-settings.js";
import type { SwarmModel } from "./tree-model.js";

/** A consensus that moves by less is at rest, and the particles are shaken. */
const AT_REST = 1e-5;

/** Between two steps. */
interface Swarm {
  particles: Tensor;
  consensus: Tensor;
}

/** What a step is given beside the swarm and the batch of data. */
interface StepInput {
  /** The particles that decide, `[batchParticles]`. */
  readonly rows: Tensor;
  /** Which particles move, `[N, 1]`; absent: all. */
  readonly movers?: Tensor;
  readonly normals: Tensor;
  readonly scale: Tensor;
  readonly alpha: Tensor;
}

type Step = (swarm: Swarm, batch: TrainingData, input: StepInput) => Swarm & { change: Tensor; energy: Tensor };

/** @internal The epochs of `cboTrain`. A step - losses, consensus, move - is one graph of the backend. */
export class SwarmTraining {
  private readonly step: Jitted<Step>;
  private readonly losses: Jitted<(theta: Tensor, batch: TrainingData) => Tensor>;

  constructor(
    model: SwarmModel<TrainingData>,
    private readonly data: TrainingData,
    private readonly settings: TrainingSettings,
    private readonly options: SwarmTrainingOptions,
  ) {
    const jitOptions = options.backend ? { backend: options.backend } : {};
    this.step = jit(stepOf(model, settings), jitOptions);
    this.losses = jit((theta: Tensor, batch: TrainingData) => model.loss(theta, batch), jitOptions);
  }

  begin(): SwarmTrainingState {
    const particles = this.settings.start();
    // Infinitely far, so that the first consensus has moved.
    const consensus = full([this.settings.parameters], Infinity, particles.dtype);
    return { epoch: 0, particles, consensus, variance: dispersion(particles).variance, history: [] };
  }

  /** The state after the next epoch; undefined where the signal came in between. */
  async epoch(state: SwarmTrainingState): Promise<SwarmTrainingState | undefined> {
    const { settings, data } = this;
    const epoch = state.epoch + 1;
    const rng = random.rng(`${settings.seed}/epoch/${epoch}`);
    const [order, shuffles, noise, shakes, survivors] = rng.split(5);
    const sigma = settings.sigmaOf(epoch);
    const alpha = settings.alphaOf(epoch);
    const scale = sigma * Math.sqrt(settings.dt);
    const n = state.particles.shape[0];
    const perBatch = Math.floor(n / settings.batchParticles);
    let swarm: Swarm = { particles: state.particles, consensus: state.consensus };
    let [total, steps, restarts] = [0, 0, 0];
    let samples = 0;
    for (const batch of batches(data, { batchSize: Math.min(settings.batchSize, sampleCount(data)), rng: order })) {
      const shuffled = shuffles.permutation(n).data() as Int32Array;
      for (let b = 0; b < perBatch; b++) {
        if (this.options.signal?.aborted) return undefined;
        const rows = shuffled.slice(b * settings.batchParticles, (b + 1) * settings.batchParticles);
        const result = await this.step(swarm, exampleOf(batch), this.input(rows, n, noise, scale, alpha));
        const [change, energy] = [(await result.change.host()).item(), (await result.energy.host()).item()];
        for (const spent of [swarm.particles, swarm.consensus, result.change, result.energy]) spent.dispose();
        if (!Number.isFinite(energy)) throw nothingFinite(epoch, rows.length);
        total += energy;
        steps += 1;
        swarm = { particles: result.particles, consensus: result.consensus };
        if (change < AT_REST) {
          restarts += 1;
          swarm = { ...swarm, particles: shaken(await swarm.particles.host(), shakes, scale) };
        }
      }
      samples += batch.indices.size * perBatch * settings.batchParticles;
    }
    const particles = await swarm.particles.host();
    const consensus = await swarm.consensus.host();
    const { variance, spread } = dispersion(particles);
    const kept = this.reduced(particles, variance, state.variance, survivors);
    const before = state.history[state.history.length - 1]?.evaluations ?? 0;
    const record: EpochRecord = {
      ...{ epoch, loss: total / steps, spread, sigma, alpha, restarts },
      particles: kept.shape[0],
      evaluations: before + samples,
      figures: {},
    };
    return { epoch, particles: kept, consensus, variance, history: [...state.history, record] };
  }

  /** The consensus of all particles on all data. */
  async consult(particles: Tensor, alpha: number): Promise<Tensor> {
    const energies = await this.lossesOf(particles);
    const weighing = weigh(energies, particles.data(), alpha, emptyWeighing(this.settings.parameters));
    requireDecided(TRAINING, weighing, particles.shape[0], " on all data");
    return tensor(weighing.point, { dtype: particles.dtype });
  }

  /** Losses of particles on all data, the mean over its samples. */
  async lossesOf(particles: Tensor): Promise<Float64Array> {
    const out = new Float64Array(particles.shape[0]);
    const count = sampleCount(this.data);
    for (const batch of batches(this.data, { batchSize: Math.min(count, this.settings.batchSize) })) {
      const losses = (await (await this.losses(particles, exampleOf(batch))).host()).data();
      for (let i = 0; i < out.length; i++) out[i] += (losses[i] * batch.indices.size) / count;
    }
    return out;
  }

  async release(): Promise<void> {
    await this.step.release();
    await this.losses.release();
  }

  private input(rows: Int32Array, n: number, noise: Rng, scale: number, alpha: number): StepInput {
    const { dtype, parameters, partial } = this.settings;
    return {
      rows: tensor(rows),
      ...(partial && { movers: hostTensor(marked(rows, n), [n, 1], "bool") }),
      normals: noise.normal([n, parameters], { dtype }),
      scale: tensor(scale, { dtype }),
      alpha: tensor(cappedAlpha(alpha, dtype), { dtype }),
    };
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

/** A step: the losses of a batch of particles on a batch of data, their consensus, and the move of the swarm. */
function stepOf(model: SwarmModel<TrainingData>, { motion, dtype, alphaOf }: TrainingSettings): Step {
  const flat = alphaOf(1) === 0;
  return (swarm, batch, { rows, movers, normals, scale, alpha }) => {
    const deciding = take(swarm.particles, rows);
    const { consensus, energy } = weighTensor(model.loss(deciding, batch), deciding, alpha, flat);
    const moved = movedTensor(motion, swarm.particles, consensus, normals, scale);
    return {
      particles: cast(movers === undefined ? moved : where(movers, moved, swarm.particles), dtype),
      consensus,
      change: max(abs(sub(consensus, swarm.consensus))),
      energy,
    };
  };
}

function exampleOf({ inputs, targets }: Batch): TrainingData {
  return { inputs, targets };
}

function shaken(particles: Tensor, rng: Rng, scale: number): Tensor {
  const dtype = particles.dtype as "float32" | "float64";
  return add(particles, mul(scale, rng.normal(particles.shape, { dtype })));
}

function nothingFinite(epoch: number, n: number): NonFiniteError {
  return new NonFiniteError(
    `${TRAINING}: epoch ${epoch}: the loss is finite for none of ${n} particles; lower sigma, or start them nearer to 0`,
  );
}
