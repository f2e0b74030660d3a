import { activation, applyActivation, type ScalarActivation } from "@offprint/networks";
import { hostTensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { activationLines, slopeIntervals } from "../src/activation-lines.js";
import { productLines } from "../src/gradient-lines.js";

const at = (...values: number[]) => Float64Array.of(...values);

describe("lines", () => {
  it("hold q = g s on a grid of all signs, and touch it at the ends", () => {
    const ends = [-2, -0.5, 0, 1e-13, 0.7, 3];
    const slopes = [
      [0, 1],
      [0.1, 1],
      [-1, 1],
      [1, 1],
      [0, 0],
      [-0.2, 0.4],
    ];
    for (const relaxation of ["linear", "recurjac", "interval"] as const) {
      for (const gl of ends) {
        for (const gu of ends.filter((each) => each >= gl)) {
          for (const [lo, hi] of slopes) {
            const { us, ui, ls, li, lo: least, hi: most } = productLines(at(gl), at(gu), at(lo), at(hi), relaxation);
            expect([us, ui, ls, li].every(([value]) => Number.isFinite(value))).toBe(true);
            let inside = true;
            for (let a = 0; a <= 10; a++) {
              for (let b = 0; b <= 10; b++) {
                const g = gl + (a / 10) * (gu - gl);
                const q = g * (lo + (b / 10) * (hi - lo));
                inside &&= q <= us[0] * g + ui[0] + 1e-14 && q >= ls[0] * g + li[0] - 1e-14;
                inside &&= q <= most[0] + 1e-15 && q >= least[0] - 1e-15;
              }
            }
            expect([relaxation, gl, gu, lo, hi, inside]).toEqual([relaxation, gl, gu, lo, hi, true]);
            if (relaxation !== "linear") continue;
            for (const g of [gl, gu]) {
              expect(us[0] * g + ui[0]).toBeCloseTo(Math.max(lo * g, hi * g), 12);
              expect(ls[0] * g + li[0]).toBeCloseTo(Math.min(lo * g, hi * g), 12);
            }
          }
        }
      }
    }
  });

  it("hold activations and their slopes on intervals of all signs", () => {
    const kinds = [
      ...[
        "relu",
        "abs",
        "tanh",
        "sigmoid",
        "softplus",
        "softsign",
        "elu",
        "selu",
        "gelu",
        "silu",
        "clip",
        "hardSigmoid",
        "hardSwish",
      ],
      "leakyRelu",
      "identity",
    ] as const;
    const intervals = [
      [-3, -1],
      [-2, 0],
      [-2, 0.5],
      [-0.3, 2.5],
      [0, 2],
      [0.4, 3],
      [1, 1],
      [-8, 9],
    ];
    for (const kind of kinds) {
      const chosen = activation(kind as "relu") as ScalarActivation;
      for (const [l, u] of intervals) {
        const { us, ui, ls, li, lo, hi, argument } = activationLines(chosen, at(l), at(u));
        const z = Float64Array.from({ length: 201 }, (_, k) => l + (k / 200) * (u - l));
        const h = applyActivation(chosen, hostTensor(z, [1, 201], "float64")).data();
        const slopes = slopeIntervals(chosen, at(l), at(u), undefined);
        let inside = true;
        for (let k = 0; k < 201; k++) {
          inside &&= us[0] * z[k] + ui[0] >= h[k] - 1e-15 && ls[0] * z[k] + li[0] <= h[k] + 1e-15;
          inside &&= h[k] >= lo[0] && h[k] <= hi[0] && Math.abs(z[k]) <= argument[0];
          if (k === 0 || z[k] === z[k - 1]) continue;
          const slope = (h[k] - h[k - 1]) / (z[k] - z[k - 1]);
          inside &&= slope >= slopes.lo[0] - 1e-9 && slope <= slopes.hi[0] + 1e-9;
        }
        expect([kind, l, u, inside]).toEqual([kind, l, u, true]);
      }
    }
  });

  it("tanh and sigmoid have a tangent where chords would be loose", () => {
    for (const kind of ["tanh", "sigmoid"] as const) {
      const chosen = activation(kind) as ScalarActivation;
      const { us, ui, ls, li } = activationLines(chosen, at(-1, 0.5), at(3, 2));
      const value = (z: number) => applyActivation(chosen, hostTensor(at(z), [1, 1], "float64")).item();
      // Through the lower end, and below the line everywhere: the gap at the other end is what is left.
      expect(us[0] * -1 + ui[0]).toBeCloseTo(value(-1), 9);
      expect(ls[1] * 0.5 + li[1]).toBeCloseTo(value(0.5), 9);
      expect(ls[1] * 2 + li[1]).toBeCloseTo(value(2), 9);
    }
  });

  it("a neuron that touches 0 has both slopes, and one that is decided has one", () => {
    const relu = activation("relu") as ScalarActivation;
    const slopes = slopeIntervals(relu, at(0, 1e-9, -1, -1, -1), at(1, 1, 0, -1e-9, 1), Int8Array.of(0, 0, 0, 0, 0));
    expect([...slopes.lo]).toEqual([0, 1, 0, 0, 0]);
    expect([...slopes.hi]).toEqual([1, 1, 1, 0, 1]);
    const decided = slopeIntervals(relu, at(-1, -1), at(1, 1), Int8Array.of(1, -1));
    expect([[...decided.lo], [...decided.hi]]).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });
});
