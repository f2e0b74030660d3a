/**
 * One pass of Stockham's self-sorting FFT. The input is seen as `[radix, rest, stride]`, the output as
 * `[rest, radix, stride]`: out[p, j, q] = w^(j p) sum_k in[k, p, q] e^(-2 pi i j k / radix) with w = e^(-2 pi i / (radix rest)).
 * After a pass for every factor of n, `stride` has grown by n and the result is in order. What `stride` begins with is
 * the number of transforms done side by side.
 */
export interface Stage {
  readonly radix: number;
  readonly rest: number;
  /** cos and sin of 2 pi j p / (radix rest): for each p, those of j = 1, ..., radix - 1. */
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}

/** Real and imaginary parts. */
export interface Split {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** Runs one pass; `roots` are the radix-th roots of unity, needed for radices above 5. */
export function runStage(stage: Stage, stride: number, x: Split, y: Split, roots: Split | undefined): void {
  if (stage.radix === 4) radix4(stage, stride, x, y);
  else if (stage.radix === 2) radix2(stage, stride, x, y);
  else if (stage.radix === 3) radix3(stage, stride, x, y);
  else if (stage.radix === 5) radix5(stage, stride, x, y);
  else anyRadix(stage, stride, x, y, roots as Split);
}

function radix2({ rest, cos, sin }: Stage, stride: number, x: Split, y: Split): void {
  const { re: xr, im: xi } = x;
  const { re: yr, im: yi } = y;
  const half = rest * stride;
  for (let p = 0; p < rest; p++) {
    const c = cos[p];
    const s = sin[p];
    const from = p * stride;
    const to = 2 * from;
    for (let q = 0; q < stride; q++) {
      const a = from + q;
      const b = a + half;
      const dr = xr[a] - xr[b];
      const di = xi[a] - xi[b];
      yr[to + q] = xr[a] + xr[b];
      yi[to + q] = xi[a] + xi[b];
      yr[to + stride + q] = dr * c + di * s;
      yi[to + stride + q] = di * c - dr * s;
    }
  }
}

const SIN_THIRD = Math.sqrt(3) / 2;

function radix3({ rest, cos, sin }: Stage, stride: number, x: Split, y: Split): void {
  const { re: xr, im: xi } = x;
  const { re: yr, im: yi } = y;
  const block = rest * stride;
  for (let p = 0; p < rest; p++) {
    const c1 = cos[2 * p];
    const s1 = sin[2 * p];
    const c2 = cos[2 * p + 1];
    const s2 = sin[2 * p + 1];
    const from = p * stride;
    const to = 3 * from;
    for (let q = 0; q < stride; q++) {
      const a = from + q;
      const b = a + block;
      const c = b + block;
      const sumR = xr[b] + xr[c];
      const sumI = xi[b] + xi[c];
      const midR = xr[a] - 0.5 * sumR;
      const midI = xi[a] - 0.5 * sumI;
      const turnR = SIN_THIRD * (xi[b] - xi[c]);
      const turnI = SIN_THIRD * (xr[c] - xr[b]);
      const r1 = midR + turnR;
      const i1 = midI + turnI;
      const r2 = midR - turnR;
      const i2 = midI - turnI;
      let o = to + q;
      yr[o] = xr[a] + sumR;
      yi[o] = xi[a] + sumI;
      o += stride;
      yr[o] = r1 * c1 + i1 * s1;
      yi[o] = i1 * c1 - r1 * s1;
      o += stride;
      yr[o] = r2 * c2 + i2 * s2;
      yi[o] = i2 * c2 - r2 * s2;
    }
  }
}

function radix4({ rest, cos, sin }: Stage, stride: number, x: Split, y: Split): void {
  const { re: xr, im: xi } = x;
  const { re: yr, im: yi } = y;
  const block = rest * stride;
  for (let p = 0; p < rest; p++) {
    const c1 = cos[3 * p];
    const s1 = sin[3 * p];
    const c2 = cos[3 * p + 1];
    const s2 = sin[3 * p + 1];
    const c3 = cos[3 * p + 2];
    const s3 = sin[3 * p + 2];
    const from = p * stride;
    const to = 4 * from;
    for (let q = 0; q < stride; q++) {
      const a = from + q;
      const b = a + block;
      const c = b + block;
      const d = c + block;
      const evenR = xr[a] + xr[c];
      const evenI = xi[a] + xi[c];
      const gapR = xr[a] - xr[c];
      const gapI = xi[a] - xi[c];
      const oddR = xr[b] + xr[d];
      const oddI = xi[b] + xi[d];
      const turnR = xi[b] - xi[d]; // -i (x_b - x_d)
      const turnI = xr[d] - xr[b];
      const r1 = gapR + turnR;
      const i1 = gapI + turnI;
      const r2 = evenR - oddR;
      const i2 = evenI - oddI;
      const r3 = gapR - turnR;
      const i3 = gapI - turnI;
      let o = to + q;
      yr[o] = evenR + oddR;
      yi[o] = evenI + oddI;
      o += stride;
      yr[o] = r1 * c1 + i1 * s1;
      yi[o] = i1 * c1 - r1 * s1;
      o += stride;
      yr[o] = r2 * c2 + i2 * s2;
      yi[o] = i2 * c2 - r2 * s2;
      o += stride;
      yr[o] = r3 * c3 + i3 * s3;
      yi[o] = i3 * c3 - r3 * s3;
    }
  }
}

const COS_1_5 = 0.30901699437494745;
const SIN_1_5 = 0.9510565162951535;
const COS_2_5 = -0.8090169943749475;
const SIN_2_5 = 0.5877852522924731;

function radix5({ rest, cos, sin }: Stage, stride: number, x: Split, y: Split): void {
  const { re: xr, im: xi } = x;
  const { re: yr, im: yi } = y;
  const block = rest * stride;
  for (let p = 0; p < rest; p++) {
    const t = 4 * p;
    const from = p * stride;
    const to = 5 * from;
    for (let q = 0; q < stride; q++) {
      const a = from + q;
      const b = a + block;
      const c = b + block;
      const d = c + block;
      const e = d + block;
      const sum1R = xr[b] + xr[e];
      const sum1I = xi[b] + xi[e];
      const sum2R = xr[c] + xr[d];
      const sum2I = xi[c] + xi[d];
      const gap1R = xr[b] - xr[e];
      const gap1I = xi[b] - xi[e];
      const gap2R = xr[c] - xr[d];
      const gap2I = xi[c] - xi[d];
      const mid1R = xr[a] + COS_1_5 * sum1R + COS_2_5 * sum2R;
      const mid1I = xi[a] + COS_1_5 * sum1I + COS_2_5 * sum2I;
      const mid2R = xr[a] + COS_2_5 * sum1R + COS_1_5 * sum2R;
      const mid2I = xi[a] + COS_2_5 * sum1I + COS_1_5 * sum2I;
      const turn1R = SIN_1_5 * gap1I + SIN_2_5 * gap2I;
      const turn1I = -SIN_1_5 * gap1R - SIN_2_5 * gap2R;
      const turn2R = SIN_2_5 * gap1I - SIN_1_5 * gap2I;
      const turn2I = -SIN_2_5 * gap1R + SIN_1_5 * gap2R;
      let o = to + q;
      yr[o] = xr[a] + sum1R + sum2R;
      yi[o] = xi[a] + sum1I + sum2I;
      o += stride;
      yr[o] = (mid1R + turn1R) * cos[t] + (mid1I + turn1I) * sin[t];
      yi[o] = (mid1I + turn1I) * cos[t] - (mid1R + turn1R) * sin[t];
      o += stride;
      yr[o] = (mid2R + turn2R) * cos[t + 1] + (mid2I + turn2I) * sin[t + 1];
      yi[o] = (mid2I + turn2I) * cos[t + 1] - (mid2R + turn2R) * sin[t + 1];
      o += stride;
      yr[o] = (mid2R - turn2R) * cos[t + 2] + (mid2I - turn2I) * sin[t + 2];
      yi[o] = (mid2I - turn2I) * cos[t + 2] - (mid2R - turn2R) * sin[t + 2];
      o += stride;
      yr[o] = (mid1R - turn1R) * cos[t + 3] + (mid1I - turn1I) * sin[t + 3];
      yi[o] = (mid1I - turn1I) * cos[t + 3] - (mid1R - turn1R) * sin[t + 3];
    }
  }
}

/** An odd radix by its definition, with outputs j and radix - j computed together. */
function anyRadix({ radix, rest, cos, sin }: Stage, stride: number, x: Split, y: Split, roots: Split): void {
  const { re: xr, im: xi } = x;
  const { re: yr, im: yi } = y;
  const block = rest * stride;
  const half = (radix - 1) / 2;
  const sumR = new Float64Array(half);
  const sumI = new Float64Array(half);
  const gapR = new Float64Array(half);
  const gapI = new Float64Array(half);
  for (let p = 0; p < rest; p++) {
    const t = (radix - 1) * p - 1;
    for (let q = 0; q < stride; q++) {
      const first = p * stride + q;
      const o = p * radix * stride + q;
      let totalR = xr[first];
      let totalI = xi[first];
      for (let k = 0; k < half; k++) {
        const a = first + (k + 1) * block;
        const b = first + (radix - 1 - k) * block;
        sumR[k] = xr[a] + xr[b];
        sumI[k] = xi[a] + xi[b];
        gapR[k] = xr[a] - xr[b];
        gapI[k] = xi[a] - xi[b];
        totalR += sumR[k];
        totalI += sumI[k];
      }
      yr[o] = totalR;
      yi[o] = totalI;
      for (let j = 1; j <= half; j++) {
        let midR = xr[first];
        let midI = xi[first];
        let turnR = 0;
        let turnI = 0;
        for (let k = 0, at = j; k < half; k++, at += j) {
          if (at >= radix) at -= radix;
          midR += roots.re[at] * sumR[k];
          midI += roots.re[at] * sumI[k];
          turnR += roots.im[at] * gapI[k];
          turnI -= roots.im[at] * gapR[k];
        }
        store(yr, yi, o + j * stride, midR + turnR, midI + turnI, cos[t + j], sin[t + j]);
        const opposite = radix - j;
        store(yr, yi, o + opposite * stride, midR - turnR, midI - turnI, cos[t + opposite], sin[t + opposite]);
      }
    }
  }
}

function store(yr: Float64Array, yi: Float64Array, o: number, re: number, im: number, c: number, s: number): void {
  yr[o] = re * c + im * s;
  yi[o] = im * c - re * s;
}
