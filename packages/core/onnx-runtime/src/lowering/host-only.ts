import type { HostOnly } from "./lowering.js";

/** The primitives that ONNX graphs do not hold, each with the reason. */
export const hostOnlyPrimitives = {
  eigh: { hostOnly: "its sweeps end when every matrix has converged, and no ONNX operator decomposes matrices" },
  svd: { hostOnly: "its sweeps end when every matrix has converged, and no ONNX operator decomposes matrices" },
  lgamma: { hostOnly: "ONNX has no gamma function, and compositions lose the digits near its zeros" },
  polygamma: { hostOnly: "ONNX has no derivatives of the gamma function" },
  logBeta: { hostOnly: "ONNX has no gamma function, and compositions lose the digits near its zeros" },
  gammainc: { hostOnly: "it chooses between series and continued fractions element by element" },
  gammaincc: { hostOnly: "it chooses between series and continued fractions element by element" },
  betainc: { hostOnly: "it chooses between series and continued fractions element by element" },
} satisfies Record<string, HostOnly>;
