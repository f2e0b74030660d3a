import {
  abs,
  cast,
  checkOptions,
  greater,
  isTensor,
  mean,
  mul,
  requireFinite,
  requireInteger,
  requireObject,
  requireText,
  ShapeError,
  sqrt,
  square,
  sub,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  ValueError,
  where,
} from "@offprint/tensor-core";
import type { OfflineBatch } from "./value-gradients.js";

/** Logged transitions as they come: plain numbers or tensors, one row each. */
export interface OfflineArrays {
  /** `[rows, observation]`; integers for tables. */
  readonly observations: TensorLike;
  /** `[rows, action]`, in [-1, 1]. */
  readonly actions: TensorLike;
  /** `[rows]`. */
  readonly rewards: TensorLike;
  /** Like the observations. */
  readonly nextObservations: TensorLike;
  /** Whether an episode ended for good, so that nothing comes after it: 0 and 1, or booleans. `[rows]`. */
  readonly terminals: TensorLike;
  /** Whether it was cut off there. Default nowhere. */
  readonly timeouts?: TensorLike;
}

/** Logged transitions, checked. */
export interface OfflineDataset extends OfflineBatch {
  /** 1 where an episode was cut off, `[rows]`. */
  readonly timeouts: Tensor;
  /** Number of transitions. */
  readonly size: number;
  /** What is odd about them, but can be worked with. */
  readonly warnings: readonly string[];
}

const names = ["observations", "actions", "rewards", "nextObservations", "terminals", "timeouts"] as const;

/**
 * Checks logged transitions and makes tensors of them.
 * @throws ShapeError where rows do not fit; ValueError for no rows, rewards or observations that are not finite, and terminals other than 0 and 1.
 */
export function offlineDataset(arrays: OfflineArrays, dtype: "float32" | "float64" = "float32"): OfflineDataset {
  requireObject("offlineDataset", "arrays", arrays, "OfflineArrays");
  const owner = "offlineDataset";
  checkOptions(owner, arrays, names);
  const read = (name: keyof OfflineArrays): Tensor => {
    const given = arrays[name];
    if (given === undefined) throw new ValueError(`${owner}: there is no ${name}; give one row for each transition`);
    const x = tensor(given, { dtype });
    requireFinite(owner, name, x);
    return x;
  };
  const [observations, actions, rewards, nextObservations] = [
    read("observations"),
    read("actions"),
    read("rewards"),
    read("nextObservations"),
  ];
  const size = rewards.size;
  if (size === 0) throw new ValueError(`${owner}: there are no transitions; give at least one`);
  const flags = (name: "terminals" | "timeouts"): Tensor => {
    if (name === "timeouts" && arrays.timeouts === undefined) return rewards.mul(0);
    const x = read(name);
    requireFlags(owner, name, x);
    return x;
  };
  const [terminals, timeouts] = [flags("terminals"), flags("timeouts")];
  const fits = (name: string, x: Tensor, shape: readonly (number | null)[]) => {
    if (x.shape.length === shape.length && shape.every((n, i) => n === null || x.shape[i] === n)) return;
    throw new ShapeError(
      `${owner}: ${name} has shape [${x.shape}]; for ${size} rewards it must be [${shape.map((n) => n ?? "any")}]`,
    );
  };
  fits("rewards", rewards, [size]);
  fits("observations", observations, [size, null]);
  fits("nextObservations", nextObservations, [size, observations.shape[1]]);
  fits("actions", actions, [size, null]);
  fits("terminals", terminals, [size]);
  fits("timeouts", timeouts, [size]);
  const beyond = (actions.data() as Float64Array).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const warnings =
    beyond > 1 + 1e-6
      ? [`actions reach ${beyond}; policies act in [-1, 1], so that scaling them by ${1 / beyond} may be wanted`]
      : [];
  return { observations, actions, rewards, nextObservations, terminals, timeouts, size, warnings };
}

/** @internal @throws ValueError for what is none: plain arrays are checked by {@link offlineDataset} first. */
export function requireDataset(owner: string, dataset: OfflineDataset): void {
  requireObject(owner, "dataset", dataset, "an OfflineDataset");
  const lacking = names.find((name) => !isTensor(dataset[name]));
  if (lacking === undefined && dataset.size === dataset.rewards.size && Array.isArray(dataset.warnings)) return;
  throw new ValueError(`${owner}: dataset is none; give what offlineDataset or qlearningDataset made of your arrays`);
}

function requireFlags(owner: string, name: string, x: Tensor): void {
  if (x.data().every((v: number) => v === 0 || v === 1)) return;
  throw new ValueError(
    `${owner}: ${name} must be 0 and 1, or booleans; "ended for good" and "cut off" are not rewards`,
  );
}

/** The transitions at some rows. */
export function rowsOf(dataset: OfflineDataset, rows: Tensor): OfflineBatch {
  const at = (x: Tensor) => take(x, rows, 0);
  return {
    observations: at(dataset.observations),
    actions: at(dataset.actions),
    rewards: at(dataset.rewards),
    nextObservations: at(dataset.nextObservations),
    terminals: at(dataset.terminals),
  };
}

/** Where episodes begin and end: `[first, last]` rows, in order. They end at terminals and timeouts, and where the next row goes on from elsewhere. */
export function episodesOf(dataset: OfflineDataset): [first: number, last: number][] {
  requireDataset("episodesOf", dataset);
  const { observations, nextObservations, terminals, timeouts, size } = dataset;
  const [here, next, done, cut] = [observations, nextObservations, terminals, timeouts].map((x) => x.data());
  const width = here.length / size;
  const goesOn = (i: number): boolean => {
    for (let j = 0; j < width; j++) if (next[i * width + j] !== here[(i + 1) * width + j]) return false;
    return true;
  };
  const found: [number, number][] = [];
  let first = 0;
  for (let i = 0; i < size; i++) {
    if (i + 1 < size && done[i] === 0 && cut[i] === 0 && goesOn(i)) continue;
    found.push([first, i]);
    first = i + 1;
  }
  return found;
}

/** The episodes of the best returns, as a data set of its own: what "percent BC" imitates. @param share of the episodes, in (0, 1] */
export function bestEpisodes(dataset: OfflineDataset, share = 0.1): OfflineDataset {
  requireDataset("bestEpisodes", dataset);
  if (!(share > 0 && share <= 1)) throw new ValueError(`bestEpisodes: share is ${share}; it must lie in (0, 1]`);
  const rewards = dataset.rewards.data();
  const scored = episodesOf(dataset).map(([first, last]) => {
    let total = 0;
    for (let i = first; i <= last; i++) total += rewards[i];
    return { first, last, total };
  });
  const kept = scored.sort((a, b) => b.total - a.total).slice(0, Math.max(1, Math.round(share * scored.length)));
  const rows = kept.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
  const chosen = tensor(Int32Array.from(rows));
  return { ...dataset, ...rowsOf(dataset, chosen), timeouts: take(dataset.timeouts, chosen, 0), size: rows.length };
}

/** How observations are standardised. */
export interface ObservationScaling {
  /** Means, `[observation]`. */
  readonly centre: Tensor;
  /** Standard deviations, `[observation]`; 1 where an observation is always the same. */
  readonly scale: Tensor;
}

/** Means and deviations of the observations, in their own units. */
export function scalingOf({ observations }: OfflineDataset): ObservationScaling {
  // In float32 squares of 1e-30 are 0 and those of 1e30 infinite, though there are such units.
  const exact = cast(observations, "float64");
  const centre = mean(exact, 0);
  const deviation = sqrt(mean(square(sub(exact, centre)), 0));
  // Numbers that are all the same differ from their mean by its last bits.
  const scale = where(greater(deviation, mul(abs(centre), 1e-6)), deviation, 1);
  return { centre: cast(centre, observations.dtype), scale: cast(scale, observations.dtype) };
}

/** Observations one after the other, as logs and D4RL's files have them. */
export interface LoggedSteps {
  /** `[rows, observation]`. */
  readonly observations: TensorLike;
  /** `[rows, action]`. */
  readonly actions: TensorLike;
  /** `[rows]`. */
  readonly rewards: TensorLike;
  /** `[rows]`. */
  readonly terminals: TensorLike;
  /** `[rows]`; absent in old files. */
  readonly timeouts?: TensorLike;
  /** Like the observations, where files have them: rows need not follow each other then, and none is left out. */
  readonly nextObservations?: TensorLike;
}

/** Options of {@link qlearningDataset}. */
export interface QlearningOptions {
  /** Whether the last step of an episode that was cut off is kept, although what came after it is not known. Default false. */
  readonly terminateOnEnd?: boolean;
  /** Length of episodes, for files without timeouts. Default none. */
  readonly maxEpisodeSteps?: number;
}

/**
 * Transitions of steps one after the other: the next observation is that of the next row, unless the steps have it; rows that were cut off
 * are left out where it is not known.
 * @throws ShapeError where rows do not fit; ValueError for fewer than two, values that are not finite, flags other than 0 and 1, and options
 * that the steps leave nothing to say.
 */
export function qlearningDataset(steps: LoggedSteps, options: QlearningOptions = {}): OfflineDataset {
  requireObject("qlearningDataset", "steps", steps, "LoggedSteps");
  const owner = "qlearningDataset";
  checkOptions(owner, options, ["terminateOnEnd", "maxEpisodeSteps"]);
  const { terminateOnEnd = false, maxEpisodeSteps } = options;
  if (maxEpisodeSteps !== undefined) requireInteger(owner, "maxEpisodeSteps", maxEpisodeSteps, 1);
  if (steps.nextObservations !== undefined) {
    if (terminateOnEnd || maxEpisodeSteps !== undefined) {
      throw new ValueError(
        `${owner}: the steps have nextObservations, so that ${terminateOnEnd ? "terminateOnEnd" : "maxEpisodeSteps"} would do nothing; leave it out`,
      );
    }
    return offlineDataset({ ...steps, nextObservations: steps.nextObservations });
  }
  if (maxEpisodeSteps !== undefined && steps.timeouts !== undefined) {
    throw new ValueError(
      `${owner}: the steps have timeouts, so that maxEpisodeSteps would do nothing; leave out one of them`,
    );
  }
  const read = (name: keyof LoggedSteps, count?: number): Tensor => {
    const given = steps[name];
    if (given === undefined) throw new ValueError(`${owner}: there is no ${name}; give one row for each step`);
    const x = tensor(given);
    if (count === undefined || x.shape[0] === count) return x;
    throw new ShapeError(
      `${owner}: ${name} has shape [${x.shape}] and there are ${count} rewards; give a row for each`,
    );
  };
  const rewards = read("rewards");
  const rows = rewards.size;
  if (rows < 2) throw new ValueError(`${owner}: there are ${rows} steps; transitions need two`);
  const [observations, actions] = [read("observations", rows), read("actions", rows)];
  const flags = (name: "terminals" | "timeouts") => {
    const x = read(name, rows);
    if (x.rank !== 1) throw new ShapeError(`${owner}: ${name} has shape [${x.shape}]; it must be [${rows}]`);
    requireFlags(owner, name, x);
    return x.data();
  };
  const terminals = flags("terminals");
  const given = steps.timeouts === undefined ? undefined : flags("timeouts");
  const kept: number[] = [];
  const cut: number[] = [];
  let length = 0;
  for (let i = 0; i < rows - 1; i++) {
    length++;
    const timedOut = given === undefined ? length === maxEpisodeSteps && !terminals[i] : Boolean(given[i]);
    const ended = timedOut || Boolean(terminals[i]);
    if (!timedOut || terminateOnEnd) {
      kept.push(i);
      cut.push(timedOut ? 1 : 0);
    }
    if (ended) length = 0;
  }
  if (kept.length === 0) {
    throw new ValueError(
      `${owner}: every step was cut off by timeouts, so that nothing comes after it; look at timeouts`,
    );
  }
  const at = (x: Tensor, offset = 0) => take(x, tensor(Int32Array.from(kept, (i) => i + offset)), 0);
  return offlineDataset({
    observations: at(observations),
    nextObservations: at(observations, 1),
    actions: at(actions),
    rewards: at(rewards),
    terminals: Float32Array.from(kept, (i) => (terminals[i] ? 1 : 0)),
    timeouts: Float32Array.from(cut),
  });
}

/** Scores of D4RL: `[of random policies, of experts]`. From memory; antmaze counts successes. */
const references: Readonly<Record<string, readonly [number, number]>> = {
  hopper: [-20.27, 3234.3],
  halfcheetah: [-280.18, 12135],
  walker2d: [1.63, 4592.3],
  antmaze: [0, 1],
};

/** A return on D4RL's scale: 0 for a random policy, 100 for an expert. @param environment `hopper`, `halfcheetah`, `walker2d` or `antmaze` */
export function normalizedScore(environment: string, total: number): number {
  requireText("normalizedScore", "environment", environment);
  if (!Number.isFinite(total))
    throw new ValueError(`normalizedScore: the return is ${total}; it must be a finite number`);
  const name = environment.split("-")[0];
  const found = Object.hasOwn(references, name) ? references[name] : undefined;
  if (found === undefined) {
    throw new ValueError(
      `normalizedScore: "${environment}" has no reference; there are ${Object.keys(references).join(", ")}`,
    );
  }
  return (100 * (total - found[0])) / (found[1] - found[0]);
}

/** How rewards are scaled: as the paper does for locomotion (returns spread over 1000), for mazes (0 becomes -3, 1 becomes 0), or by a factor. */
export type RewardTransform = "returns" | "maze" | number;

/** The same transitions with scaled rewards. */
export function scaledRewards(dataset: OfflineDataset, transform: RewardTransform): OfflineDataset {
  requireDataset("scaledRewards", dataset);
  const { rewards } = dataset;
  if (typeof transform === "number") {
    if (!(Number.isFinite(transform) && transform > 0)) {
      throw new ValueError(`scaledRewards: the factor is ${transform}; it must be finite and above 0`);
    }
    return { ...dataset, rewards: rewards.mul(transform) };
  }
  if (transform === "maze") return { ...dataset, rewards: rewards.sub(1).mul(3) };
  if (transform !== "returns") {
    throw new ValueError(
      `scaledRewards: the transform is ${String(transform)}; it must be "returns", "maze" or a factor`,
    );
  }
  const values = rewards.data();
  const totals = episodesOf(dataset).map(([first, last]) => {
    let total = 0;
    for (let i = first; i <= last; i++) total += values[i];
    return total;
  });
  const [most, least] = [totals.reduce((a, b) => Math.max(a, b)), totals.reduce((a, b) => Math.min(a, b))];
  const spread = most - least;
  // Sums in another order differ by rounding.
  if (!(spread > 1e-12 * Math.max(Math.abs(most), Math.abs(least))))
    throw new ValueError("scaledRewards: all episodes have the same return; give a factor instead");
  return { ...dataset, rewards: rewards.mul(1000 / spread) };
}
