import type { Variable } from "../src/index.js";
import type { Problem } from "./problems.js";

const unit = (d: number): Variable[] => Array.from({ length: d }, () => ({ kind: "real", lower: 0, upper: 1 }));
const numbers = (settings: readonly (string | number)[]) => settings.map(Number);

/** The last k = d - m + 1 variables, which say how far from the front a point is. */
const lastOf = (x: readonly number[], m: number) => x.slice(m - 1);

function ruggedDistance(x: readonly number[], m: number): number {
  const last = lastOf(x, m);
  return 100 * (last.length + last.reduce((sum, v) => sum + (v - 0.5) ** 2 - Math.cos(20 * Math.PI * (v - 0.5)), 0));
}

function smoothDistance(x: readonly number[], m: number): number {
  return lastOf(x, m).reduce((sum, v) => sum + (v - 0.5) ** 2, 0);
}

/** Values on a sphere of radius 1 + g, from m - 1 angles. */
function onSphere(angles: readonly number[], g: number, m: number): number[] {
  return Array.from({ length: m }, (_, i) => {
    const cosines = angles.slice(0, m - 1 - i).reduce((product, angle) => product * Math.cos(angle), 1 + g);
    return i === 0 ? cosines : cosines * Math.sin(angles[m - 1 - i]);
  });
}

function problem(d: number, m: number, reference: number, f: (x: number[]) => number[]): Problem {
  return {
    space: unit(d),
    objective: (settings) => f(numbers(settings)),
    maximize: false,
    reference: new Array<number>(m).fill(reference),
  };
}

/** DTLZ1: a plane of sum 1/2 behind many local fronts. */
export function dtlz1(d = 5, m = 2): Problem {
  return problem(d, m, 400, (x) => {
    const size = 0.5 * (1 + ruggedDistance(x, m));
    return Array.from({ length: m }, (_, i) => {
      const product = x.slice(0, m - 1 - i).reduce((sofar, v) => sofar * v, size);
      return i === 0 ? product : product * (1 - x[m - 1 - i]);
    });
  });
}

/** DTLZ3: a unit sphere behind many local fronts. */
export function dtlz3(d = 5, m = 2): Problem {
  return problem(d, m, 10_000, (x) =>
    onSphere(
      x.slice(0, m - 1).map((v) => (Math.PI / 2) * v),
      ruggedDistance(x, m),
      m,
    ),
  );
}

/** DTLZ5: a curve on the unit sphere. */
export function dtlz5(d = 20, m = 3): Problem {
  return problem(d, m, 10, (x) => {
    const g = smoothDistance(x, m);
    const angles = x.slice(0, m - 1).map((v, i) => (Math.PI / 2) * (i === 0 ? v : (1 + 2 * g * v) / (2 * (1 + g))));
    return onSphere(angles, g, m);
  });
}

/** DTLZ7: a front in pieces. */
export function dtlz7(d = 20, m = 3): Problem {
  return problem(d, m, 15, (x) => {
    const last = lastOf(x, m);
    const g = 1 + (9 / last.length) * last.reduce((sum, v) => sum + v, 0);
    const first = x.slice(0, m - 1);
    const h = m - first.reduce((sum, f) => sum + (f / (1 + g)) * (1 + Math.sin(3 * Math.PI * f)), 0);
    return [...first, (1 + g) * h];
  });
}

/** `ij:coefficient` of Vi Vj, `0` the constant. */
const OIL = [
  "0:-197.0928 1:-78.3309 2:98.6355 3:300.0701 4:89.8360 5:208.2343 6:332.9341 7:135.6621 12:-11.0715 13:201.8934 14:17.1270 15:2.5198 16:-109.3922 17:30.1607 23:-46.1790 24:19.2888 25:-102.9493 26:-19.1245 27:53.6297 34:-73.0649 35:-37.7181 36:-219.1268 37:-55.3704 45:3.8778 46:-6.9252 47:-105.1650 56:-34.3181 57:-36.3892 67:-82.3222 11:-16.7536 22:-45.6507 33:-91.4134 55:-76.8701",
  "0:-212.8531 1:245.7998 2:-127.3395 3:305.8461 4:638.1605 5:301.2118 6:-451.3796 7:-115.5485 12:42.8351 13:262.3775 14:-103.5274 15:-196.1568 16:-394.7975 17:-176.3341 23:74.8291 24:4.1557 25:-133.8683 26:65.8711 27:-42.6911 34:-323.9363 35:-107.3983 36:-323.2353 37:46.9172 45:-144.4199 46:272.3729 47:49.0799 56:318.4706 57:-236.2498 67:252.4848 44:-286.0182 66:393.5992",
  "0:7.7696 1:15.4344 2:-10.6190 3:-17.9367 4:17.1385 5:2.5026 6:-24.3010 7:10.6058 12:-1.2041 13:-37.2207 14:-3.2265 15:7.3121 16:52.3994 17:9.7485 23:-15.9371 24:-1.1706 25:-2.6297 26:7.0225 27:-1.4938 34:30.2786 35:14.5061 36:48.5021 37:-11.4857 45:-3.1381 46:-14.9747 47:4.5204 56:-17.6907 57:-19.2489 67:-9.8219 11:-18.7356 22:12.1928 44:-17.5460 55:5.4997 66:-26.2718",
].map((text) =>
  text.split(" ").map((term) => {
    const [places, coefficient] = term.split(":");
    return {
      places: places === "0" ? [] : [...places].map((digit) => Number(digit) - 1),
      coefficient: Number(coefficient),
    };
  }),
);

const LEVELS = [
  undefined,
  [0.7, 1, 1.4, 1.7, 2],
  [12, 15, 18, 21, 24],
  [0.12, 0.135, 0.15, 0.165, 0.18],
  undefined,
  [16, 20, 26, 28],
  [0.41, 0.6, 0.84, 1.32],
];

/** Oil sorbents: seven variables, five of them of levels, and three objectives, to be minimised. */
export function oil(): Problem {
  return {
    space: LEVELS.map(
      (levels): Variable =>
        levels === undefined
          ? { kind: "real", lower: 0, upper: 1 }
          : { kind: "integer", lower: 0, upper: levels.length - 1 },
    ),
    objective: (settings) => {
      const v = numbers(settings).map((each, j) => {
        const levels = LEVELS[j];
        return levels === undefined ? each : levels[each] / levels[levels.length - 1];
      });
      return OIL.map(
        (terms) =>
          -terms.reduce(
            (sum, { places, coefficient }) => sum + places.reduce((product, j) => product * v[j], coefficient),
            0,
          ),
      );
    },
    maximize: false,
    reference: [125.3865, 57.8292, -43.2665],
  };
}
