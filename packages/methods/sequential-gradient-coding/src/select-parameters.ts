import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import { checkOptions, requireInteger, requireObject, ShapeError, ValueError } from "@offprint/tensor-core";
import { checkDelays, type Delays } from "./delays.js";
import { mSgc } from "./m-sgc.js";
import { gc, uncoded } from "./one-round-schemes.js";
import type { Scheme } from "./scheme.js";
import { checkTiming, type RoundTiming, simulate } from "./simulate.js";
import { srSgc } from "./sr-sgc.js";

/** The schemes that parameters are chosen for. */
export type SelectableKind = "uncoded" | "gc" | "sr-sgc" | "m-sgc";

/** A scheme with its time on the profile. */
export interface SchemeTime {
  /** Which it is. */
  readonly kind: SelectableKind;
  /** Its parameters: `stragglers`, or `burst`, `window` and `lambda`. */
  readonly parameters: Readonly<Record<string, number>>;
  /** L. */
  readonly load: number;
  /** T. */
  readonly delay: number;
  /** Time of the whole run. */
  readonly total: number;
}

/** What a selection goes on from. */
export type SelectionState = RunState<{ readonly tried: number }, SchemeTime>;

/** Options of `selectParameters`. */
export interface SelectOptions extends RoundTiming, RunOptions<SchemeTime, SelectionState> {
  /** Jobs of the simulated runs. Default as many as the profile has rounds for. */
  readonly jobs?: number;
  /** Schemes to look at. Default all. */
  readonly schemes?: readonly SelectableKind[];
  /** Largest B. Default 2. */
  readonly maxBurst?: number;
  /** Largest W. Default 7. */
  readonly maxWindow?: number;
  /** Largest lambda. Default n / 2 or so: codes with more redundancy are slower. */
  readonly maxLambda?: number;
  /** Largest s of GC. Default `maxLambda`, and below n. */
  readonly maxStragglers?: number;
  /** Largest T: there must be T + 1 models. Default 8. */
  readonly maxDelay?: number;
  /** Schemes tried at most, those of a resumed run included. Default all. */
  readonly maxIterations?: number;
}

/** What `selectParameters` gives. */
export interface Selection {
  /** The quickest: `makeScheme(n, best)` is the scheme. */
  readonly best: SchemeTime;
  /** The quickest of each kind, quickest first. */
  readonly choices: readonly SchemeTime[];
  /** `converged` where all were tried. */
  readonly status: Status;
  /** Schemes tried. */
  readonly iterations: number;
  /** All that were tried. */
  readonly history: readonly SchemeTime[];
  /** What a further run resumes from. */
  readonly state: SelectionState;
}

const owner = "selectParameters";

/** Makes a scheme from a line of a selection. @throws ValueError for parameters out of range */
export function makeScheme(workers: number, pick: Pick<SchemeTime, "kind" | "parameters">): Scheme {
  requireObject("makeScheme", "pick", pick, "{ kind, parameters }");
  const { kind, parameters } = pick;
  const { stragglers = 0, burst = 1, window = 2, lambda = 0 } = parameters;
  if (kind === "uncoded") return uncoded({ workers });
  if (kind === "gc") return gc({ workers, stragglers });
  return kind === "sr-sgc" ? srSgc({ workers, burst, window, lambda }) : mSgc({ workers, burst, window, lambda });
}

function bursts(maxBurst: number, maxWindow: number): [burst: number, window: number][] {
  const pairs: [number, number][] = [];
  for (let W = 2; W <= maxWindow; W++) for (let B = 1; B <= Math.min(maxBurst, W - 1); B++) pairs.push([B, W]);
  return pairs;
}

/** A scheme to try, not yet made: there may be hundreds of thousands. */
type Candidate = Pick<SchemeTime, "kind" | "parameters" | "delay">;

function candidates(n: number, options: SelectOptions): Candidate[] {
  const { schemes = ["uncoded", "gc", "sr-sgc", "m-sgc"], maxBurst = 2, maxWindow = 7, maxDelay = 8 } = options;
  const { maxLambda = Math.max(1, n >> 1), maxStragglers = Math.min(maxLambda, n - 1) } = options;
  const wanted = new Set<string>(schemes);
  const found: Candidate[] = [];
  if (wanted.has("uncoded")) found.push({ kind: "uncoded", parameters: {}, delay: 0 });
  if (wanted.has("gc")) {
    for (let s = 1; s <= maxStragglers; s++) found.push({ kind: "gc", parameters: { stragglers: s }, delay: 0 });
  }
  for (const [burst, window] of bursts(maxBurst, maxWindow)) {
    const [divides, delay] = [(window - 1) % burst === 0 && burst <= maxDelay, window - 2 + burst];
    for (let lambda = 1; lambda <= maxLambda; lambda++) {
      const parameters = { burst, window, lambda };
      if (wanted.has("sr-sgc") && divides && burst * lambda <= (n - 1) * (window - 1 + burst))
        found.push({ kind: "sr-sgc", parameters, delay: burst });
      if (wanted.has("m-sgc") && delay <= maxDelay) found.push({ kind: "m-sgc", parameters, delay });
    }
  }
  return found;
}

function check(delays: Delays, options: SelectOptions): void {
  checkOptions(owner, options, [
    ...["jobs", "schemes", "maxBurst", "maxWindow", "maxLambda", "maxStragglers", "maxDelay", "maxIterations"],
    ...["mu", "waitOut", "alpha", "profileLoad", ...runOptionNames],
  ]);
  checkTiming(owner, options);
  const { schemes = [], jobs, maxBurst, maxWindow, maxLambda, maxStragglers, maxDelay, maxIterations } = options;
  const kinds: readonly string[] = ["uncoded", "gc", "sr-sgc", "m-sgc"];
  for (const kind of schemes) {
    if (!kinds.includes(kind))
      throw new ValueError(`${owner}: schemes has "${kind}"; give some of ${kinds.join(", ")}`);
  }
  const n = delays.length;
  if (n === 0) throw new ShapeError(`${owner}: delays has no workers; give a row of times for each`);
  const bounds = { jobs: [jobs, 1], maxBurst: [maxBurst, 1], maxWindow: [maxWindow, 2], maxDelay: [maxDelay, 0] };
  for (const [name, [value, least]] of Object.entries(bounds)) {
    if (value !== undefined) requireInteger(owner, name, value, least!);
  }
  if (maxIterations !== undefined) requireInteger(owner, "maxIterations", maxIterations, 1);
  if (maxLambda !== undefined) requireInteger(owner, "maxLambda", maxLambda, 1, n);
  if (maxStragglers !== undefined) requireInteger(owner, "maxStragglers", maxStragglers, 0, n - 1);
}

/**
 * Chooses a scheme and its parameters for a cluster: simulates every admissible one on a profile of recorded delays.
 *
 * @param delays `[n][rounds]` times of the workers, such as a run without coding has recorded
 * @throws ShapeError where the profile is too short; ValueError for options out of range
 * @example
 * const { best } = await selectParameters(delays, { alpha: 16, maxWindow: 7, maxLambda: 24 });
 * const scheme = makeScheme(delays.length, best);
 */
export async function selectParameters(delays: Delays, options: SelectOptions = {}): Promise<Selection> {
  requireObject("selectParameters", "delays", delays, "an array");
  check(delays, options);
  const n = delays.length;
  const all = candidates(n, options);
  const longest = all.reduce((most, { delay }) => Math.max(most, delay), 0);
  const rounds = Math.min(...delays.map((row) => row.length));
  const { jobs = rounds - longest, maxIterations = all.length } = options;
  if (all.length === 0) throw new ValueError(`${owner}: schemes leaves nothing to try; give one, or allow more delay`);
  if (jobs < 1)
    throw new ShapeError(`${owner}: delays has too few rounds; schemes with a delay of ${longest} need more`);
  if (jobs + longest > rounds) {
    throw new ShapeError(
      `${owner}: delays has ${rounds} rounds; ${jobs} jobs with a delay of ${longest} take ${jobs + longest}: give fewer jobs, or a smaller maxDelay`,
    );
  }
  checkDelays(owner, delays, n, jobs + longest);
  const { mu, waitOut, alpha, profileLoad } = options;
  const timing = { mu, waitOut, alpha, profileLoad };
  const given = Object.fromEntries(Object.entries(timing).filter(([, value]) => value !== undefined));
  const { last: _, ...run } = await runLoop<{ tried: number }, SchemeTime>(
    {
      owner,
      limit: maxIterations,
      initial: () => ({ tried: 0 }),
      step: ({ tried }) => ({ tried: tried + 1 }),
      record({ tried }) {
        const scheme = makeScheme(n, all[tried - 1]);
        const { total } = simulate(scheme, delays, { jobs, ...given });
        return { ...all[tried - 1], load: scheme.load, total };
      },
      finished: ({ tried }) => (tried >= all.length ? "converged" : undefined),
    },
    options,
  );
  const sorted = [...run.history].sort((a, b) => a.total - b.total);
  const choices = sorted.filter(({ kind }, k) => sorted.findIndex((each) => each.kind === kind) === k);
  // Aborted before anything was tried: what needs no choice.
  const best = choices[0] ?? { ...all[0], load: makeScheme(n, all[0]).load, total: Number.POSITIVE_INFINITY };
  return { best, choices, ...run };
}
