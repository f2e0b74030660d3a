import type { DType } from "../dtype.js";
import { TraceError } from "../errors.js";
import type { Primitive, Spec } from "../primitive.js";
import type { Shape } from "../shape.js";
import { detached } from "../tape.js";
import { Tensor } from "../tensor.js";
import { paramsText } from "./params.js";

/** A value in a graph. */
export class Variable implements Spec {
  constructor(
    readonly id: number,
    readonly shape: Shape,
    readonly dtype: DType,
  ) {}
}

/** One operation of a graph. */
export interface Equation<P = unknown> {
  /** What is done. */
  readonly primitive: Primitive<P>;
  /** What it is done to. */
  readonly inputs: readonly Variable[];
  /** The parameters of the primitive. */
  readonly params: P;
  /** What it gives. */
  readonly outputs: readonly Variable[];
}

/** A value from outside that a traced function uses. */
export interface Capture {
  /** What stands for the value in the graph. */
  readonly variable: Variable;
  /** The value. */
  readonly value: Tensor;
}

/** Collects the operations of a function that is being traced; equal operations are merged as they come. */
export class GraphBuilder {
  readonly equations: Equation[] = [];
  readonly inputs: Variable[] = [];
  private readonly captures = new Map<unknown, Capture>();
  private readonly known = new Map<string, Tensor[]>();
  private readonly paramKeys = new WeakMap<object, string>();
  private nextId = 0;
  private closed = false;

  constructor(readonly level: number) {}

  /** A new input of the graph. */
  input(spec: Spec): Tensor {
    const variable = this.fresh(spec);
    this.inputs.push(variable);
    return this.symbolic(variable);
  }

  /** Adds an operation, or finds the equal one that is there already. */
  add<P>(primitive: Primitive<P>, inputs: readonly Tensor[], params: P): Tensor[] {
    if (this.closed) {
      throw new TraceError(
        `${primitive.name}: a value of a finished trace is used; traced values must not leave their function`,
      );
    }
    const specs = primitive.outputs(inputs, params);
    const variables = inputs.map((x) => this.variableOf(x));
    const key = primitive.opaque ? undefined : this.key(primitive, variables, params);
    const equal = key === undefined ? undefined : this.known.get(key);
    if (equal !== undefined) return equal;
    const outputs = specs.map((spec) => this.fresh(spec));
    this.equations.push({ primitive, inputs: variables, params, outputs });
    const tensors = outputs.map((v) => this.symbolic(v));
    if (key !== undefined) this.known.set(key, tensors);
    return tensors;
  }

  /** The variable that stands for `x` here; a value from outside becomes a capture. */
  variableOf(x: Tensor): Variable {
    const storage = x.storage;
    if (storage.kind === "symbolic" && storage.builder === this) return storage.variable;
    const identity = x.record !== null ? x : storage.kind === "symbolic" ? storage.variable : storage;
    let capture = this.captures.get(identity) ?? this.equalScalar(x);
    if (capture === undefined) {
      capture = { variable: this.fresh(x), value: x };
      this.captures.set(identity, capture);
    }
    return capture.variable;
  }

  /** Ends the trace and hands out the values captured from outside. */
  close(): Capture[] {
    this.closed = true;
    return [...new Set(this.captures.values())];
  }

  /** Equal constants of one value are one constant. */
  private equalScalar(x: Tensor): Capture | undefined {
    const storage = x.storage;
    if (storage.kind !== "host" || x.record !== null) return undefined;
    if (x.size === 0 || storage.strides.some((step, axis) => step !== 0 && x.shape[axis] !== 1)) return undefined;
    const value = storage.data[storage.offset];
    const key = `${x.dtype} ${Object.is(value, -0) ? "-0" : value} ${x.shape.join()}`;
    const found = this.captures.get(key);
    if (found !== undefined) return found;
    const capture = { variable: this.fresh(x), value: detached(x) };
    this.captures.set(key, capture);
    return capture;
  }

  private fresh(spec: Spec): Variable {
    return new Variable(this.nextId++, spec.shape, spec.dtype);
  }

  private symbolic(variable: Variable): Tensor {
    return new Tensor(variable.shape, variable.dtype, { kind: "symbolic", builder: this, variable });
  }

  private key(primitive: Primitive, inputs: readonly Variable[], params: unknown): string {
    let text = "";
    if (typeof params === "object" && params !== null) {
      const cached = this.paramKeys.get(params);
      text = cached ?? paramsText(params);
      if (cached === undefined) this.paramKeys.set(params, text);
    } else if (params !== undefined) text = String(params);
    return `${primitive.name}(${inputs.map((v) => v.id).join()})${text}`;
  }
}
