import { hostTensor, type Tensor } from "@offprint/tensor-core";
import type { SwarmFigures } from "./swarm-step.js";

/** Steps that are computed by one call. */
export const AHEAD = 16;
/** Steps that last this long, in milliseconds, are computed one by one: others must have their turn between them. */
const QUICK = 0.5;
/** So many steps are timed before any is computed ahead. */
const TIMED = 4;

/** What one call gives: for all of its steps what a step has, stacked along axis 0. */
export interface Stacked {
  /** `[steps, n, d]`. */
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

/**
 * Quick steps, many by one call. Each step is handed out on its own: a run that ends, or goes on from elsewhere, has just
 * computed some in vain, and gives the same numbers.
 */
export class StepsAhead {
  private first = 0;
  private figures: SwarmFigures[] = [];
  private timed = 0;
  private quickest = Infinity;

  /** @param last the last step that there can be */
  constructor(
    private readonly many: (particles: Tensor, consensus: Tensor, k: number) => Stacked,
    private readonly one: (particles: Tensor, consensus: Tensor, k: number) => SwarmFigures,
    private readonly last: number,
  ) {}

  /** Step k from the swarm of the step before. */
  move(particles: Tensor, consensus: Tensor, k: number): SwarmFigures {
    const known = this.figures[k - this.first];
    if (known !== undefined && this.figures[k - this.first - 1]?.particles === particles) return known;
    if (this.timed < TIMED || this.quickest > QUICK || this.last - k < AHEAD)
      return this.timedOne(particles, consensus, k);
    this.first = k;
    this.figures = apart(this.many(particles, consensus, k));
    return this.figures[0];
  }

  private timedOne(particles: Tensor, consensus: Tensor, k: number): SwarmFigures {
    const start = performance.now();
    const figures = this.one(particles, consensus, k);
    this.quickest = Math.min(this.quickest, performance.now() - start);
    this.timed++;
    return figures;
  }
}

/** The steps one by one; their particles are windows over those of all. */
function apart(stacked: Stacked): SwarmFigures[] {
  const [count, n, d] = stacked.particles.shape;
  const { dtype } = stacked.particles;
  const particles = stacked.particles.data();
  const consensus = stacked.consensus.data();
  const best = stacked.best.data();
  const [energy, nEff, least, spread, radius] = (["energy", "nEff", "least", "spread", "radius"] as const).map((name) =>
    stacked[name].data(),
  );
  return Array.from({ length: count }, (_, s) => ({
    particles: hostTensor(particles.subarray(s * n * d, (s + 1) * n * d), [n, d], dtype),
    consensus: hostTensor(consensus.slice(s * d, (s + 1) * d), [d], dtype),
    best: () => new Float64Array(best.subarray(s * d, (s + 1) * d)),
    ...{ energy: energy[s], nEff: nEff[s], least: least[s], spread: spread[s], radius: radius[s] },
  }));
}
