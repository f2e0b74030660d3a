import {
  asTensor,
  checkOptions,
  isTensor,
  requireInteger,
  reshape,
  ShapeError,
  type Tensor,
  type TensorLike,
  ValueError,
  vmap,
} from "@offprint/tensor-core";

/** Energies of all particles at once, in operations of tensors: `[n, d]` to `[n]` (or `[n, 1]`), for any n. */
export type BatchedObjective = (particles: Tensor) => Tensor;

/**
 * The function E to be minimised. It may have many local minima, kinks and jumps; no gradient is ever asked for. Where
 * it is NaN or Infinity nobody goes.
 *
 * | form | what it is | compiled by a backend |
 * | --- | --- | --- |
 * | a function | of all particles, in operations of tensors: `[n, d]` to `[n]` | yes |
 * | `pointwise` | of one particle `[d]`, in operations of tensors, to a scalar; vectorised | yes |
 * | `perParticle` | of one particle as plain numbers, to a number or a promise of one | no |
 * | `batch` | of all particles, by whatever means: a loaded model, workers, a service; may be a promise | no |
 */
export type Objective =
  | BatchedObjective
  | {
      /** Energy of one particle `[d]` in operations of tensors. */
      readonly pointwise: (particle: Tensor) => Tensor;
    }
  | {
      /** Energy of one particle. The array is reused for the next one: copy what is to be kept. */
      readonly perParticle: (particle: Float64Array) => number | Promise<number>;
      /** How many promised energies may be awaited at once; default all of them. */
      readonly concurrency?: number;
    }
  | {
      /** Energies of all particles: `[n, d]` to `[n]` or `[n, 1]`, for any n. */
      readonly batch: (particles: Tensor) => TensorLike | Promise<TensorLike>;
    };

/** @internal An objective made ready for the solvers. */
export interface Evaluator {
  /** The same in operations of tensors, where it is written so: `[n, d]` to `[n]`. */
  readonly traceable: BatchedObjective | undefined;
  /** What the user gave, to know it again. */
  readonly source: object;
  /** Energies of the rows. */
  evaluate(particles: Tensor): ArrayLike<number> | Promise<ArrayLike<number>>;
}

const FORMS = ["pointwise", "perParticle", "batch"];

/** @internal */
export function evaluatorOf(owner: string, objective: Objective): Evaluator {
  if (typeof objective === "function") return traceableEvaluator(owner, objective, objective);
  const { pointwise, perParticle, batch } = (objective ?? {}) as Partial<Record<string, unknown>>;
  if (typeof objective === "object" && objective !== null) {
    // One form only: another beside it would be ignored.
    const form = FORMS.find((name) => typeof (objective as Partial<Record<string, unknown>>)[name] === "function");
    const beside = form === "perParticle" ? ["concurrency"] : [];
    if (form !== undefined) checkOptions(`${owner}: objective`, objective, [form, ...beside]);
  }
  if (typeof pointwise === "function") {
    return traceableEvaluator(owner, vmap(pointwise as (v: Tensor) => Tensor), pointwise);
  }
  if (typeof perParticle === "function") {
    return perParticleEvaluator(owner, objective as Extract<Objective, { perParticle: unknown }>);
  }
  if (typeof batch === "function") {
    const evaluate = async (particles: Tensor) =>
      energiesOf(
        owner,
        await (batch as (v: Tensor) => TensorLike | Promise<TensorLike>)(particles),
        particles.shape[0],
      );
    return { traceable: undefined, source: batch, evaluate };
  }
  throw new ValueError(
    `${owner}: objective is ${objective === null ? "null" : typeof objective}; give a function of a tensor [n, d], ` +
      "or an object with one of pointwise, perParticle, batch",
  );
}

function traceableEvaluator(owner: string, f: BatchedObjective, source: object): Evaluator {
  const traceable = (particles: Tensor) => asColumn(owner, called(owner, f, particles), particles.shape[0]);
  return { traceable, source, evaluate: (particles) => traceable(particles).data() };
}

/** A function of plain numbers, given a tensor, fails in ways that say little. */
function called(owner: string, f: BatchedObjective, particles: Tensor): Tensor {
  try {
    return f(particles);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ValueError(
      `${owner}: the objective failed on a tensor [${particles.shape}]: ${error.message}; give a function of one particle as ` +
        "plain numbers as { perParticle: f }",
      { cause: error },
    );
  }
}

function perParticleEvaluator(
  owner: string,
  { perParticle, concurrency = Infinity }: Extract<Objective, { perParticle: unknown }>,
): Evaluator {
  if (concurrency !== Infinity) requireInteger(owner, "concurrency", concurrency, 1);
  const evaluate = (particles: Tensor): Float64Array | Promise<Float64Array> => {
    const [n, d] = particles.shape;
    const values = particles.data();
    const own = (i: number) => Float64Array.from(values.subarray(i * d, (i + 1) * d));
    const energies = new Float64Array(n);
    const first = perParticle(own(0));
    if (typeof first !== "number") {
      return promised(owner, first, (i) => perParticle(own(i)), energies, Math.min(n, concurrency));
    }
    energies[0] = first;
    const scratch = new Float64Array(d);
    for (let i = 1; i < n; i++) {
      for (let j = 0, at = i * d; j < d; j++, at++) scratch[j] = values[at];
      const energy = perParticle(scratch);
      if (typeof energy !== "number") throw notANumber(owner, i, energy);
      energies[i] = energy;
    }
    return energies;
  };
  return { traceable: undefined, source: perParticle, evaluate };
}

async function promised(
  owner: string,
  first: Promise<number>,
  energyOf: (i: number) => number | Promise<number>,
  energies: Float64Array,
  concurrency: number,
): Promise<Float64Array> {
  let next = 0;
  const worker = async () => {
    while (next < energies.length) {
      const i = next++;
      const energy = await (i === 0 ? first : energyOf(i));
      if (typeof energy !== "number") throw notANumber(owner, i, energy);
      energies[i] = energy;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return energies;
}

function notANumber(owner: string, i: number, value: unknown): ValueError {
  return new ValueError(`${owner}: perParticle returned ${typeof value} for particle ${i}; it must return a number`);
}

/** One energy per particle, as `[n]`. */
function asColumn(owner: string, energies: Tensor, n: number): Tensor {
  if (!isTensor(energies) && typeof (energies as { then?: unknown } | null)?.then === "function") {
    throw new ValueError(`${owner}: the objective returned a promise; give it as { batch: objective }`);
  }
  if (!isTensor(energies) && (energies === undefined || energies === null || typeof energies === "number")) {
    throw new ShapeError(
      `${owner}: the objective returned ${String(energies)} for ${n} particles [${n}, d]; a function of one particle is ` +
        "given as { perParticle: f }",
    );
  }
  const y = asTensor(energies);
  if (y.rank === 1 && y.shape[0] === n) return y;
  if (y.rank === 2 && y.shape[0] === n && y.shape[1] === 1) return reshape(y, [n]);
  throw new ShapeError(
    `${owner}: the objective returned shape [${y.shape}] for ${n} particles; it must return one energy each, [${n}]. ` +
      "Give a function of one particle as { perParticle: f } (plain numbers) or { pointwise: f } (tensors)",
  );
}

function energiesOf(owner: string, energies: TensorLike, n: number): ArrayLike<number> {
  const y = Array.isArray(energies) ? asTensor(energies, "float64") : asTensor(energies);
  return asColumn(owner, y, n).data();
}
