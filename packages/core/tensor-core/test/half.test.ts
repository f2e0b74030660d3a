import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bfloatToNumber, halfToNumber, numberToBfloat, numberToHalf } from "../src/bytes/half.js";

describe("half-precision numbers", () => {
  it("every binary16 number survives", () => {
    const changed = Array.from({ length: 65536 }, (_, h) => h).filter((h) => {
      const value = halfToNumber(h);
      return Number.isNaN(value) ? !Number.isNaN(halfToNumber(numberToHalf(value))) : numberToHalf(value) !== h;
    });
    expect(changed).toEqual([]);
  });

  it("rounding picks the nearest, ties to even", () => {
    fc.assert(
      fc.property(fc.float({ min: -70000, max: 70000, noNaN: true }), (v) => {
        const h = numberToHalf(v);
        const error16 = Math.abs(halfToNumber(h) - v);
        for (const near of [h - 1, h + 1]) {
          if (near < 0 || near > 65535 || (near & 0x7c00) === 0x7c00 || (h & 0x7c00) === 0x7c00) continue;
          const other = Math.abs(halfToNumber(near) - v);
          expect(error16 < other || (error16 === other && h % 2 === 0)).toBe(true);
        }
        const b = numberToBfloat(v);
        expect(Math.abs(bfloatToNumber(b) - v)).toBeLessThanOrEqual(Math.abs(bfloatToNumber(b ^ 1) - v));
      }),
    );
    expect([65519, 65520, Infinity, -Infinity].map(numberToHalf)).toEqual([0x7bff, 0x7c00, 0x7c00, 0xfc00]);
    expect(bfloatToNumber(numberToBfloat(Number.NaN))).toBeNaN();
    expect(bfloatToNumber(numberToBfloat(Infinity))).toBe(Infinity);
  });
});
