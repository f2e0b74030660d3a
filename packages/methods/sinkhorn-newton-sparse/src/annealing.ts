/** Annealing begins where eta times the spread of the costs is at most this. */
const FIRST = 300;
/** No beginning is easier than one where it is this. */
const EASIEST = 1;
/** Successive regularisations are so far apart at first, ... */
const DOUBLING = 2;
/** ... and where a step this small fails, the one asked for is out of reach. */
const SMALLEST_FACTOR = 1.02;

/** Where a run stands on its way to the regularisation asked for. */
export interface Level {
  /** `direct` is the paper's run, at the regularisation asked for from the start. */
  readonly phase: "direct" | "annealing";
  /** Inverse regularisation now. */
  readonly eta: number;
  /** The last one that succeeded, 0 before. */
  readonly reached: number;
  /** From one to the next. */
  readonly factor: number;
}

/** The first level of annealing: half as far as it is asked to go, or so little that the first steps are easy. */
export function firstLevel(target: number, spread: number): Level {
  let eta = target;
  while (eta * spread > FIRST) eta /= 2;
  return { phase: "annealing", eta, reached: 0, factor: DOUBLING };
}

/** The level after one that succeeded. */
export function levelAfter(level: Level, target: number): Level {
  return { ...level, reached: level.eta, eta: Math.min(target, level.eta * level.factor) };
}

/**
 * The level after one that failed: an easier beginning, or a smaller step from what was reached; undefined where there is
 * none.
 */
export function easierLevel(level: Level, target: number, spread: number): Level | undefined {
  if (level.phase === "direct") {
    const first = firstLevel(target, spread);
    return first.eta < target ? first : easierLevel(first, target, spread);
  }
  if (level.reached === 0) {
    return level.eta * spread > EASIEST ? { ...level, eta: level.eta / 2 } : undefined;
  }
  const factor = Math.sqrt(level.eta / level.reached);
  return factor >= SMALLEST_FACTOR ? { ...level, factor, eta: level.reached * factor } : undefined;
}
