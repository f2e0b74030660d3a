import { checkOptions, requireChoice, requireInteger, ValueError } from "@offprint/tensor-core";
import { burstyAdmission } from "./admission.js";
import { lazyCode, type SchemeCodeOptions } from "./one-round-schemes.js";
import { type Assignment, jobOf, type Scheme, type SchemeState } from "./scheme.js";

/** Parameters of `srSgc`. */
export interface SrSgcOptions extends SchemeCodeOptions {
  /** n. */
  readonly workers: number;
  /** B: rounds that a worker straggles in a row at most; divides W - 1. */
  readonly burst: number;
  /** W: rounds of a window. */
  readonly window: number;
  /** lambda: different stragglers in a window at most. */
  readonly lambda: number;
}

/**
 * SR-SGC, selective repetition: a gradient code for fewer stragglers than there may be; what is missing of a job is done
 * again B rounds later. `s = ceil(B lambda / (W - 1 + B))`, load (s + 1) / n, delay B. Finishes every job in time for
 * (B, W, lambda)-bursty stragglers, and for at most s in every round.
 *
 * @throws ValueError unless 1 <= B, B divides W - 1, 0 <= lambda <= n and s < n
 */
export function srSgc(options: SrSgcOptions): Scheme {
  const owner = "srSgc";
  checkOptions(
    owner,
    options,
    ["workers", "burst", "window", "lambda", "code", "seed"],
    ["workers", "burst", "window", "lambda"],
  );
  const { workers: n, burst: B, window: W, lambda, code = "cyclic" } = options;
  requireInteger(owner, "workers", n, 1);
  requireInteger(owner, "burst", B, 1);
  requireInteger(owner, "window", W, 2);
  requireInteger(owner, "lambda", lambda, 0, n);
  requireChoice(owner, "code", code, ["cyclic", "fractional", "mds"]);
  if ((W - 1) % B !== 0) throw new ValueError(`${owner}: burst is ${B}; it must divide window - 1 = ${W - 1}`);
  const s = Math.ceil((B * lambda) / (W - 1 + B));
  if (s >= n) {
    throw new ValueError(
      `${owner}: lambda is ${lambda}; its code would have to do without all ${n} workers: take fewer`,
    );
  }
  /** Whether all work on the round's own job: then s stragglers do no harm. */
  const allCurrent = ({ round, jobs }: SchemeState, assigned: readonly Assignment[]) =>
    round < jobs && assigned.length === 1 && assigned[0].job === round;
  const scheme: Scheme = {
    name: `SR-SGC(${B}, ${W}, ${lambda})`,
    kind: "sr-sgc",
    workers: n,
    delay: B,
    load: (s + 1) / n,
    parameters: { burst: B, window: W, lambda },
    layout: { own: 0, groups: 1, tolerance: s, code, ownSize: 0, codedSize: 1, lossy: false },
    memory: W - 1,
    code: lazyCode(n, s, options),
    assign(state) {
      const { round, jobs } = state;
      const current = new Int16Array(n).fill(round < jobs ? 0 : -1);
      const assigned: Assignment[] = round < jobs ? [{ job: round, tasks: current }] : [];
      if (round < B) return assigned;
      const { coded } = jobOf(scheme, state, round - B);
      let missing = n - s - coded.reduce((sum, came) => sum + came, 0);
      if (missing <= 0) return assigned;
      const again = new Int16Array(n).fill(-1);
      for (let i = 0; i < n && missing > 0; i++) {
        if (coded[i] === 1) continue;
        again[i] = 0;
        current[i] = -1;
        missing -= 1;
      }
      return [{ job: round - B, tasks: again }, ...assigned];
    },
    admits(state, assigned) {
      const bursty = burstyAdmission(n, state, { burst: B, window: W, lambda });
      const harmless = allCurrent(state, assigned);
      return (stragglers) => (harmless && stragglers.length <= s) || bursty(stragglers);
    },
    forgives: (state, assigned, stragglers) => allCurrent(state, assigned) && stragglers.length <= s,
  };
  return scheme;
}
