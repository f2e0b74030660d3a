import { hostTensor, type Tensor, type TypedArray } from "@offprint/tensor-core";
import type { SwarmFigures } from "./swarm-step.js";

/** Steps that are computed by one call. */
export const AHEAD = 16;
/** Steps that last this long, in milliseconds, are computed one by one: others must have their turn between them. */
const QUICK = 0.5;
/** So many steps are timed before any is computed ahead. */
const TIMED = 4;

/** What one call gives: where the particles end, and for all of its steps what a step has, stacked along axis 0. */
export interface Stacked {
  /** After the last step, `[n, d]`. */
  readonly particles: Tensor;
  /** `[steps, d]`. */
  readonly consensus: Tensor;
  /** `[steps, d]`. */
  readonly best: Tensor;
  /** `[steps]` each. */
  readonly energy: Tensor;
  readonly nEff: Tensor;
  readonly least: Tensor;
  readonly spread: Tensor;
  readonly radius: Tensor;
}

/** What a step begins from. */
export interface Swarm {
  readonly particles: Tensor;
  readonly consensus: Tensor;
}

/** Makes step k. */
type Step = (swarm: Swarm, k: number) => SwarmFigures;

/**
 * Quick steps, many by one call. Each step is handed out on its own: a run that ends, or goes on from elsewhere, has just
 * computed some in vain, and gives the same numbers.
 */
export class StepsAhead {
  private first = 0;
  private figures: readonly SwarmFigures[] = [];
  private timed = 0;
  private quickest = Infinity;

  /** @param last the last step that there can be */
  constructor(
    private readonly many: (swarm: Swarm, k: number) => Stacked,
    private readonly one: Step,
    private readonly last: number,
  ) {}

  /** Step k from the swarm of the step before. */
  move(swarm: Swarm, k: number): SwarmFigures {
    const known = this.figures[k - this.first];
    if (known !== undefined && this.figures[k - this.first - 1]?.consensus === swarm.consensus) return known;
    if (this.timed < TIMED || this.quickest > QUICK || this.last - k < AHEAD) return this.timedOne(swarm, k);
    this.first = k;
    this.figures = apart(this.many(swarm, k), swarm, k, this.one);
    return this.figures[0];
  }

  private timedOne(swarm: Swarm, k: number): SwarmFigures {
    const start = performance.now();
    const figures = this.one(swarm, k);
    this.quickest = Math.min(this.quickest, performance.now() - start);
    this.timed++;
    return figures;
  }
}

/** The steps one by one. */
function apart(stacked: Stacked, before: Swarm, first: number, one: Step): SwarmFigures[] {
  const count = stacked.consensus.shape[0];
  const values = {
    ...{ consensus: stacked.consensus.data(), best: stacked.best.data(), energy: stacked.energy.data() },
    ...{ nEff: stacked.nEff.data(), least: stacked.least.data() },
    ...{ spread: stacked.spread.data(), radius: stacked.radius.data() },
  };
  const figures = new Array<SwarmFigures>(count);
  for (let s = 0; s < count; s++) {
    const swarm = s === 0 ? before : figures[s - 1];
    const particles = s < count - 1 ? () => one(swarm, first + s).particles : () => stacked.particles;
    figures[s] = new FiguresAhead(values, s, stacked.consensus, particles);
  }
  return figures;
}

/**
 * One of the steps. Hardly any particles are looked at but the last, and to keep all takes a tenth of a quick run: they
 * are computed again where they are.
 */
class FiguresAhead implements SwarmFigures {
  readonly consensus: Tensor;
  readonly energy: number;
  readonly nEff: number;
  readonly least: number;
  readonly spread: number;
  readonly radius: number;
  private known: Tensor | undefined;

  constructor(
    private readonly values: { readonly [name in Exclude<keyof Stacked, "particles">]: TypedArray },
    private readonly s: number,
    { shape: [, d], dtype }: Tensor,
    private readonly placed: () => Tensor,
  ) {
    this.consensus = hostTensor(values.consensus.subarray(s * d, (s + 1) * d), [d], dtype);
    this.energy = values.energy[s];
    this.nEff = values.nEff[s];
    this.least = values.least[s];
    this.spread = values.spread[s];
    this.radius = values.radius[s];
  }

  get particles(): Tensor {
    this.known ??= this.placed();
    return this.known;
  }

  best(): Float64Array {
    const d = this.consensus.size;
    return new Float64Array(this.values.best.subarray(this.s * d, (this.s + 1) * d));
  }
}
