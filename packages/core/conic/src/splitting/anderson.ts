import { dot } from "../vector-arithmetic.js";

/** Differences kept. */
const MEMORY = 10;
const REGULARIZATION = 1e-8;

/** @internal What an {@link AndersonMemory} remembers. */
export interface AndersonState {
  readonly dw: readonly Float64Array[];
  readonly df: readonly Float64Array[];
  readonly lastW: Float64Array;
  readonly lastF: Float64Array;
  readonly stored: number;
  readonly started: boolean;
}

/** @internal Type-II Anderson acceleration (Walker and Ni 2011) with a memory of ten differences. */
export class AndersonMemory {
  private readonly dw: Float64Array[];
  private readonly df: Float64Array[];
  private readonly lastW: Float64Array;
  private readonly lastF: Float64Array;
  private stored: number;
  private started: boolean;

  constructor(
    private readonly size: number,
    saved?: AndersonState,
  ) {
    this.dw = saved?.dw.map((values) => values.slice()) ?? [];
    this.df = saved?.df.map((values) => values.slice()) ?? [];
    this.lastW = saved?.lastW.slice() ?? new Float64Array(size);
    this.lastF = saved?.lastF.slice() ?? new Float64Array(size);
    this.stored = saved?.stored ?? 0;
    this.started = saved?.started ?? false;
  }

  save(): AndersonState {
    const copies = (list: readonly Float64Array[]) => list.map((values) => values.slice());
    const { stored, started } = this;
    return {
      dw: copies(this.dw),
      df: copies(this.df),
      lastW: this.lastW.slice(),
      lastF: this.lastF.slice(),
      stored,
      started,
    };
  }

  /** Forgets everything, as after a change of the map. */
  clear(): void {
    this.stored = 0;
    this.started = false;
  }

  /** Takes all points times `factor`. */
  scale(factor: number): void {
    for (const values of [this.lastW, this.lastF, ...this.dw, ...this.df]) {
      for (let i = 0; i < values.length; i++) values[i] *= factor;
    }
  }

  /** Records a point and its residual f = F(w) - w. */
  record(w: Float64Array, f: Float64Array): void {
    const { size, lastW, lastF } = this;
    if (this.started) {
      const slot = this.stored % MEMORY;
      if (this.dw[slot] === undefined) {
        this.dw[slot] = new Float64Array(size);
        this.df[slot] = new Float64Array(size);
      }
      const [s, y] = [this.dw[slot], this.df[slot]];
      for (let i = 0; i < size; i++) {
        s[i] = w[i] - lastW[i];
        y[i] = f[i] - lastF[i];
      }
      this.stored++;
    }
    lastW.set(w);
    lastF.set(f);
    this.started = true;
  }

  /** `out = F(w) - (S + Y) gamma`; returns whether there was enough memory for it. */
  extrapolate(next: Float64Array, f: Float64Array, out: Float64Array): boolean {
    const count = Math.min(this.stored, MEMORY);
    if (count < 2) return false;
    const gamma = this.coefficients(f, count);
    if (gamma === undefined) return false;
    out.set(next);
    for (let k = 0; k < count; k++) {
      const [s, y, factor] = [this.dw[k], this.df[k], gamma[k]];
      for (let i = 0; i < out.length; i++) out[i] -= factor * (s[i] + y[i]);
    }
    return true;
  }

  /** argmin ||f - Y gamma||^2 + 1e-8 ||Y||_F^2 ||gamma||^2 by the normal equations. */
  private coefficients(f: Float64Array, count: number): Float64Array | undefined {
    const { df } = this;
    const gram = new Float64Array(count * count);
    const rhs = new Float64Array(count);
    let trace = 0;
    for (let i = 0; i < count; i++) {
      for (let j = 0; j <= i; j++) gram[i * count + j] = dot(df[i], df[j]);
      rhs[i] = dot(df[i], f);
      trace += gram[i * count + i];
    }
    for (let i = 0; i < count; i++) gram[i * count + i] += REGULARIZATION * trace;
    return solveDefinite(gram, rhs, count) ? rhs : undefined;
  }
}

/** Cholesky of the lower triangle of `a` and solution in place of `x`; false where `a` is not definite. */
function solveDefinite(a: Float64Array, x: Float64Array, n: number): boolean {
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      if (i === j) {
        if (!(sum > 0)) return false;
        a[j * n + j] = Math.sqrt(sum);
      } else a[i * n + j] = sum / a[j * n + j];
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= a[i * n + k] * x[k];
    x[i] /= a[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= a[k * n + i] * x[k];
    x[i] /= a[i * n + i];
  }
  return true;
}
