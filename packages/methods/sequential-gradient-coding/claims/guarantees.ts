import type { Claim, ClaimTable } from "@offprint/claims";
import {
  begin,
  decodable,
  isArbitrary,
  isBursty,
  isPerRound,
  jobOf,
  recordRound,
  type Scheme,
  type SchemeState,
} from "../src/index.js";
import { type Method, published } from "./method.js";

const workers = 3;
const jobs = 2;
const settings = [
  { burst: 1, window: 2, lambda: 2 },
  { burst: 1, window: 2, lambda: 1 },
  { burst: 1, window: 3, lambda: 2 },
  { burst: 2, window: 3, lambda: 2 },
  { burst: 2, window: 3, lambda: 3 },
];
const subsets = Array.from({ length: 2 ** workers }, (_, mask) =>
  Array.from({ length: workers }, (_, i) => i).filter((i) => mask & (1 << i)),
);

interface Found {
  patterns: number;
  failures: number;
}

/** Goes through all patterns that fit a model, round by round: a pattern fits only where its beginning does. */
function explore(scheme: Scheme, fits: (pattern: boolean[][]) => boolean): Found {
  const found: Found = { patterns: 0, failures: 0 };
  const rounds = jobs + scheme.delay;
  const pattern: boolean[][] = Array.from({ length: workers }, () => []);
  const go = (state: SchemeState, failed: boolean): void => {
    const r = state.round;
    if (r === rounds) {
      found.patterns += 1;
      found.failures += Number(failed);
      return;
    }
    const assigned = scheme.assign(state);
    for (const stragglers of subsets) {
      for (const [i, row] of pattern.entries()) row.push(stragglers.includes(i));
      if (fits(pattern)) {
        const next = recordRound(scheme, state, assigned, stragglers);
        const due = r - scheme.delay;
        go(next, failed || (due >= 0 && !decodable(scheme, jobOf(scheme, next, due))));
      }
      for (const row of pattern) row.pop();
    }
  };
  go(begin(jobs), false);
  return found;
}

/** Every pattern of a scheme's models is made up for, checked one by one. */
export function guarantees(method: Method = published): Claim {
  return {
    id: "guarantees",
    statement: "Every job is finished in time for every pattern of stragglers of the scheme's models",
    source: "Propositions 3.1 and 3.2",
    paper: "no failure",
    run() {
      let [patterns, failures, beyond] = [0, 0, 0];
      const rows: (string | number)[][] = [];
      for (const { burst, window, lambda } of settings) {
        const sr = method.srSgc({ workers, burst, window, lambda });
        const m = method.mSgc({ workers, burst, window, lambda });
        const bursty = (most: number) => (P: boolean[][]) => isBursty(P, { burst, window, lambda: most });
        const arbitrary = { times: burst, window: window + burst - 1, lambda };
        const all: [string, Found][] = [
          ["SR-SGC, bursty", explore(sr, bursty(lambda))],
          ["SR-SGC, per round", explore(sr, (P) => isPerRound(P, sr.layout.tolerance))],
          ["M-SGC, bursty", explore(m, bursty(lambda))],
          ["M-SGC, arbitrary", explore(m, (P) => isArbitrary(P, arbitrary))],
        ];
        for (const [name, found] of all) {
          patterns += found.patterns;
          failures += found.failures;
          rows.push([`(${burst}, ${window}, ${lambda})`, name, found.patterns, found.failures]);
        }
        // The converse: one straggler more is too much for some pattern.
        if (lambda === workers) continue;
        const more = explore(m, bursty(lambda + 1));
        beyond += Number(more.failures > 0);
        rows.push([`(${burst}, ${window}, ${lambda})`, "M-SGC, one straggler more", more.patterns, more.failures]);
      }
      const tables: ClaimTable[] = [
        {
          title: "All patterns of three workers and two jobs",
          columns: ["B, W, lambda", "scheme, model", "patterns", "failures"],
          rows,
        },
      ];
      const converse = settings.filter(({ lambda }) => lambda < workers).length;
      return {
        measured: failures,
        holds: failures === 0 && beyond === converse,
        detail:
          `${failures} of ${patterns} patterns fail, which must be none; with one straggler more than lambda some pattern ` +
          `must fail, as it does in ${beyond} of ${converse} settings.`,
        tables,
      };
    },
  };
}
