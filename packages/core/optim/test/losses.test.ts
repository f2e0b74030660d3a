import { grad, IndexError, jitSync, type Tensor, tensor } from "@offprint/tensor-core";
import { expect, it } from "vitest";
import { accuracy, binaryCrossEntropy, crossEntropy, hingeLoss, huberLoss, meanSquaredError } from "../src/index.js";

it("cross-entropy survives logits that overflow an exponential, and so does its gradient", () => {
  const logits = tensor([[1e4, -1e4]], { dtype: "float64" });
  const labels = tensor(new Int32Array([1]));
  expect(crossEntropy(logits, labels).item()).toBe(2e4);
  expect(grad((x) => crossEntropy(x, labels))(logits).toArray()).toEqual([[1, -1]]);
  expect(binaryCrossEntropy(tensor([800]), tensor([0])).item()).toBe(800);
});

it("labels as classes and as one-hot rows give the same", () => {
  const logits = tensor(
    [
      [1, 2, 3],
      [0, -1, 4],
    ],
    { dtype: "float64" },
  );
  const byClass = crossEntropy(logits, tensor(new Int32Array([2, 0])), { reduction: "none" });
  const byRow = crossEntropy(
    logits,
    tensor([
      [0, 0, 1],
      [1, 0, 0],
    ]),
    { reduction: "none" },
  );
  expect(byClass.toArray()).toEqual(byRow.toArray());
  expect(crossEntropy(logits, tensor(new Int32Array([2, 0])), { reduction: "sum" }).item()).toBeCloseTo(
    byClass.sum().item(),
    12,
  );
});

it("hinge and Huber losses are piecewise", () => {
  expect(hingeLoss(tensor([2, 0.5, -1]), tensor([1, 1, 1]), { reduction: "none" }).toArray()).toEqual([0, 0.5, 2]);
  expect(huberLoss(tensor([0.5, 3]), tensor([0, 0]), { reduction: "none" }).toArray()).toEqual([0.125, 2.5]);
});

it("accuracy counts the right ones", () => {
  expect(
    accuracy(
      tensor([
        [1, 2],
        [3, 0],
      ]),
      tensor(new Int32Array([1, 1])),
    ).item(),
  ).toBe(0.5);
});

it("accuracy wants one label for each prediction", () => {
  const logits = tensor([
    [1, 2],
    [3, 0],
  ]);
  expect(() => accuracy(logits, tensor([[1], [0]], { dtype: "int32" }))).toThrow(
    "accuracy: logits have shape [2,2], labels [2,1]; give one label for each, of shape [2]",
  );
});

it("refuses a class outside the range compiled too, where its loss would be 0", () => {
  const loss = jitSync((x: Tensor, y: Tensor) => crossEntropy(x, y));
  const logits = tensor([[1, 2, 3]]);
  expect(loss(logits, tensor(new Int32Array([2]))).item()).toBeCloseTo(0.40760596, 6);
  for (const label of [3, -1]) expect(() => loss(logits, tensor(new Int32Array([label])))).toThrow(IndexError);
});

it("rejects shapes, labels and options that do not fit", () => {
  const logits = tensor([[1, 2, 3]]);
  expect(() => crossEntropy(logits, tensor(new Int32Array([3])))).toThrow(/label 3 is not one of 3 classes/);
  expect(() => crossEntropy(logits, tensor(new Int32Array([0, 1])))).toThrow(/int32 classes without the last axis/);
  expect(() => crossEntropy(logits, tensor([0]))).toThrow(/labels \[1\] of dtype float32/);
  expect(() => crossEntropy(logits, tensor(new Int32Array([0])), { labelSmoothing: 1 })).toThrow(/labelSmoothing/);
  expect(() => meanSquaredError(tensor([1, 2]), tensor(1))).toThrow(/make them equal/);
  expect(() => huberLoss(tensor(1), tensor(1), { delta: 0 })).toThrow(/delta/);
  expect(() => meanSquaredError(tensor(1), tensor(1), { reduction: "max" as never })).toThrow(/mean, sum or none/);
});
