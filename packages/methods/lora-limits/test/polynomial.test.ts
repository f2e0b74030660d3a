import { concatenate, matmul, mul, random, type Tensor, transpose } from "@offprint/tensor-core";
import { errorLike, expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  expPolynomial,
  featureCount,
  monomialFeatures,
  NormExceededError,
  normReport,
  phaseDiagram,
} from "../src/index.js";

const value = (coefficients: Float64Array, x: number) => coefficients.reduceRight((sum, a) => sum * x + a, 0);

describe("expPolynomial", () => {
  it("is as near to exp as it says, and not much nearer", () => {
    for (const kind of ["chebyshev", "taylor"] as const) {
      for (const [range, degree] of [
        [1, 4],
        [1, 6],
        [1, 8],
        [2, 6],
        [2, 8],
        [4, 12],
        [0.1, 3],
      ]) {
        const { coefficients, relativeError } = expPolynomial(range, { degree, kind });
        let error = 0;
        for (let i = 0; i <= 2000; i++) {
          const x = range * (i / 1000 - 1);
          error = Math.max(error, Math.abs(value(coefficients, x) / Math.exp(x) - 1));
        }
        expect(error).toBeLessThanOrEqual(relativeError * (1 + 1e-9) + 1e-15);
        expect(error).toBeGreaterThan(0.4 * relativeError);
      }
    }
  });

  it("has the errors that were measured elsewhere", () => {
    const error = (range: number, degree: number) => expPolynomial(range, { degree }).relativeError;
    for (const [range, degree, least] of [
      [1, 4, 1.4e-3],
      [1, 6, 8.2e-6],
      [2, 8, 4.1e-5],
      [4, 12, 1.7e-4],
    ]) {
      expect(error(range, degree) / least).toBeGreaterThan(1);
      expect(error(range, degree) / least).toBeLessThan(1.35);
    }
  });

  it("takes the least degree for an error, is positive below an error of 1, and 1 at R = 0", () => {
    const { degree, relativeError, coefficients } = expPolynomial(2, { epsilon: 1e-4 });
    expect(relativeError).toBeLessThanOrEqual(1e-4);
    expect(expPolynomial(2, { degree: degree - 1 }).relativeError).toBeGreaterThan(1e-4);
    for (let x = -2; x <= 2; x += 0.01) expect(value(coefficients, x)).toBeGreaterThan(0);
    expect(expPolynomial(0)).toMatchObject({ degree: 0, relativeError: 0 });
  });

  it("is Taylor's where R vanishes, of any degree: no power of R leaves the range of numbers", () => {
    for (const range of [0, 1e-200, 1e-80, 1e-6]) {
      const { coefficients } = expPolynomial(range, { degree: 12 });
      let factorial = 1;
      for (const [k, coefficient] of coefficients.entries()) {
        if (k > 0) factorial *= k;
        expect(coefficient * factorial).toBeCloseTo(1, 10);
      }
    }
  });

  it("refuses what it cannot do", () => {
    for (const kind of ["chebyshev", "taylor"] as const) {
      expect(() => expPolynomial(701, { degree: 6, kind })).toThrow(NormExceededError);
    }
    expect(() => expPolynomial(1e40, { degree: 6 })).toThrow("whose exp is beyond the range of numbers");
    expect(() => expPolynomial(11)).toThrow(NormExceededError);
    expect(() => expPolynomial(11)).toThrow("above 10 no polynomial in powers holds them");
    expect(() => expPolynomial(Number.NaN)).toThrow("range is NaN");
    expect(() => expPolynomial(1, { degree: -1 })).toThrow("degree is -1; it must be an integer from 0 to 60");
    expect(() => expPolynomial(1, { epsilon: 1 })).toThrow("epsilon is 1; it must be in (0, 1)");
    expect(() => expPolynomial(9, { epsilon: 1e-300 })).toThrow("no degree up to 60");
    expect(() => expPolynomial(1, { kind: "pade" as "taylor" })).toThrow("kind");
  });
});

describe("monomialFeatures", () => {
  it("multiply to the polynomial of every product, with C(d + g, g) columns", () => {
    const rng = random.rng(1);
    for (const kind of ["chebyshev", "taylor"] as const) {
      for (const [d, degree] of [
        [1, 5],
        [2, 4],
        [4, 6],
        [7, 3],
        [3, 0],
      ]) {
        const polynomial = expPolynomial(3, { degree, kind });
        const q = mul(rng.normal([6, d], { dtype: "float64" }), 0.5);
        const k = mul(rng.normal([5, d], { dtype: "float64" }), 0.5);
        const left = monomialFeatures(q, polynomial);
        const right = monomialFeatures(k, polynomial);
        expect(left.features.shape[1]).toBe(featureCount(d, degree));
        const products = matmul(q, transpose(k));
        const expected = products.data().map((x: number) => value(polynomial.coefficients, x));
        const found = matmul(mul(left.features, left.signs), transpose(right.features));
        expectClose(found, expected, { absolute: 1e-12 });
      }
    }
    expect([featureCount(4, 6), featureCount(8, 4), featureCount(16, 3), featureCount(64, 2)]).toEqual([
      210, 495, 969, 2145,
    ]);
  });

  it("of the zero vector are the constant alone", () => {
    const { features } = monomialFeatures([[0, 0, 0]], expPolynomial(1, { degree: 3 }));
    expect(
      features
        .data()
        .slice(1)
        .every((x: number) => x === 0),
    ).toBe(true);
    expect(features.data()[0]).toBeGreaterThan(0);
    expect(() => monomialFeatures([1, 2], expPolynomial(1))).toThrow("x has shape [2]");
    expect(() => monomialFeatures([[Number.NaN]], expPolynomial(1))).toThrow("x holds NaN");
    expect(() => monomialFeatures([[1]], null as never)).toThrow("polynomial is null; give what expPolynomial gives");
    expect(() => monomialFeatures([[1]], { degree: 3 } as never)).toThrow("no coefficients for degree 3; give 4");
    const holed = { ...expPolynomial(1, { degree: 1 }), coefficients: Float64Array.of(1, Number.NaN) };
    expect(() => monomialFeatures([[1]], holed)).toThrow("the list of coefficients holds NaN at position 1");
    expect(() => featureCount(-1, 2)).toThrow("dimensions is -1");
    expect(() => featureCount(4, 2.5)).toThrow("degree is 2.5");
  });
});

describe("normReport and phaseDiagram", () => {
  const rng = random.rng(2);
  const draw = (shape: number[], size = 1) => mul(rng.normal(shape, { dtype: "float64" }), size);

  it("says linear for long sequences of small norm, quadratic for large norms and for wide heads", () => {
    const x = draw([4000, 4]);
    const head = (size: number) => ({ q: draw([4, 3], size), k: draw([4, 3], size), v: draw([4, 3]) });
    const small = normReport(x, head(0.2));
    expect(small.verdict).toBe("linear");
    expect(small.gamma).toBe(Math.max(...Object.values(small.gammas)));
    expect(small.threshold).toBeCloseTo(Math.sqrt(Math.log(4000)), 12);
    expect(small.flopsAlmostLinear).toBe(4000 * (small.features ?? 0) * 9);
    const large = normReport(x, head(5));
    expect(large).toMatchObject({ verdict: "quadratic", degree: undefined, flopsAlmostLinear: Infinity });
    const wide = normReport(draw([300, 70]), { q: draw([70, 64], 0.03), k: draw([70, 64], 0.03), v: draw([70, 64]) });
    expect(wide.verdict).toBe("quadratic");
    const b = draw([4, 1]);
    const adapted = normReport(x, { ...head(0.1), q: { weight: draw([4, 3]), b, a: draw([1, 3]), alpha: 2 } });
    expect(Object.keys(adapted.gammas)).toEqual(["XW_Q*", "XBA_Q", "XW_K*", "XW_V*"]);
  });

  it("takes a bias for a weight of an entry that is always 1, and the mean key away where asked to", () => {
    const [x, bias] = [draw([50, 4]), draw([3], 2)];
    const [q, k, v] = [draw([4, 3], 0.3), draw([4, 3], 0.3), draw([4, 3], 0.3)];
    const ones = mul(x.slice([null, { stop: 1 }]), 0).add(1);
    const tall = concatenate([k, bias.reshape([1, 3])]);
    const other = (w: Tensor) => concatenate([w, mul(bias.reshape([1, 3]), 0)]);
    const biased = normReport(x, { q, k: { weight: k, bias }, v });
    const widened = normReport(concatenate([x, ones], 1), { q: other(q), k: tall, v: other(v) });
    expectClose(Object.values(biased.gammas), Object.values(widened.gammas), 1e-12);
    expect(biased.range).toBeCloseTo(widened.range, 12);
    const centred = normReport(x, { q, k: { weight: k, bias }, v }, { center: true });
    expect(centred.range).toBeCloseTo(normReport(x, { q, k, v }, { center: true }).range, 12);
    expect(centred.range).toBeLessThan(biased.range);
    expect(() => normReport(x, { q, k, v }, { center: 1 as never })).toThrow("center is 1");
  });

  it("counts exponents as a second program did", () => {
    const points = phaseDiagram();
    const of = (power: number) =>
      points.filter((point) => point.power === power).map(({ exponent }) => exponent.toFixed(2));
    expect(of(0.2)).toEqual(["1.27", "1.13", "0.97", "0.85", "0.74"]);
    expect(of(0.3)).toEqual(["1.42", "1.37", "1.23", "1.09", "0.97"]);
    expect(of(0.5)).toEqual(["1.89", "2.11", "2.17", "2.19", "2.20"]);
    expect(of(0.6)).toEqual(["2.20", "2.61", "2.89", "3.15", "3.40"]);
    expect(() => phaseDiagram({ powers: [0] })).toThrow("powers");
    expect(() => phaseDiagram({ logEpsilon: () => 1 })).toThrow("must be below 0");
  });

  it("refuses diagrams whose degrees cannot be counted, and what are no lists", () => {
    const refused = (options: object, message: string) =>
      expect(() => phaseDiagram(options)).toThrow(errorLike("ValueError", new RegExp(message)));
    refused(
      { powers: [5], log2Lengths: [100_000] },
      "powers and log2Lengths hold 5 and 100000, whose range is .* at most",
    );
    expect(phaseDiagram({ powers: [1], log2Lengths: [100_000] })[0]?.exponent).toBeGreaterThan(1);
    refused({ logEpsilon: () => -Infinity }, "is -Infinity; it must be below 0, and not below");
    refused({ powers: 0.5 }, "powers is 0.5; give a list");
    refused({ log2Lengths: 10 }, "log2Lengths is 10; give a list");
    refused({ logEpsilon: -3 }, "logEpsilon is -3; give a function");
    const epsilon = "1e-4" as unknown as number;
    expect(() => normReport([[1]], { q: [[1]], k: [[1]], v: [[1]] }, { epsilon })).toThrow('epsilon is "1e-4"');
    expect(() => expPolynomial("1" as unknown as number)).toThrow('range is "1"');
  });
});
