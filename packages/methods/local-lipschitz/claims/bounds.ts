import { type Claim, figure } from "@offprint/claims";
import { type Method, published } from "./method.js";
import { type KnownBounds, knownBounds, sineBox, sineNetwork } from "./sine-networks.js";

const plain = { optimizeSlopes: false, tolerance: 0 } as const;

/** Branch and bound that knows which branches are empty is exact. */
export function exactness(method: Method = published, networks: readonly KnownBounds[] = knownBounds): Claim {
  return {
    id: "exactness",
    statement:
      "On small networks branch and bound gives the exact local Lipschitz constant once empty branches are left out",
    source: "Section 4.1",
    paper: "close to LipMIP and LipBaB",
    async run({ onProgress }) {
      let worst = 0;
      let between = true;
      let least = Number.POSITIVE_INFINITY;
      const cases = networks.filter(({ exact }) => exact !== undefined);
      for (const [k, known] of cases.entries()) {
        const [network, box] = [sineNetwork(known.dims), sineBox(known.dims[0], known.eps)];
        const outputs = [known.row];
        const { value, domains } = await method.localLipschitz(network, box, {
          ...{ ...plain, outputs, refresh: "both", leafFeasibility: true, maxDomains: 4000 },
        });
        const [enumerated] =
          known.eps > 0.1 || known.dims.length > 4
            ? [known.exact!]
            : await method.exactBound(network, box, { outputs });
        const tolerance = enumerated === known.exact ? 1e-6 : 1e-7;
        worst = Math.max(worst, Math.abs(value - enumerated) / tolerance);
        const without = await method.localLipschitz(network, box, { ...plain, outputs, refresh: "both" });
        const root = await method.localLipschitz(network, box, { ...plain, outputs, maxDomains: 0 });
        between &&= without.value >= known.exact! - 1e-6 && without.value <= root.value;
        least = Math.min(least, domains);
        await onProgress((k + 1) / cases.length);
      }
      return {
        measured: worst,
        holds: worst <= 1 && between,
        detail:
          `Differences from enumeration are at most ${figure(worst)} of the tolerance (1e-7, or the six digits that are known); ` +
          `without looking for empty branches results must lie between the exact value and the bound without branching, and ` +
          `${between ? "do" : "do not"}.`,
      };
    },
  };
}

/** The order of all bounds. */
export function ordering(method: Method = published): Claim {
  return {
    id: "ordering",
    statement:
      "The bound is tighter than RecurJac, FastLip, intervals and the product of norms, and branching tightens it",
    source: "Table 2",
    paper: "tighter than RecurJac",
    async run({ onProgress }) {
      let [ordered, digits] = [true, true];
      const rows: number[][] = [];
      for (const [k, known] of knownBounds.entries()) {
        const [network, box] = [sineNetwork(known.dims), sineBox(known.dims[0], known.eps)];
        const outputs = [known.row];
        const root = async (more: object) =>
          (await method.localLipschitz(network, box, { ...plain, outputs, maxDomains: 0, points: 10, ...more })).value;
        const linear = await root({});
        const recurjac = await root({ relaxation: "recurjac" });
        const fastlip = await root({ relaxation: "interval" });
        const interval = await root({ relaxation: "interval", forward: "interval" });
        const branched = (
          await method.localLipschitz(network, box, { ...plain, outputs, refresh: "both", batchSize: 1 })
        ).value;
        const [sample] = method.sampleBound(network, box, { outputs, points: 1000 });
        const [global] = method.globalBound(network, { outputs });
        const chain = [
          sample,
          ...(known.exact === undefined ? [] : [known.exact]),
          branched,
          linear,
          recurjac,
          fastlip,
          interval,
          global,
        ];
        ordered &&= chain.every((value, i) => i === 0 || chain[i - 1] <= value * (1 + 1e-6));
        const close = (a: number, b: number) => Math.abs(a - b) <= 1e-5;
        digits &&= close(linear, known.linear) && close(recurjac, known.recurjac) && close(fastlip, known.fastlip);
        rows.push([sample, known.exact ?? Number.NaN, branched, linear, recurjac, fastlip, interval, global]);
        await onProgress((k + 1) / knownBounds.length);
      }
      const names = ["sample", "exact", "branched", "linear", "RecurJac", "FastLip", "interval", "global"];
      return {
        measured: { "linear / RecurJac": rows[2][3] / rows[2][4], "branched / linear": rows[2][2] / rows[2][3] },
        holds: ordered && digits,
        detail:
          `On ${rows.length} networks sample <= exact <= branched <= linear <= RecurJac <= FastLip <= interval <= global must ` +
          `hold (${ordered}), and linear, RecurJac, FastLip agree with known values to 1e-5 (${digits}).`,
        tables: [
          {
            title: "Local Lipschitz constants, from linf",
            columns: ["network, eps, row", ...names],
            rows: rows.map((row, k) => {
              const { dims, eps, row: output } = knownBounds[k];
              return [
                `${dims.join("-")}, ${eps}, ${output}`,
                ...row.map((value) => (Number.isNaN(value) ? null : value)),
              ];
            }),
          },
        ],
      };
    },
  };
}

/** The score of areas against chance. */
export function branching(method: Method = published): Claim {
  return {
    id: "branching",
    statement: "Splitting where the relaxation's area is largest takes fewer branches than splitting anywhere",
    source: "Section 3.4",
    paper: "89 against 217 in a prototype",
    async run({ seed }) {
      const [dims, eps, outputs] = [[6, 10, 10, 3], 0.2, [0]];
      const [network, box] = [sineNetwork(dims), sineBox(6, eps)];
      const options = { ...plain, outputs, refresh: "both", batchSize: 1, points: 10 } as const;
      const area = await method.localLipschitz(network, box, { ...options, heuristic: "area" });
      let random = 0;
      for (let k = 0; k < 3; k++) {
        const run = await method.localLipschitz(network, box, {
          ...options,
          heuristic: "random",
          seed: `${seed}/${k}`,
        });
        random += run.domains / 3;
      }
      const wide = await method.localLipschitz(network, sineBox(6, 0.5), {
        ...options,
        heuristic: "area",
        maxDomains: 101,
      });
      return {
        measured: { area: area.domains, random },
        holds: area.status === "converged" && area.domains < random && wide.value <= 5.3,
        detail:
          `Branches until nothing is left to split: ${area.domains} by area, ${figure(random)} by chance (mean of 3), which must ` +
          `be more; with 101 branches the bound at eps 0.5 is ${figure(wide.value)} (5.3 at most).`,
        series: [
          {
            kind: "line",
            title: "Bound over branches, eps 0.5",
            x: { label: "branches" },
            y: { label: "bound" },
            curves: [
              {
                name: "area",
                x: wide.history.map(({ domains }) => domains),
                y: wide.history.map(({ value }) => value),
              },
            ],
          },
        ],
      };
    },
  };
}

/** Optimised slopes. */
export function slopeOptimisation(method: Method = published): Claim {
  return {
    id: "slope-optimisation",
    statement: "Optimising the lower slopes of the neurons never makes a bound worse, and decides further neurons",
    source: "Section 3.2",
    paper: "1.387595 of 1.860346 in the reference library",
    async run() {
      let worse = 0;
      const pairs: [number, number][] = [];
      for (const [dims, eps, row] of [
        [[8, 16, 16, 16, 2], 0.1, 0],
        [[8, 16, 16, 16, 2], 0.1, 1],
        [[8, 16, 16, 16, 2], 0.2, 0],
        [[6, 10, 10, 3], 0.2, 1],
      ] as const) {
        const bound = async (optimizeSlopes: boolean) => {
          const options = { outputs: [row], maxDomains: 0, points: 10, optimizeSlopes };
          return (await method.localLipschitz(sineNetwork(dims), sineBox(dims[0], eps), options)).value;
        };
        const pair: [number, number] = [await bound(true), await bound(false)];
        worse = Math.max(worse, pair[0] - pair[1]);
        pairs.push(pair);
      }
      return {
        measured: pairs[1][0],
        holds: worse <= 0 && pairs[1][0] <= 1.4,
        detail:
          `Bounds with and without: ${pairs.map(([a, b]) => `${figure(a)} and ${figure(b)}`).join(", ")}; none may be larger ` +
          `with it, and the second must be at most 1.40.`,
      };
    },
  };
}
