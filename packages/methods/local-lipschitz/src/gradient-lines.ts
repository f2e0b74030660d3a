import { emptyLines, type Lines } from "./lines.js";
import { above, below } from "./rounding.js";

/** Which relaxation: linear bounds, RecurJac's constants, or intervals layer by layer. */
export type Relaxation = "linear" | "recurjac" | "interval";

/** Rounding does not change the sign of a product: what is not negative stays so. */
function lowest(products: readonly number[]): number {
  const least = Math.min(...products);
  return least >= 0 ? Math.max(0, below(least)) : below(least);
}

function highest(products: readonly number[]): number {
  const most = Math.max(...products);
  return most <= 0 ? Math.min(0, above(most)) : above(most);
}

/**
 * @internal Lines around q = g s for g in [gl, gu] and s in [lo, hi]: `min(lo g, hi g) <= q <= max(lo g, hi g)`, the tightest
 * lines around which go through the ends.
 */
export function productLines(
  gl: Float64Array,
  gu: Float64Array,
  lo: Float64Array,
  hi: Float64Array,
  relaxation: Relaxation,
): Lines {
  const out = emptyLines(gl.length);
  for (let i = 0; i < gl.length; i++) {
    const [g0, g1, s0, s1] = [gl[i], gu[i], lo[i], hi[i]];
    out.argument[i] = Math.max(Math.abs(g0), Math.abs(g1));
    const ends = [s0 * g0, s0 * g1, s1 * g0, s1 * g1];
    out.lo[i] = lowest(ends);
    out.hi[i] = highest(ends);
    if (g0 >= 0 || s0 === s1) {
      out.ls[i] = s0;
      out.us[i] = s1;
    } else if (g1 <= 0) {
      out.ls[i] = s1;
      out.us[i] = s0;
    } else if (relaxation === "linear") {
      // max(s0 g, s1 g) is convex, min(s0 g, s1 g) concave: a line beyond both ends is beyond all between, whatever
      // rounding has made of its slope.
      out.us[i] = s0 + ((s1 - s0) * g1) / (g1 - g0);
      out.ls[i] = s0 - ((s1 - s0) * g0) / (g1 - g0);
      const scale = (Math.abs(s0) + Math.abs(s1) + Math.abs(out.us[i]) + Math.abs(out.ls[i])) * (g1 - g0);
      out.ui[i] = above(Math.max(s0 * g0 - out.us[i] * g0, s1 * g1 - out.us[i] * g1), scale);
      out.li[i] = below(Math.min(s1 * g0 - out.ls[i] * g0, s0 * g1 - out.ls[i] * g1), scale);
    } else {
      out.ui[i] = out.hi[i];
      out.li[i] = out.lo[i];
    }
  }
  return out;
}

/** @internal q = w s for w known up to an error. */
export function constantRange(
  w: Float64Array,
  error: Float64Array,
  lo: Float64Array,
  hi: Float64Array,
): Pick<Lines, "lo" | "hi"> {
  const ends = (i: number) => {
    const [w0, w1] = [w[i] - error[i], w[i] + error[i]];
    return [w0 * lo[i], w0 * hi[i], w1 * lo[i], w1 * hi[i]];
  };
  return { lo: w.map((_, i) => lowest(ends(i))), hi: w.map((_, i) => highest(ends(i))) };
}
