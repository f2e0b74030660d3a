// One graph, one file
// Trace a training step, look at the graph, export it as .onnx, and run the file.

import { loadModel, toOnnx } from "@offprint/onnx-runtime";
import { grad, matmul, mean, mul, square, sub, tensor, trace } from "@offprint/tensor-core";

const x = tensor([
  [1, 0],
  [1, 1],
  [1, 2],
]);
const y = tensor([1, 3, 5]);
const loss = (w) => mean(square(sub(matmul(x, w), y)));
const step = (w) => ({ w: sub(w, mul(0.1, grad(loss)(w))), loss: loss(w) });

const spec = { shape: [2], dtype: "float32" };
console.log(String(trace(step, spec)));

const bytes = toOnnx(step, spec);
console.log(`${bytes.length} bytes of ONNX, readable from Python, C++ and the like`);

const model = await loadModel(bytes);
let w = tensor([0, 0]);
for (let i = 0; i < 300; i++) ({ output1: w } = await model.run({ input0: w }));
console.log("the line through the points:", w);
await model.release();
