// A batch size that finds itself
// Softmax regression on handwritten digits, beginning with batches of 8. A test on the gradients of the samples says when the batch must grow. Change the test, its constants, or the optimizer.

import { trainAdaptive } from "@offprint/adadagrad";
import { digits } from "@offprint/datasets";
import { div, logSumExp, matmul, mul, oneHot, sub, sum, take, zeros } from "@offprint/tensor-core";

const { inputs, targets } = digits();
const x = div(inputs.reshape([inputs.shape[0], 64]), 16);

const { params, history } = await trainAdaptive(
  {
    params: { weight: zeros([64, 10]), bias: zeros([10]) },
    data: { size: x.shape[0], batch: (indices) => ({ x: take(x, indices), y: take(targets, indices) }) },
    sampleLoss(p, batch) {
      const logits = matmul(batch.x, p.weight).add(p.bias);
      return sub(
        logSumExp(logits, { axis: 1 }),
        sum(mul(logits, oneHot(batch.y, 10, { dtype: "float32" })), { axis: 1 }),
      );
    },
  },
  { learningRate: 0.05, initialBatch: 8, test: { kind: "norm", eta: 1 }, maxSamples: 20000 },
);

const right = matmul(x, params.weight)
  .add(params.bias)
  .argMax({ axis: 1 })
  .equal(targets)
  .cast("float32")
  .mean()
  .item();
console.log(`${history.length} steps, ${(100 * right).toFixed(1)} % of the images right`);

display({
  kind: "line",
  title: "Batch size and loss",
  x: { label: "samples processed" },
  y: { label: "value", scale: "log" },
  curves: [
    { name: "batch size", x: history.map((r) => r.samples), y: history.map((r) => r.batchSize) },
    { name: "loss of the batch", x: history.map((r) => r.samples), y: history.map((r) => r.loss) },
  ],
});
