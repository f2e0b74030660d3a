import { onnxRuntime } from "@offprint/onnx-runtime";
import { expect, it } from "vitest";
import { compiledSinkhorn, sinkhorn, sinkhornNewtonSparse } from "../src/index.js";
import { distance, randomProblem } from "./problems.js";

const problem = randomProblem(20, 15, 12);

it("the compiled iteration is Sinkhorn's, on the host and on ONNX Runtime", async () => {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  const eager = await sinkhorn(problem, { eta: 40, maxIterations: 30, tolerance: 0 });
  for (const given of [undefined, backend]) {
    const seen: number[] = [];
    const result = await compiledSinkhorn(problem, {
      eta: 40,
      maxIterations: 30,
      tolerance: 0,
      backend: given,
      onProgress: ({ iteration }) => void seen.push(iteration),
    });
    expect(seen).toEqual([10, 20, 30]);
    expect(result.status).toBe("limit");
    expect(distance(result.plan, eager.plan)).toBeLessThan(1e-12);
    expect(result.marginalError).toBeCloseTo(eager.marginalError, 12);
  }
});

it("float32 is a preview, whose potentials are a start for the accurate solver", async () => {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  const preview = await compiledSinkhorn(problem, { eta: 40, dtype: "float32", backend });
  expect(preview.status).toBe("converged");
  expect(preview.plan.dtype).toBe("float32");
  const exact = await sinkhornNewtonSparse(problem, { eta: 40, sinkhornIterations: 0, initial: preview });
  expect(exact.status).toBe("converged");
  expect(exact.stages.newton).toBeLessThanOrEqual(4);
  expect(distance(preview.plan, exact.plan)).toBeLessThan(1e-4);
});

it("stops when it is told to", async () => {
  const signal = AbortSignal.abort();
  expect((await compiledSinkhorn(problem, { eta: 40, signal })).status).toBe("aborted");
});
