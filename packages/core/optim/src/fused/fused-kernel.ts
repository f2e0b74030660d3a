import { type DType, type Equation, Graph, type Tensor, type TypedArray, type Variable } from "@offprint/tensor-core";
import { writerOf } from "./lane-operations.js";
import { type Lane, SimdCode } from "./simd-code.js";

/** Bytes of one array that are in WebAssembly's memory at a time: all arrays of a kernel stay in the cache. */
const BLOCK = 16384;

/** Arrays that the memory has room for. */
const ARRAYS = 32;

let memory: WebAssembly.Memory | undefined;

function sharedMemory(): WebAssembly.Memory {
  memory ??= new WebAssembly.Memory({ initial: (BLOCK * ARRAYS) / 65536 });
  return memory;
}

/** An elementwise computation in one pass: several arrays in, several new arrays out. */
export interface FusedKernel {
  /**
   * @param arrays inputs of equal length, in the order of the graph's vector inputs
   * @param scalars in the order of the graph's scalar inputs
   */
  run(arrays: readonly TypedArray[], scalars: readonly Tensor[]): TypedArray[];
}

/** What a value of the graph is to the loop. */
type Place =
  | { readonly kind: "vector"; readonly local: number }
  | { readonly kind: "scalar"; readonly variable: Variable }
  | { readonly kind: "constant"; readonly value: number };

/**
 * Compiles a graph traced on vectors and scalars of one float type to a WebAssembly SIMD loop. What depends on scalars
 * only is computed before the loop.
 * @returns nothing where an operation is not elementwise or has no code, or where there is no WebAssembly
 */
export function compileFused(graph: Graph, lane: Lane): FusedKernel | undefined {
  try {
    return new FusedCompiler(graph, lane).compile();
  } catch (error) {
    if (error instanceof NotFusible || error instanceof ReferenceError || isRefused(error)) return undefined;
    throw error;
  }
}

class NotFusible extends Error {}

/** Pages may forbid WebAssembly. */
function isRefused(error: unknown): boolean {
  return typeof WebAssembly !== "undefined" && error instanceof WebAssembly.CompileError;
}

class FusedCompiler {
  private readonly places = new Map<Variable, Place>();
  private readonly scalarEquations: Equation[] = [];
  private readonly vectorEquations: Equation[] = [];
  private readonly vectors: Variable[];
  private readonly scalars: Variable[];

  constructor(
    private readonly graph: Graph,
    private readonly lane: Lane,
  ) {
    this.vectors = graph.inputs.filter((v) => v.shape.length > 0);
    this.scalars = graph.inputs.filter((v) => v.shape.length === 0);
  }

  compile(): FusedKernel {
    const { graph, lane, vectors } = this;
    if (vectors.length + graph.outputs.length > ARRAYS) throw new NotFusible();
    this.sortEquations();
    const used = this.scalarOperands();
    const code = new SimdCode(lane, used.length);
    const locals = new Map<Variable, number>();
    used.forEach((v, i) => {
      locals.set(v, code.variable());
      code.splat(i).set(locals.get(v) as number);
    });
    const operand = (v: Variable): number => {
      const place = this.places.get(v) as Place;
      if (place.kind === "vector") return place.local;
      if (place.kind === "scalar") return locals.get(place.variable) as number;
      const local = code.variable();
      code.constant(place.value).set(local);
      return local;
    };
    code.beginLoop();
    vectors.forEach((v, i) => {
      const local = code.variable();
      code.load(i * BLOCK).set(local);
      this.places.set(v, { kind: "vector", local });
    });
    for (const { primitive, inputs, outputs } of this.vectorEquations) {
      const operands = inputs.map(operand);
      writerOf(primitive.name)?.(code, operands);
      const local = code.variable();
      code.set(local);
      this.places.set(outputs[0], { kind: "vector", local });
    }
    const copies = graph.outputs.map((v) => vectors.indexOf(v));
    graph.outputs.forEach((v, i) => {
      if (copies[i] < 0) code.store((vectors.length + i) * BLOCK, operand(v));
    });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code.module()), {
      m: { m: sharedMemory() },
    });
    const before = new Graph(this.scalars, graph.constants, this.scalarEquations, used);
    return loopOver(exports.f as Loop, lane, before, copies);
  }

  /** Tells what is computed once from what is computed for every element. */
  private sortEquations(): void {
    for (const v of this.vectors) this.places.set(v, { kind: "vector", local: -1 });
    for (const v of this.scalars) this.places.set(v, { kind: "scalar", variable: v });
    for (const { variable, value } of this.graph.constants) {
      this.places.set(
        variable,
        variable.shape.length === 0 ? { kind: "scalar", variable } : { kind: "constant", value: uniformValue(value) },
      );
    }
    for (const equation of this.graph.equations) {
      const [output] = equation.outputs;
      if (output.shape.length === 0 && equation.inputs.every((v) => v.shape.length === 0)) {
        this.scalarEquations.push(equation);
        this.places.set(output, { kind: "scalar", variable: output });
      } else if (equation.primitive.name === "broadcastTo" && equation.inputs[0].shape.length === 0) {
        this.places.set(output, this.places.get(equation.inputs[0]) as Place);
      } else {
        this.requireElementwise(equation);
        this.vectorEquations.push(equation);
        this.places.set(output, { kind: "vector", local: -1 });
      }
    }
  }

  private requireElementwise({ primitive, inputs, outputs }: Equation): void {
    const fits = (v: Variable) =>
      v.shape.length === 1 && (v.dtype === this.lane || v.dtype === ("bool" satisfies DType));
    if (writerOf(primitive.name) === undefined || ![...inputs, ...outputs].every(fits)) throw new NotFusible();
  }

  /** The scalars that the loop reads. */
  private scalarOperands(): Variable[] {
    const used = new Set<Variable>();
    const outputs = this.graph.outputs;
    for (const v of [...this.vectorEquations.flatMap(({ inputs }) => inputs), ...outputs]) {
      const place = this.places.get(v);
      if (place === undefined) throw new NotFusible();
      if (place.kind !== "scalar") continue;
      if (place.variable.dtype !== this.lane) throw new NotFusible();
      used.add(place.variable);
    }
    return [...used];
  }
}

function uniformValue(x: Tensor): number {
  const values = x.data();
  if (x.dtype === "bool" || values.some((v) => !Object.is(v, values[0]))) throw new NotFusible();
  return values[0];
}

type Loop = (bytes: number, ...scalars: number[]) => void;

/** @param copies for each output, which input it is a copy of; -1 for those that the loop computes */
function loopOver(loop: Loop, lane: Lane, before: Graph, copies: readonly number[]): FusedKernel {
  const Values = lane === "float32" ? Float32Array : Float64Array;
  const perBlock = BLOCK / Values.BYTES_PER_ELEMENT;
  const views: (Float32Array | Float64Array)[] = [];
  for (let i = 0; i < ARRAYS; i++) views.push(new Values(sharedMemory().buffer, i * BLOCK, perBlock));
  return {
    run(arrays, scalars) {
      const numbers = before.apply(scalars).map((x) => x.item());
      const size = arrays[0].length;
      const outputs = copies.map((input) => (input < 0 ? new Values(size) : (arrays[input] as Float64Array).slice()));
      for (let from = 0; from < size; from += perBlock) {
        const count = Math.min(perBlock, size - from);
        const whole = count === size;
        arrays.forEach((array, i) => {
          views[i].set(whole ? array : array.subarray(from, from + count));
        });
        loop(count * Values.BYTES_PER_ELEMENT, ...numbers);
        outputs.forEach((output, i) => {
          if (copies[i] >= 0) return;
          const view = views[arrays.length + i];
          output.set(count === perBlock ? view : view.subarray(0, count), from);
        });
      }
      return outputs;
    },
  };
}
