/** Whole numbers as sums of products of named extents: `2 N L + 1`. */
export interface Formula {
  readonly terms: readonly Term[];
}

/** `factor` times the product of the extents, each to a power of 0, 1 or 2. */
export interface Term {
  readonly factor: number;
  readonly powers: readonly number[];
}

/** Extents that are tried for each name: primes, so that products of them are told from other numbers. */
const TRIED = [
  [1009, 1013, 1019],
  [1021, 1031, 1033],
  [1039, 1049, 1051],
];
const CHECKED = [1061, 1063, 1069];

/** Names that a function can have open at once. */
export const MOST_NAMES = TRIED.length;

/** Extents for `count` names: every combination that is tried, then one that checks what was found. */
export function samples(count: number): number[][] {
  const grid = TRIED.slice(0, count).reduce<number[][]>(
    (all, values) => all.flatMap((head) => values.map((value) => [...head, value])),
    [[]],
  );
  return [...grid, CHECKED.slice(0, count)];
}

/** Whether a number that was found with the samples depends on a name. */
export function isOpen(n: number): boolean {
  return n > 0 && [...TRIED.flat(), ...CHECKED].some((prime) => n % prime === 0);
}

/** The formula with the given values at `samples(count)`; undefined where there is none. */
export function formulaOf(values: readonly number[], count: number): Formula | undefined {
  let coefficients = values.slice(0, -1);
  for (let name = 0; name < count; name++) coefficients = alongName(coefficients, name, count);
  const terms = coefficients.flatMap((factor, place): Term[] => {
    const powers = Array.from({ length: count }, (_, name) => Math.floor(place / 3 ** (count - 1 - name)) % 3);
    return factor === 0 ? [] : [{ factor, powers }];
  });
  const formula = { terms };
  if (!terms.every(({ factor }) => Number.isSafeInteger(factor))) return undefined;
  return evaluate(formula, CHECKED) === values[values.length - 1] ? formula : undefined;
}

/** Values at three extents of one name become the coefficients of its powers (Newton's divided differences). */
function alongName(values: readonly number[], name: number, count: number): number[] {
  const stride = 3 ** (count - 1 - name);
  const [x0, x1, x2] = TRIED[name];
  const out = [...values];
  for (let place = 0; place < values.length; place++) {
    if (Math.floor(place / stride) % 3 !== 0) continue;
    const [v0, v1, v2] = [0, 1, 2].map((k) => values[place + k * stride]);
    const slope = (v1 - v0) / (x1 - x0);
    const bend = ((v2 - v1) / (x2 - x1) - slope) / (x2 - x0);
    out[place] = v0 - slope * x0 + bend * x0 * x1;
    out[place + stride] = slope - bend * (x0 + x1);
    out[place + 2 * stride] = bend;
  }
  return out;
}

function evaluate({ terms }: Formula, extents: readonly number[]): number {
  return terms.reduce(
    (sum, { factor, powers }) =>
      sum + powers.reduce((product, power, name) => product * extents[name] ** power, factor),
    0,
  );
}

/** The number that a formula without names is. */
export function constantOf({ terms }: Formula): number | undefined {
  if (terms.length === 0) return 0;
  return terms.length === 1 && terms[0].powers.every((power) => power === 0) ? terms[0].factor : undefined;
}

/** The formula as a text: the name itself, or `2*N+1`. */
export function textOf({ terms }: Formula, names: readonly string[]): string {
  const texts = terms.map(({ factor, powers }) => {
    const factors = powers.flatMap((power, name) => new Array<string>(power).fill(names[name]));
    return factor === 1 && factors.length > 0 ? factors.join("*") : [factor, ...factors].join("*");
  });
  return texts.reverse().join("+").replaceAll("+-", "-");
}
