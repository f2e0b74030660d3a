import type { TypedArray } from "../dtype.js";
import { allocate, allocateUnwritten } from "../dtype.js";
import type { Spec } from "../primitive.js";
import { rowMajorStrides } from "../shape.js";
import type { HostStorage } from "../storage.js";
import { mergeAxes } from "../strided.js";
import { hostTensor, Tensor } from "../tensor.js";

type Scalar = (...args: number[]) => number;

/** Walks one line of the output: `out[o + i] = f(operand_k[offset_k + i * step_k], ...)`. */
type Line = (operands: TypedArray[], offsets: number[], steps: number[], out: TypedArray, o: number, n: number) => void;

function generalLine(f: Scalar, arity: number): Line {
  if (arity === 1) {
    return ([a], [ia], [sa], out, o, n) => {
      for (let i = 0; i < n; i++, ia += sa) out[o + i] = f(a[ia]);
    };
  }
  if (arity === 2) {
    return ([a, b], [ia, ib], [sa, sb], out, o, n) => {
      for (let i = 0; i < n; i++, ia += sa, ib += sb) out[o + i] = f(a[ia], b[ib]);
    };
  }
  return ([a, b, c], [ia, ib, ic], [sa, sb, sc], out, o, n) => {
    for (let i = 0; i < n; i++, ia += sa, ib += sb, ic += sc) out[o + i] = f(a[ia], b[ib], c[ic]);
  };
}

/** Engines share what they know of loops between functions of one source: a number in each keeps them apart. */
let made = 0;

/**
 * Loops of its own for `f`. Engines optimise a loop by what it has called before, so one loop shared by all functions would
 * call each through a pointer; a separate compilation lets them inline `f`. Steps of 1 and 0 get loops in which they are
 * constant, and these are functions of their own, as engines inline so much into one function and no more.
 */
function ownLine(f: Scalar, arity: number, name: string | undefined): Line {
  if (!MAY_GENERATE) return (name === undefined ? undefined : writtenLines[name]) ?? generalLine(f, arity);
  const names = ["a", "b", "c"].slice(0, arity);
  const each = (form: (x: string, k: number) => string, between = ",") => names.map(form).join(between);
  const head = "(operands,offsets,steps,out,o,n)";
  const setup = each((x, k) => `const ${x}=operands[${k}],i${x}=offsets[${k}],s${x}=steps[${k}];`, "");
  const dense = each((x) => `s${x}===1`, "&&");
  const paths = [
    [`${dense}&&o+${each((x) => `i${x}`, "+")}===0`, unrolled((i) => `out[${i}]=f(${each((x) => `${x}[${i}]`)})`)],
    [dense, unrolled((i) => `out[o+${i}]=f(${each((x) => `${x}[i${x}+${i}]`)})`)],
    ["sa===0&&sb===1", `const v=a[ia];${unrolled((i) => `out[o+${i}]=f(v,b[ib+${i}])`)}`],
    ["sb===0&&sa===1", `const v=b[ib];${unrolled((i) => `out[o+${i}]=f(a[ia+${i}],v)`)}`],
    ["1", `for(let i=0;i<n;i++)out[o+i]=f(${each((x) => `${x}[i${x}+i*s${x}]`)})`],
  ].filter((_, k) => arity === 2 || k < 2 || k > 3);
  const loops = paths.map(([, loop], k) => `const p${k}=${head}=>{${setup}${loop}};`).join("");
  const choice = paths.map(([condition], k) => `if(${condition})return p${k}${head};`).join("");
  try {
    return new Function("f", `/*${made++}*/${loops}return ${head}=>{${setup}${choice}}`)(f) as Line;
  } catch {
    return generalLine(f, arity);
  }
}

/**
 * Code is generated outside of pages only. A page's policy may forbid it, which cannot be asked for: trying is reported
 * to the page's owner as a blocked script.
 */
const MAY_GENERATE =
  (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node &&
  !(globalThis as { document?: unknown }).document;

/** The most frequent loops, by the name of their primitive, for where none is generated. */
const writtenLines: Readonly<Record<string, Line>> = {
  add([a, b], [ia, ib], [sa, sb], out, o, n) {
    for (let i = 0; i < n; i++, ia += sa, ib += sb) out[o + i] = a[ia] + b[ib];
  },
  sub([a, b], [ia, ib], [sa, sb], out, o, n) {
    for (let i = 0; i < n; i++, ia += sa, ib += sb) out[o + i] = a[ia] - b[ib];
  },
  mul([a, b], [ia, ib], [sa, sb], out, o, n) {
    for (let i = 0; i < n; i++, ia += sa, ib += sb) out[o + i] = a[ia] * b[ib];
  },
  div([a, b], [ia, ib], [sa, sb], out, o, n) {
    for (let i = 0; i < n; i++, ia += sa, ib += sb) out[o + i] = a[ia] / b[ib];
  },
};

const UNROLLED = 8;

/** A loop over n that does several elements a turn, which spares most of its checks: more than twice as fast. */
function unrolled(statement: (index: string) => string): string {
  const turn = Array.from({ length: UNROLLED }, (_, k) => statement(`i+${k}`)).join(";");
  return `let i=0;for(const m=n-${UNROLLED - 1};i<m;i+=${UNROLLED}){${turn}}for(;i<n;i++)${statement("i")}`;
}

/**
 * A host kernel that applies the scalar function `f` to every element of equally shaped operands of any strides.
 * Loops are compiled per combination of element types. `name` says which primitive it is.
 */
export function mapKernel(f: Scalar, arity: number, name?: string): (inputs: readonly Tensor[], spec: Spec) => Tensor {
  const lines = new Map<string, Line>();
  return (inputs, spec) => {
    const key = inputs[0].dtype + spec.dtype;
    let line = lines.get(key);
    if (line === undefined) {
      line = ownLine(f, arity, name);
      lines.set(key, line);
    }
    return mapLines(line, inputs, spec);
  };
}

function mapLines(line: Line, inputs: readonly Tensor[], spec: Spec): Tensor {
  const storages = inputs.map((x) => x.storage as HostStorage);
  const operands = storages.map((s) => s.data);
  const offsets = storages.map((s) => s.offset);
  if (spec.shape.length === 0) return repeated(line, operands, offsets, spec);
  const merged = mergeAxes(spec.shape, [...storages.map((s) => s.strides), rowMajorStrides(spec.shape)]);
  const total = spec.shape.reduce((a, b) => a * b, 1);
  if (total > 0 && !merged.strides.slice(0, -1).flat().some(Boolean)) return repeated(line, operands, offsets, spec);
  const out = allocateUnwritten(spec.dtype, total);
  if (total > 0) walk(line, operands, offsets, merged.shape, merged.strides, out, total);
  return hostTensor(out, spec.shape, spec.dtype);
}

const NO_STEPS = [0, 0, 0];

/** The same value everywhere, computed and kept once. */
function repeated(line: Line, operands: TypedArray[], offsets: number[], { shape, dtype }: Spec): Tensor {
  const data = allocate(dtype, 1);
  line(operands, offsets, NO_STEPS, data, 0, 1);
  return new Tensor(shape, dtype, { kind: "host", data, strides: shape.map(() => 0), offset: 0 });
}

function walk(
  line: Line,
  operands: TypedArray[],
  offsets: number[],
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  out: TypedArray,
  total: number,
): void {
  const rank = shape.length;
  const n = shape[rank - 1];
  const steps = operands.map((_, k) => strides[k][rank - 1]);
  const index = new Array<number>(rank).fill(0);
  for (let o = 0; o < total; o += n) {
    line(operands, offsets, steps, out, o, n);
    for (let axis = rank - 2; axis >= 0; axis--) {
      for (let k = 0; k < operands.length; k++) offsets[k] += strides[k][axis];
      if (++index[axis] < shape[axis]) break;
      for (let k = 0; k < operands.length; k++) offsets[k] -= index[axis] * strides[k][axis];
      index[axis] = 0;
    }
  }
}
