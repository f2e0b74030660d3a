import { grad, linalg, matmul, mul, random, sum, type Tensor, take, tensor, transpose } from "@offprint/tensor-core";
import { expectClose, numericalGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { decodeSequences, dna, encodeSequences, hammingDistance } from "../src/alphabet.js";
import { bidirectionalLoss, fitForward, initialLogits, kmerRelax, straightThrough } from "../src/index.js";

const float64 = { dtype: "float64" } as const;
const rng = random.rng(1);

describe("relaxation", () => {
  it("is one-hot, with the gradient of the softmax", () => {
    const logits = rng.normal([2, 3, 4], float64);
    const weights = rng.normal([2, 3, 4], float64);
    expectClose(sum(straightThrough(logits), -1), tensor([1, 1, 1, 1, 1, 1], float64).reshape([2, 3]), 1e-12);
    const through = grad((x: Tensor) => sum(mul(straightThrough(x), weights)))(logits);
    expectClose(through, grad((x: Tensor) => sum(mul(x.softmax(-1), weights)))(logits), 1e-12);
  });

  it("reads words of three letters", () => {
    const words = kmerRelax(rng.normal([5, 4], float64), 3);
    expect(words.shape).toEqual([3, 64]);
    expectClose(sum(words, 1), tensor([1, 1, 1], float64), 1e-12);
    const start = initialLogits("ACGTA", dna, random.rng(2));
    expect([...kmerRelax(start, 3).argMax(-1).data()]).toEqual([
      0 * 16 + 1 * 4 + 2,
      1 * 16 + 2 * 4 + 3,
      2 * 16 + 3 * 4 + 0,
    ]);
  });

  it("begins at the sequence that it is given", () => {
    for (const sequence of ["ACGTACGT", "TTTTTTTT"]) {
      expect(decodeSequences(initialLogits(sequence, dna, random.rng(3)).reshape([1, 8, 4]), dna)).toEqual([sequence]);
    }
    expect(encodeSequences("test", ["AC", "GT"], dna).shape).toEqual([2, 2, 4]);
  });

  it("counts letters that differ, of any alphabet", () => {
    expect(hammingDistance("ACGT", "AGGA")).toBe(2);
    expect(hammingDistance("\u{1F34E}a", "\u{1D400}a")).toBe(1);
    expect(() => hammingDistance("\u{1F34E}", "ab")).toThrow(/have 1 and 2 letters/);
  });
});

describe("both maps", () => {
  const y = rng.normal([6], float64);
  for (const d of [4, 9]) {
    const phi = rng.normal([6, d], float64);
    it(`the forward map is that of the kernel and of the features (${d})`, () => {
      const { weights } = fitForward(phi, y, { ridge: 0.01 });
      const kernel = matmul(phi, transpose(phi));
      const beta = (0.01 * linalg.eigvalsh(kernel).sum().item()) / 6;
      const alpha = linalg.solve(
        kernel.add(
          mul(
            tensor(
              [...Array(36).keys()].map((k) => (k % 7 === 0 ? 1 : 0)),
              float64,
            ).reshape([6, 6]),
            beta,
          ),
        ),
        y,
      );
      expectClose(weights, matmul(transpose(phi), alpha), 1e-8);
    });

    it(`losses do not see the scale of the features, and their gradients are right (${d})`, () => {
      const designs = rng.normal([3, d], float64);
      const losses = (x: Tensor, scale: number, joint: boolean) =>
        bidirectionalLoss(mul(x, scale), fitForward(mul(phi, scale), y, { ridge: 1e-3 }), { target: 10, joint });
      for (const joint of [false, true]) {
        const [one, three] = [losses(designs, 1, joint), losses(designs, 3, joint)];
        expectClose(three.forward, one.forward, 1e-8);
        expectClose(three.backward, one.backward, 1e-8);
        const map = fitForward(phi, y, { ridge: 1e-3 });
        const total = (x: Tensor) => sum(bidirectionalLoss(x, map, { target: 2, joint }).backward);
        expectClose(grad(total)(designs), numericalGradient(total, designs), 1e-5);
      }
    });
  }

  it("a design that is a row of orthogonal features predicts the target there, and zero elsewhere", () => {
    const phi = tensor([1, 0, 0, 0, 1, 0, 0, 0, 1], float64).reshape([3, 3]);
    const scores = tensor([1, -2, 0.5], float64);
    const { backward } = bidirectionalLoss(take(phi, [1]), fitForward(phi, scores), { target: 4, ridge: 0 });
    expect(backward.data()[0]).toBeCloseTo((1 + 36 + 0.25) / 3, 10);
  });
});
