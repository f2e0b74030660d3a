import {
  checkOptions,
  requireChoice,
  requireInteger,
  requireObject,
  requirePositive,
  ValueError,
} from "@offprint/tensor-core";
import type { Level } from "./level.js";
import { levelAt, levelAtRatio, type NoiseSchedule, trainingLevel } from "./schedule.js";

/** How the levels of a sampler are spread. */
export type Spacing = "leading" | "linspace" | "trailing" | "uniform" | "quadratic" | "logSnr" | "karras";

/** What a grid ends with. */
export type CleanEnd = "exact" | "first" | "none";

/** Options of {@link levelGrid}. */
export interface GridOptions {
  /**
   * Over counted training levels `"leading"` (multiples of `floor(levels / steps)`), `"linspace"`, `"trailing"`; over
   * times `"uniform"`, `"quadratic"` (evenly spaced roots); over ratios of noise `"logSnr"` and `"karras"`. Default
   * `"leading"` where levels are counted, `"karras"` where the variance explodes, else `"uniform"`.
   */
  readonly spacing?: Spacing;
  /**
   * The clean end: `"exact"` adds `alpha = 1, sigma = 0`, `"first"` the first training level once more, `"none"` takes the
   * first noisy level itself for it. Default `"exact"`.
   */
  readonly clean?: CleanEnd;
  /** Added to the numbers of `"leading"` levels, as far as there are so many. Default 1, as Stable Diffusion. */
  readonly offset?: number;
  /** Exponent of `"karras"`. Default 7. */
  readonly rho?: number;
}

/** @internal The names of {@link GridOptions}. */
export const gridNames = ["spacing", "clean", "offset", "rho"] as const;

/**
 * `steps + 1` levels from clean to noisy, as samplers take them.
 * @throws ValueError for a spacing that the schedule does not have, and for more steps than levels.
 * @example levelGrid(discreteSchedule(), 50, { spacing: "trailing" })
 */
export function levelGrid(schedule: NoiseSchedule, steps: number, options: GridOptions = {}): Level[] {
  requireObject("levelGrid", "schedule", schedule, "a NoiseSchedule");
  checkOptions("levelGrid", options, gridNames);
  const { spacing = usualSpacing(schedule), clean = "exact", offset = 1, rho = 7 } = options;
  requireInteger("levelGrid", "steps", steps, 1);
  requireChoice("levelGrid", "spacing", spacing, Object.keys(spacings));
  requireChoice("levelGrid", "clean", clean, ["exact", "first", "none"]);
  requireInteger("levelGrid", "offset", offset, 0);
  requirePositive("levelGrid", "rho", rho);
  const count = clean === "none" ? steps + 1 : steps;
  const noisy = spacings[spacing](schedule, count, { offset, rho });
  if (clean === "none") return checkLevels("levelGrid", noisy);
  const end = clean === "exact" ? cleanLevel(noisy[0]) : firstLevel(schedule);
  if (clean === "first" && end.sigma === noisy[0].sigma) {
    throw new ValueError(
      `levelGrid: clean "first" adds the first level with noise, where ${steps} steps begin too; take fewer steps, or in code clean "none"`,
    );
  }
  return checkLevels("levelGrid", [end, ...noisy]);
}

/** The level without noise, at which a network is asked as at `next`. */
export function cleanLevel(next: Level): Level {
  requireObject("cleanLevel", "next", next, "a Level");
  return { t: 0, timestep: next.timestep, alpha: 1, sigma: 0 };
}

/**
 * The level at which a denoiser is called for place `i` of a grid: that of the place itself, but where there is no noise
 * that of the next, as a denoiser has nothing to say there.
 */
export function callLevel(levels: readonly Level[], i: number): Level {
  requireObject("callLevel", "levels", levels, "an array");
  return levels[i].sigma === 0 ? levels[i + 1] : levels[i];
}

/** @internal Levels as they are. @throws ValueError where noise does not grow, or data has no part. */
export function checkLevels(owner: string, levels: readonly Level[]): Level[] {
  if (!Array.isArray(levels) || levels.length < 2) {
    throw new ValueError(`${owner}: levels must be an array of 2 or more, from clean to noisy; make it with levelGrid`);
  }
  levels.forEach(({ alpha, sigma }, i) => {
    if (!(alpha > 0 && alpha < Infinity && sigma >= 0 && sigma < Infinity)) {
      throw new ValueError(
        `${owner}: levels[${i}] has alpha ${alpha} and sigma ${sigma}; alpha must be > 0, sigma >= 0`,
      );
    }
    const before = levels[i - 1];
    if (i > 0 && !(sigma / alpha > before.sigma / before.alpha)) {
      throw new ValueError(
        `${owner}: levels[${i}] has no more noise than the level before; order them from clean to noisy`,
      );
    }
  });
  return [...levels];
}

interface SpacingSettings {
  readonly offset: number;
  readonly rho: number;
}

type MakeLevels = (schedule: NoiseSchedule, count: number, settings: SpacingSettings) => Level[];

const evenly = (count: number, from: number, to: number): number[] =>
  Array.from({ length: count }, (_, i) => (count === 1 ? to : from + ((to - from) * i) / (count - 1)));

/** The nearest integer, of two the even one: as NumPy rounds, and with it the levels that models of others are run at. */
function nearest(x: number): number {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 === 1 ? up - 1 : up;
}

const spacings: Record<Spacing, MakeLevels> = {
  leading(schedule, count, { offset }) {
    const levels = countedLevels("leading", schedule, count);
    const stride = Math.floor(levels / count);
    const first = Math.min(offset, levels - 1 - (count - 1) * stride);
    return Array.from({ length: count }, (_, k) => trainingLevel(schedule, first + k * stride));
  },
  linspace(schedule, count) {
    const last = countedLevels("linspace", schedule, count) - 1;
    return evenly(count, 0, last).map((n) => trainingLevel(schedule, nearest(n)));
  },
  trailing(schedule, count) {
    const n = countedLevels("trailing", schedule, count);
    return Array.from({ length: count }, (_, k) => trainingLevel(schedule, nearest(((k + 1) * n) / count) - 1));
  },
  uniform: (schedule, count) => evenly(count, ...schedule.span).map((t) => levelAt(schedule, t)),
  quadratic(schedule, count) {
    const [first, last] = schedule.span.map(Math.sqrt);
    return evenly(count, first, last).map((root) => levelAt(schedule, root ** 2));
  },
  logSnr(schedule, count) {
    const [first, last] = ratios(schedule).map(Math.log);
    return evenly(count, first, last).map((log) => levelAtRatio(schedule, Math.exp(log)));
  },
  karras(schedule, count, { rho }) {
    const [first, last] = ratios(schedule).map((ratio) => ratio ** (1 / rho));
    return evenly(count, first, last).map((root) => levelAtRatio(schedule, root ** rho));
  },
};

function usualSpacing(schedule: NoiseSchedule): Spacing {
  if (schedule.levels > 0) return "leading";
  return schedule.kind === "variance-exploding" ? "karras" : "uniform";
}

function firstLevel(schedule: NoiseSchedule): Level {
  return schedule.levels > 0 ? trainingLevel(schedule, 0) : levelAt(schedule, schedule.span[0]);
}

function ratios(schedule: NoiseSchedule): number[] {
  return schedule.span.map((t) => {
    const { alpha, sigma } = levelAt(schedule, t);
    return sigma / alpha;
  });
}

function countedLevels(spacing: string, { levels }: NoiseSchedule, count: number): number {
  if (levels === 0) {
    throw new ValueError(
      `levelGrid: spacing "${spacing}" counts training levels, which this schedule has not; use "uniform"`,
    );
  }
  if (count > levels) throw new ValueError(`levelGrid: steps is ${count}, more than the ${levels} training levels`);
  return levels;
}
