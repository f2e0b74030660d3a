import { type Claim, figure } from "@offprint/claims";
import { type Method, published } from "./method.js";

/** The loads of the paper's experiment and those of the lower bound. */
export function loads(method: Method = published): Claim {
  return {
    id: "loads",
    statement: "M-SGC's load is near that without redundancy, and meets the lower bound where lambda is n - 1 or n",
    source: "Table 1, Theorem 4.1",
    paper: ".0075, .0508, .0625, .0039",
    run() {
      const workers = 256;
      const m = method.mSgc({ workers, burst: 1, window: 2, lambda: 27 });
      const found = [
        m,
        method.srSgc({ workers, burst: 2, window: 3, lambda: 23 }),
        method.gc({ workers, stragglers: 15 }),
        method.uncoded({ workers }),
      ].map(({ load }) => load);
      const paper = [0.0075, 0.0508, 0.0625, 0.0039];
      const table = found.every((load, k) => Math.abs(load - paper[k]) < 5.1e-5);
      const gap = (lambda: number, window: number, n = 20, burst = 2) =>
        method.mSgc({ workers: n, burst, window, lambda }).load -
        method.loadBound({ workers: n, burst, window, lambda });
      const windows = [3, 4, 8, 16, 32, 64];
      const tight = Math.max(...windows.flatMap((W) => [Math.abs(gap(19, W)), Math.abs(gap(20, W))]));
      const scaled = windows.map((W) => gap(6, W) * W);
      const above = scaled.every((each) => each >= 0);
      const bounded = Math.max(...scaled) <= 3 * Math.min(...scaled);
      // Whole samples: c = 2 of them.
      const samples = 2 * workers * (1 + 28);
      const built = method.place(m, samples).load;
      return {
        measured: found[0],
        holds: table && tight <= 1e-12 && above && bounded && Math.abs(built - m.load) <= 1e-12,
        detail:
          `Loads ${found.map((load) => figure(load)).join(", ")} must be the paper's; the bound is met to ${figure(tight)} for lambda = n - 1 and n ` +
          `(1e-12 at most); (load - bound) W must stay within a factor 3 for W from 3 to 64, and runs from ` +
          `${figure(Math.min(...scaled))} to ${figure(Math.max(...scaled))}; chunks of whole samples give ${figure(built)}.`,
      };
    },
  };
}
