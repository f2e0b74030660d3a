import { bind, cast, type DType, div, less, type Primitive, type Tensor } from "@offprint/tensor-core";
import {
  call,
  elementwiseCases,
  type InputSpec,
  linearAlgebraCases,
  type PrimitiveCase,
  primitiveCases,
  Source,
  sample,
} from "@offprint/tensor-core/conformance";
import type { Cell, Tolerance } from "./agreement.js";
import { drawn, dressed, type Operand, randomShape, smallerShape, stretched } from "./operands.js";

export type FloatType = "float32" | "float64";

/** A cell and the primitive it is about. */
export interface PrimitiveCell extends Cell {
  readonly primitive: string;
}

/** Factors of matrices magnify rounding; ONNX Runtime keeps to float32 where the host uses float64 inside. */
const LOOSE: Partial<Record<DType, Tolerance>> = {
  float32: { relative: 1e-4, absolute: 3e-5 },
  float64: { relative: 1e-11, absolute: 1e-12 },
};
const loosely = new Set<Primitive<any>>(linearAlgebraCases.map((entry) => entry.primitive));

function floats(x: Tensor, dtype: FloatType): Tensor {
  return x.dtype === "float64" ? cast(x, dtype) : x;
}

function labelOf({ primitive, params }: PrimitiveCase, inputs: readonly Tensor[], more: string): string {
  return `${primitive.name} ${JSON.stringify(params)} of ${inputs.map((x) => `${x.dtype}[${x.shape}]`).join(", ")}${more}`;
}

function cellOf(entry: PrimitiveCase, operands: readonly Operand[], more: string): PrimitiveCell {
  const inputs = operands.map(({ given }) => given);
  return {
    primitive: entry.primitive.name,
    label: labelOf(entry, inputs, more),
    inputs,
    f: (...xs) =>
      call(
        entry,
        xs.map((x, i) => operands[i].use(x)),
      ),
    ...(loosely.has(entry.primitive) && { tolerance: LOOSE }),
  };
}

/** The cases that tensor-core checks its primitives with, plainly and with operands in disguise. */
export function tableCells(dtype: FloatType, seed: number): PrimitiveCell[] {
  const source = new Source(seed);
  return primitiveCases.flatMap((entry) => {
    const inputs = entry.inputs.map((spec) => floats(sample(spec, source), dtype));
    const plain = inputs.map((given): Operand => ({ given, use: (x) => x }));
    const disguised = inputs.map((x) => dressed(x, source));
    // Known values become constants of the graph.
    const [variable, ...known] = inputs;
    const constants: Operand = { given: variable, use: (x) => x };
    const cells = [cellOf(entry, plain, ""), cellOf(entry, disguised, ", disguised")];
    if (known.length > 0) {
      const closed: PrimitiveCase = {
        ...entry,
        inputs: [entry.inputs[0]],
        prepare: ([x]) => (entry.prepare ? entry.prepare([x, ...known]) : [x, ...known]),
      };
      cells.push(cellOf(closed, [constants], ", the others constant"));
    }
    return cells;
  });
}

/** Elementwise primitives on operands of any rank that are broadcast inside the graph. */
export function broadcastCells(dtype: FloatType, seed: number, perCase: number): PrimitiveCell[] {
  const source = new Source(seed);
  // One case for each combination of primitive and operands' types; the shapes are drawn anew.
  const kinds = new Map<string, PrimitiveCase>();
  for (const entry of elementwiseCases) {
    const key = `${entry.primitive.name} ${JSON.stringify(entry.params)} ${entry.inputs.map((x) => x.dtype)}`;
    if (!kinds.has(key)) kinds.set(key, entry);
  }
  return [...kinds.values()].flatMap((entry) =>
    Array.from({ length: perCase }, () => {
      const shape = randomShape(source);
      const operands = entry.inputs.map((spec) => {
        const small = smallerShape(shape, source);
        return stretched(floats(drawnFrom(spec, small, source), dtype), shape, source);
      });
      return cellOf(entry, operands, ` broadcast to [${shape}]`);
    }),
  );
}

function drawnFrom(spec: InputSpec, shape: readonly number[], source: Source): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return drawn(spec.draw(source, size), shape, spec.dtype);
}

/** Numbers at which functions of numbers have something to decide. */
const SPECIAL = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  1e-30,
  -1e-30,
  1e-8,
  1e-5,
  0.1,
  3,
  -3,
  7,
  20,
  -20,
  80,
  -80,
  8388609,
  1e9,
  1e30,
  -1e30,
];

/** Operators that keep the sign of a zero. ONNX Runtime's Where, Max, Min, Sign and Relu do not, nor what is composed of them. */
const SIGNED_ZEROS = ["neg", "abs", "floor", "ceil", "round", "sqrt", "sin", "tanh", "add", "sub", "mul", "div", "pow"];

/** Elementwise primitives of one or two floats at special values, with the signs of zeros where they are kept. */
export function specialCells(dtype: FloatType): PrimitiveCell[] {
  const names = new Set(
    elementwiseCases.filter((e) => e.params === null && e.inputs.every((x) => x.dtype === "float64")).map(nameOf),
  );
  const first = SPECIAL.flatMap((x) => SPECIAL.map(() => x));
  const second = SPECIAL.flatMap(() => SPECIAL);
  const columns = (arity: number) =>
    (arity === 1 ? [SPECIAL] : [first, second]).map((values) => drawn(values, [values.length], dtype));
  return [...names].flatMap((name) => {
    const entry = elementwiseCases.find((e) => e.primitive.name === name && e.params === null) as PrimitiveCase;
    if (entry.inputs.length > 2) return [];
    const inputs = columns(entry.inputs.length);
    return [
      {
        primitive: name,
        label: `${name} at special ${dtype} values`,
        inputs,
        f: (...xs: Tensor[]) => {
          const [y] = bind(entry.primitive, xs, null);
          return SIGNED_ZEROS.includes(name) ? [y, less(div(1, y), 0)] : [y];
        },
      },
    ];
  });
}

function nameOf(entry: PrimitiveCase): string {
  return entry.primitive.name;
}
