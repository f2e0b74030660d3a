import { checkOptions, requireChoice, requireInteger } from "@offprint/tensor-core";
import { arbitraryAdmission, burstyAdmission } from "./admission.js";
import { lazyCode, type SchemeCodeOptions } from "./one-round-schemes.js";
import { type Assignment, jobOf, type Scheme } from "./scheme.js";

/** Parameters of `mSgc`. */
export interface MSgcOptions extends SchemeCodeOptions {
  /** n. */
  readonly workers: number;
  /** B: rounds that a worker straggles in a row at most; below W. */
  readonly burst: number;
  /** W: rounds of a window. */
  readonly window: number;
  /** lambda: different stragglers in a window at most, up to n. */
  readonly lambda: number;
  /**
   * The stragglers that are let go: (B, W, lambda)-bursty ones, or (B, W + B - 1, lambda)-arbitrary ones, who straggle B
   * times in a window, in a row or not. Default `"bursty"`.
   */
  readonly model?: "bursty" | "arbitrary";
}

/**
 * M-SGC, multiplexed sequential gradient coding: a worker's first W - 1 mini-tasks of a job are chunks of its own, which
 * are retried when they fail; in the other B rounds it returns coded results. Load near that without any redundancy,
 * delay W - 2 + B.
 *
 * @throws ValueError unless 1 <= B < W and 0 <= lambda <= n
 */
export function mSgc(options: MSgcOptions): Scheme {
  const owner = "mSgc";
  checkOptions(
    owner,
    options,
    ["workers", "burst", "window", "lambda", "model", "code", "seed"],
    ["workers", "burst", "window", "lambda"],
  );
  const { workers: n, burst: B, window: W, lambda, model = "bursty", code = "cyclic" } = options;
  requireInteger(owner, "workers", n, 1);
  requireInteger(owner, "window", W, 2);
  requireInteger(owner, "burst", B, 1, W - 1);
  requireInteger(owner, "lambda", lambda, 0, n);
  requireChoice(owner, "model", model, ["bursty", "arbitrary"]);
  requireChoice(owner, "code", code, ["cyclic", "fractional", "mds"]);
  // With lambda = n nothing is coded: whoever fails makes up for it alone.
  const coded = lambda < n;
  const T = W - 2 + B;
  const window = model === "bursty" ? W : W + B - 1;
  const scheme: Scheme = {
    name: `M-SGC(${B}, ${W}, ${lambda})`,
    kind: "m-sgc",
    workers: n,
    delay: T,
    load: coded ? ((lambda + 1) * (W - 1 + B)) / (n * (B + (W - 1) * (lambda + 1))) : (W - 1 + B) / (n * (W - 1)),
    parameters: { burst: B, window: W, lambda },
    layout: {
      own: W - 1,
      groups: coded ? B : 0,
      tolerance: coded ? lambda : 0,
      code,
      ownSize: coded ? lambda + 1 : 1,
      codedSize: coded ? 1 : 0,
      lossy: false,
    },
    memory: window - 1,
    code: coded ? lazyCode(n, lambda, options) : () => undefined,
    // The diagonal: slot 0 of job r, slot 1 of job r - 1, ...
    assign(state) {
      const { round, jobs } = state;
      const assigned: Assignment[] = [];
      for (let job = Math.max(0, round - T); job <= Math.min(round, jobs - 1); job++) {
        const slot = round - job;
        const { own } = jobOf(scheme, state, job);
        const planned = slot >= W - 1 && !coded ? -1 : slot;
        const due = Math.min(slot, W - 1);
        const tasks = new Int16Array(n);
        for (let i = 0; i < n; i++) tasks[i] = own[i] < due ? own[i] : planned;
        assigned.push({ job, tasks });
      }
      return assigned;
    },
    admits: (state) =>
      model === "bursty"
        ? burstyAdmission(n, state, { burst: B, window, lambda })
        : arbitraryAdmission(n, state, { times: B, window, lambda }),
    forgives: () => false,
  };
  return scheme;
}
