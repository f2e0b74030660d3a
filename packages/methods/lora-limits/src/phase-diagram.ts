import { checkOptions, requireFunction, requireInteger, requirePositive, ValueError } from "@offprint/tensor-core";

/** Options of `phaseDiagram`. */
export interface PhaseDiagramOptions {
  /** Powers p of `B = (ln L)^p`, the largest entry of XW_Q and XW_K. Default .2, .3, .5, .6. */
  readonly powers?: readonly number[];
  /** Binary logarithms of L, >= 2. Default 10, 40, 160, 640, 2560. */
  readonly log2Lengths?: readonly number[];
  /** Logarithm of the relative error that is allowed, as a function of ln L. Default `-ln L`: epsilon = 1 / L. */
  readonly logEpsilon?: (logLength: number) => number;
}

/** One point of the diagram. */
export interface PhasePoint {
  /** p. */
  readonly power: number;
  /** log2 L. */
  readonly log2Length: number;
  /** d = round(ln L). */
  readonly dimensions: number;
  /** R = B^2. */
  readonly range: number;
  /** g: the least degree whose certified error is epsilon. */
  readonly degree: number;
  /** `ln C(d + g, g) / ln L`: the features are L to this power. */
  readonly exponent: number;
}

/**
 * How the number of features grows with the length, counted: below `B = sqrt(ln L)` its exponent falls to 0, above it
 * grows. All in logarithms, so that lengths of 2^2560 are no matter.
 *
 * @throws ValueError for options out of range.
 * @example
 * const rows = phaseDiagram({ powers: [0.3, 0.6], log2Lengths: [10, 100] });
 */
export function phaseDiagram(options: PhaseDiagramOptions = {}): PhasePoint[] {
  const owner = "phaseDiagram";
  checkOptions(owner, options, ["powers", "log2Lengths", "logEpsilon"]);
  const { powers = [0.2, 0.3, 0.5, 0.6], log2Lengths = [10, 40, 160, 640, 2560], logEpsilon = (l) => -l } = options;
  for (const [name, list] of Object.entries({ powers, log2Lengths })) {
    if (!Array.isArray(list)) throw new ValueError(`${owner}: ${name} is ${String(list)}; give a list of numbers`);
  }
  requireFunction(owner, "logEpsilon", logEpsilon);
  for (const power of powers) requirePositive(owner, "powers", power);
  for (const log2Length of log2Lengths) requireInteger(owner, "log2Lengths", log2Length, 2, 100_000);
  const points: PhasePoint[] = [];
  for (const power of powers) {
    for (const log2Length of log2Lengths) {
      const logLength = log2Length * Math.LN2;
      const target = logEpsilon(logLength);
      if (!(target < 0 && target >= -MOST)) {
        throw new ValueError(
          `${owner}: logEpsilon(${logLength}) is ${target}; it must be below 0, and not below ${-MOST}`,
        );
      }
      const dimensions = Math.round(logLength);
      const range = logLength ** (2 * power);
      if (range > MOST) {
        throw new ValueError(
          `${owner}: powers and log2Lengths hold ${power} and ${log2Length}, whose range is ${range}; it must be at most ${MOST}: lower one of them`,
        );
      }
      const degree = leastDegree(range, target);
      points.push({
        power,
        log2Length,
        dimensions,
        range,
        degree,
        exponent: logBinomial(dimensions, degree) / logLength,
      });
    }
  }
  return points;
}

/** Logarithms of factorials of larger degrees lose the target among their last bits, and degrees are no integers any more. */
const MOST = 1e12;

/** The least degree at which `2 e^R sum over k > g of I_k(R)` is small enough, by bisection: the bound falls with g. */
function leastDegree(range: number, logEpsilon: number): number {
  let high = 1;
  while (logTail(range, high) > logEpsilon) high *= 2;
  let low = Math.floor(high / 2);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (logTail(range, middle) > logEpsilon) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** By `I_k(R) <= (R / 2)^k / k! e^(R^2 / 4 (k + 1))` and a geometric remainder. */
function logTail(range: number, degree: number): number {
  const k = degree + 1;
  const ratio = range / (2 * (k + 1));
  if (ratio >= 1) return Infinity;
  const logBessel = k * Math.log(range / 2) - logFactorial(k) + range ** 2 / (4 * (k + 1));
  return Math.LN2 + range + logBessel - Math.log1p(-ratio);
}

function logBinomial(d: number, g: number): number {
  return logFactorial(d + g) - logFactorial(d) - logFactorial(g);
}

/** ln n!, exactly summed where that is short, by Stirling's series otherwise. */
function logFactorial(n: number): number {
  if (n < 64) {
    let sum = 0;
    for (let i = 2; i <= n; i++) sum += Math.log(i);
    return sum;
  }
  return n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + 1 / (12 * n) - 1 / (360 * n ** 3);
}
