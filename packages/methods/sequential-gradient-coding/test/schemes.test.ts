import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  begin,
  decodable,
  gc,
  ignoreStragglers,
  isArbitrary,
  isBursty,
  isPerRound,
  jobOf,
  loadBound,
  mSgc,
  place,
  recordRound,
  type Scheme,
  type SchemeState,
  srSgc,
  uncoded,
} from "../src/index.js";

const random3 = (seed: string, n: number, rounds: number, chance: number) => {
  const draws = random
    .rng(seed)
    .uniform([n * rounds])
    .data();
  return Array.from({ length: n }, (_, i) => Array.from({ length: rounds }, (_, r) => draws[i * rounds + r] < chance));
};

/** Runs a scheme with stragglers that `choose` picks among those that are admitted, and looks at every job. */
function play(scheme: Scheme, jobs: number, choose: (round: number, admits: (s: number[]) => boolean) => number[]) {
  let state: SchemeState = begin(jobs);
  const done: number[] = [];
  for (let r = 0; r < jobs + scheme.delay; r++) {
    const assigned = scheme.assign(state);
    const stragglers = choose(r, scheme.admits(state, assigned));
    state = recordRound(scheme, state, assigned, stragglers);
    for (let job = 0; job <= r && job < jobs; job++) {
      if (done[job] === undefined && decodable(scheme, jobOf(scheme, state, job))) done[job] = r;
    }
    if (r >= scheme.delay) expect(done[r - scheme.delay]).toBeLessThanOrEqual(r);
  }
  return done;
}

describe("straggler models", () => {
  /** The definitions, by brute force over all pairs and windows. */
  const burstyByHand = (P: boolean[][], B: number, W: number, lambda: number) => {
    const rounds = P[0].length;
    for (let a = 0; a < rounds; a++) {
      const seen = new Set<number>();
      for (let i = 0; i < P.length; i++) {
        for (let r = a; r < Math.min(rounds, a + W); r++) {
          if (!P[i][r]) continue;
          seen.add(i);
          for (let q = r; q < Math.min(rounds, a + W); q++) if (P[i][q] && q - r >= B) return false;
        }
      }
      if (seen.size > lambda) return false;
    }
    return true;
  };
  const arbitraryByHand = (P: boolean[][], N: number, W: number, lambda: number) => {
    const rounds = P[0].length;
    for (let a = 0; a < rounds; a++) {
      const counts = P.map((row) => row.slice(a, a + W).filter(Boolean).length);
      if (counts.filter((c) => c > 0).length > lambda || counts.some((c) => c > N)) return false;
    }
    return true;
  };

  it("are decided as by brute force", () => {
    let accepted = 0;
    for (let k = 0; k < 400; k++) {
      const P = random3(`models ${k}`, 4, 7, 0.02 + 0.0008 * k);
      const [burst, window, lambda] = [1 + (k % 3), 3 + (k % 4), k % 5];
      expect(isBursty(P, { burst, window, lambda })).toBe(burstyByHand(P, burst, window, lambda));
      expect(isArbitrary(P, { times: burst, window, lambda })).toBe(arbitraryByHand(P, burst, window, lambda));
      const most = Math.max(...P[0].map((_, r) => P.filter((row) => row[r]).length));
      expect(isPerRound(P, lambda)).toBe(most <= lambda);
      accepted += Number(isBursty(P, { burst, window, lambda }));
    }
    expect(accepted).toBeGreaterThan(40);
    expect(accepted).toBeLessThan(360);
  });

  it("with B = W and lambda = n everything is bursty", () => {
    expect(isBursty(random3("all", 5, 20, 0.7), { burst: 4, window: 4, lambda: 5 })).toBe(true);
  });

  it("schemes admit what keeps the pattern in their model, and nothing else", () => {
    const [n, window, lambda] = [5, 4, 3];
    for (const model of ["bursty", "arbitrary"] as const) {
      const scheme = mSgc({ workers: n, burst: 2, window, lambda, model });
      const fits = (P: boolean[][]) =>
        model === "bursty"
          ? isBursty(P, { burst: 2, window, lambda })
          : isArbitrary(P, { times: 2, window: window + 1, lambda });
      const P: boolean[][] = Array.from({ length: n }, () => []);
      const draws = random3(model, n, 60, 0.3);
      let refused = 0;
      play(scheme, 60 - scheme.delay, (r, admits) => {
        const wanted = draws.flatMap((row, i) => (row[r] ? [i] : []));
        for (let i = 0; i < n; i++) P[i].push(wanted.includes(i));
        const may = admits(wanted);
        expect(may).toBe(fits(P));
        if (may) return wanted;
        for (let i = 0; i < n; i++) P[i][r] = false;
        refused += 1;
        return [];
      });
      expect(refused).toBeGreaterThan(5);
    }
  });

  it("refuses bad numbers and uneven rows", () => {
    expect(() => isBursty([[true]], { burst: 3, window: 2, lambda: 1 })).toThrow(/burst is 3/);
    expect(() => isArbitrary([[true]], { times: -1, window: 2, lambda: 1 })).toThrow(/times is -1/);
    expect(() => isPerRound([[true], []], 1)).toThrow(/1 rounds for worker 0 and 0 for worker 1/);
  });
});

describe("schemes", () => {
  it("M-SGC without stragglers takes its own chunks in order, then returns coded results, and ends with round t + T", () => {
    const [n, burst, window, lambda] = [5, 2, 4, 2];
    const scheme = mSgc({ workers: n, burst, window, lambda });
    let state = begin(6);
    const slots: number[][] = [];
    for (let r = 0; r < 6 + scheme.delay; r++) {
      const assigned = scheme.assign(state);
      for (const { job, tasks } of assigned) if (job === 2) slots.push([...tasks]);
      state = recordRound(scheme, state, assigned, []);
    }
    expect(slots).toEqual([0, 1, 2, 3, 4].map((slot) => new Array(n).fill(slot)));
    expect(play(scheme, 6, () => [])).toEqual([0, 1, 2, 3, 4, 5].map((job) => job + scheme.delay));
    const whole = mSgc({ workers: n, burst, window, lambda: n });
    expect(play(whole, 6, () => [])).toEqual([0, 1, 2, 3, 4, 5].map((job) => job + window - 2));
  });

  it("the worked example: worker 0 straggles in rounds 1 and 2, and job 1 is finished in round 4", () => {
    const scheme = mSgc({ workers: 4, burst: 2, window: 3, lambda: 2 });
    expect([scheme.delay, scheme.load]).toEqual([3, 0.375]);
    expect(loadBound({ workers: 4, burst: 2, window: 3, lambda: 2 })).toBeCloseTo(1 / 3, 15);
    expect(gc({ workers: 4, stragglers: 2 }).load).toBe(0.75);
    const { own, coded, load } = place(scheme, 32);
    expect(own.flat().map(({ from, to }) => to - from)).toEqual(new Array(8).fill(3));
    expect(coded.map((group) => group.map(({ from, to }) => to - from))).toEqual([
      [1, 1, 1, 1],
      [1, 1, 1, 1],
    ]);
    expect(load).toBe(0.375);
    const seen: number[][] = [];
    let state = begin(3);
    for (let r = 0; r < 5; r++) {
      const assigned = scheme.assign(state);
      for (const { job, tasks } of assigned) if (job === 1) seen.push([...tasks]);
      state = recordRound(scheme, state, assigned, r === 1 || r === 2 ? [0] : []);
    }
    expect(seen.map(([first]) => first)).toEqual([0, 0, 0, 1]);
    expect(seen.map(([, second]) => second)).toEqual([0, 1, 2, 3]);
    const progress = jobOf(scheme, state, 1);
    expect(decodable(scheme, progress)).toBe(true);
    expect([progress.coded[0], progress.coded[4]]).toEqual([0, 0]);
  });

  it("SR-SGC never repeats where at most s straggle in a round", () => {
    const scheme = srSgc({ workers: 8, burst: 2, window: 5, lambda: 6 });
    const { tolerance } = scheme.layout;
    expect(tolerance).toBe(2);
    const draws = random.rng(4);
    let state = begin(40);
    for (let r = 0; r < 40; r++) {
      const assigned = scheme.assign(state);
      expect(assigned.map(({ job }) => job)).toEqual([r]);
      const stragglers = Array.from(draws.permutation(8).data().slice(0, tolerance));
      expect(scheme.admits(state, assigned)(stragglers)).toBe(true);
      state = recordRound(scheme, state, assigned, stragglers);
    }
    expect(scheme.assign(state)).toEqual([]);
  });

  it("random admitted stragglers never cost a job: 1000 runs", () => {
    const rng = random.rng("runs");
    let straggled = 0;
    for (let k = 0; k < 1000; k++) {
      const scheme =
        k % 2 === 0
          ? mSgc({ workers: 32, burst: 3, window: 6, lambda: 8, model: k % 4 === 0 ? "bursty" : "arbitrary" })
          : srSgc({ workers: 32, burst: 3, window: 7, lambda: 12 });
      const chances = rng.uniform([20, 32]).data();
      play(scheme, 12, (r, admits) => {
        const chosen: number[] = [];
        for (let i = 0; i < 32; i++) if (chances[r * 32 + i] < 0.2 && admits([...chosen, i])) chosen.push(i);
        straggled += chosen.length;
        return chosen;
      });
    }
    expect(straggled).toBeGreaterThan(20_000);
  });

  it("every sample is in one chunk, whatever their number", () => {
    const schemes = [
      uncoded({ workers: 7 }),
      gc({ workers: 7, stragglers: 2 }),
      gc({ workers: 6, stragglers: 2, code: "fractional" }),
      srSgc({ workers: 7, burst: 2, window: 5, lambda: 4 }),
      mSgc({ workers: 7, burst: 2, window: 4, lambda: 3 }),
      mSgc({ workers: 7, burst: 2, window: 4, lambda: 0 }),
      mSgc({ workers: 7, burst: 2, window: 4, lambda: 7 }),
    ];
    for (const scheme of schemes) {
      for (const samples of [1, 5, 100, 1797, 2520 * 13]) {
        const { own, coded, load } = place(scheme, samples);
        const ranges = [...own.flat(), ...coded.flat()];
        let next = 0;
        for (const { from, to } of ranges) {
          expect(from).toBe(next);
          next = to;
        }
        expect(next).toBe(samples);
        expect(load).toBeGreaterThanOrEqual(scheme.load - 1e-12);
      }
    }
    // Where sizes divide, the load is that of the formula.
    const scheme = mSgc({ workers: 7, burst: 2, window: 4, lambda: 3 });
    expect(place(scheme, 7 * (2 + 3 * 4) * 5).load).toBeCloseTo(scheme.load, 14);
    expect(place(gc({ workers: 6, stragglers: 2 }), 600).load).toBe(0.5);
  });

  it("ignoring stragglers admits all but one, and takes any result", () => {
    const scheme = ignoreStragglers({ workers: 3 });
    expect(scheme.admits(begin(1), [])([0, 1])).toBe(true);
    expect(scheme.admits(begin(1), [])([0, 1, 2])).toBe(false);
    expect(play(scheme, 4, () => [0, 2])).toEqual([0, 1, 2, 3]);
  });

  it("refuses parameters that a scheme cannot have", () => {
    expect(() => srSgc({ workers: 8, burst: 2, window: 4, lambda: 2 })).toThrow(/it must divide window - 1 = 3/);
    expect(() => srSgc({ workers: 2, burst: 1, window: 2, lambda: 3 })).toThrow(/lambda is 3/);
    expect(() => srSgc({ workers: 2, burst: 2, window: 3, lambda: 2 })).not.toThrow();
    expect(() => srSgc({ workers: 1, burst: 1, window: 2, lambda: 1 })).toThrow(/lambda is 1; its code/);
    expect(() => mSgc({ workers: 8, burst: 3, window: 3, lambda: 2 })).toThrow(/burst is 3/);
    expect(() => mSgc({ workers: 8, burst: 1, window: 1, lambda: 2 })).toThrow(/window is 1/);
    expect(() => mSgc({ workers: 8, burst: 1, window: 2, lambda: 9 })).toThrow(/lambda is 9/);
    expect(() => mSgc({ workers: 8, burst: 1.5, window: 3, lambda: 2 })).toThrow(/burst is 1.5/);
    expect(() => mSgc({ workers: 8, burst: 1, window: 3, lambda: 2, model: "other" as never })).toThrow(/model is/);
    expect(() => gc({ workers: 4, stragglers: 4 })).toThrow(/stragglers is 4/);
    expect(() => gc({ workers: 4, straggler: 1 } as never)).toThrow(/did you mean "stragglers"/);
    expect(() => begin(0)).toThrow(/jobs is 0/);
  });
});
