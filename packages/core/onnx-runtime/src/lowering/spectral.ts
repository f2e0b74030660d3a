import type { Lowering } from "./lowering.js";

export const spectralLowerings = {
  fft: ((c, { inputs: [re, im], outputs: [outRe, outIm], params }) => {
    // DFT takes complex numbers as a last axis of two; a leading axis is its batch.
    const shape = re.shape;
    const pair = [...shape, 1];
    const parts = [re, im].map((v) => c.reshape(c.value(v), pair));
    const complex = c.emit("Concat", parts, { shape: [...shape, 2], type: re.dtype }, { axis: shape.length });
    const batched = c.reshape(complex, [1, ...shape, 2]);
    const axis = c.graph.integer(params.axis + 1);
    const out = c.emit(
      "DFT",
      [batched, null, axis],
      { shape: batched.shape, type: re.dtype },
      { inverse: params.inverse ? 1 : 0 },
    );
    [outRe, outIm].forEach((v, part) => {
      const picked = c.emit(
        "Gather",
        [out, c.graph.integer(part)],
        { shape: [1, ...shape], type: re.dtype },
        { axis: shape.length + 1 },
      );
      c.define(v, c.reshape(picked, shape));
    });
  }) as Lowering,
};
