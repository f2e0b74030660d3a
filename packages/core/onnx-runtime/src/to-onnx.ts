import { trace } from "@offprint/tensor-core";
import { lowerGraph } from "./lowering/index.js";
import { encodeModel, type GraphBuilder } from "./model/graph-builder.js";
import { samples } from "./named-dimensions/formula.js";
import { openGraph } from "./named-dimensions/open-graph.js";
import { namesIn, withExtents } from "./named-dimensions/spec-names.js";

/**
 * The bytes of a standard .onnx file of a function, a whole training step included. Arguments are trees of tensors or
 * `{ shape, dtype }`, as for `trace`; the file's inputs are `input0, input1, ...` and its outputs `output0, ...` in the
 * order of the leaves (object keys sorted).
 *
 * Extents may have names, `{ shape: ["N", 1, 8, 8], dtype: "float32" }`: the file then runs with any, equal names meaning
 * equal extents. The function is traced several times with large extents, and must do the same each time.
 *
 * @throws UnsupportedError for a primitive that ONNX has no operator for, and where a named extent decides what is
 * computed; ValueError for a name that is none.
 * @example await writeFile("network.onnx", toOnnx((x) => apply(params, x), { shape: ["N", 784], dtype: "float32" }))
 */
export function toOnnx(f: (...args: never[]) => unknown, ...specs: readonly unknown[]): Uint8Array {
  const names = namesIn(specs);
  const graph =
    names.length === 0
      ? lowered(f, specs, false)
      : openGraph(
          samples(names.length).map((extents) => lowered(f, withExtents(specs, names, extents), true)),
          names,
        );
  return encodeModel(graph, f.name || "traced");
}

function lowered(f: (...args: never[]) => unknown, specs: readonly unknown[], open: boolean): GraphBuilder {
  return lowerGraph(trace(f as (...args: unknown[]) => unknown, ...specs), { device: "cpu", open });
}
