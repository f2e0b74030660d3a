import type { OnnxNode } from "@offprint/onnx-format";
import { type Tensor, UnsupportedError } from "@offprint/tensor-core";
import { type Activation, activation, type ScalarActivation, scalarParameters } from "../activation.js";
import type { ScalarName } from "../scalar-functions.js";
import type { Neuron } from "./neurons.js";
import {
  affine,
  constant,
  neurons,
  numbers,
  type Operator,
  type OperatorContext,
  type OperatorInput,
} from "./operator.js";
import { broadcastPlace, broadcastShapes, eachIndex } from "./shapes.js";

/** The activation that a node is, from its attributes and further inputs. */
type Reader = (context: Pick<OperatorContext, "node" | "where">, inputs: readonly OperatorInput[]) => Activation;

const named =
  (name: ScalarName): Reader =>
  () =>
    activation(name);

/** An activation whose parameters are attributes of these names, with ONNX's defaults. */
function withAttributes(name: ScalarName, attributes: Readonly<Record<string, readonly [string, number]>>): Reader {
  return ({ node, where }) => {
    const parameters = Object.entries(attributes).map(([parameter, [attribute, fallback]]) => {
      const value = node.attributes[attribute] ?? fallback;
      if (typeof value !== "number" || !Number.isFinite(value)) {
        throw new UnsupportedError(`${where}: the attribute "${attribute}" must be a finite number`);
      }
      return [parameter, value];
    });
    return activation(name, Object.fromEntries(parameters));
  };
}

/** A limit of a Clip: its own input, in old files an attribute, or none. */
function limit(node: OnnxNode, input: OperatorInput, name: "min" | "max", where: string, none: number): number {
  if (input === undefined) return typeof node.attributes[name] === "number" ? node.attributes[name] : none;
  const values = numbers(constant(input, where, `its ${name}`));
  if (values.length !== 1 || Number.isNaN(values[0])) {
    throw new UnsupportedError(`${where}: its ${name} must be one number`);
  }
  return values[0];
}

/**
 * `min(max(x, low), high)`, a ReLU where that is one.
 *
 * @throws UnsupportedError where the limits leave nothing between them
 */
export function clipping(low: number, high: number, where: string): Activation {
  if (low === 0 && high === Infinity) return activation("relu");
  if (low === -Infinity && high === Infinity) return activation("identity");
  if (!(low < high)) throw new UnsupportedError(`${where} clips to [${low}, ${high}], which has no inside`);
  return activation("clip", { low, high });
}

/** Leaky ReLUs by the slopes of a PRelu. */
function leaky(slope: number, where: string): ScalarActivation {
  if (slope === 0 || slope === 1) return { kind: "scalar", name: slope === 0 ? "relu" : "identity" };
  if (Number.isFinite(slope)) return { kind: "scalar", name: "leakyRelu", parameters: { slope } };
  throw new UnsupportedError(`${where}: its slopes must be finite numbers`);
}

/** A PRelu whose slopes may differ by neuron. */
const parametricRelu: Operator = (inputs, context) => {
  const x = neurons(inputs[0], context);
  const slopes = constant(inputs[1], context.where, "the slope");
  const data = slopes.data();
  broadcastShapes(x.shape, slopes.shape, context.where);
  const forms = affine(x, context);
  const out: Neuron[] = [];
  eachIndex(x.shape, (index, place) => {
    const act = leaky(data[broadcastPlace(index, slopes.shape)], context.where);
    out.push({ kind: "activated", activation: act, sources: [forms[place]], rank: 0 });
  });
  return [{ shape: x.shape, neurons: out }];
};

/** What a PRelu does whose slopes differ, to a sample `[1, ...]`. */
export function mixedLeaks(slopes: Tensor, shape: readonly number[], where: string): Activation {
  broadcastShapes(shape, slopes.shape, where);
  const data = slopes.data();
  const parts: { activation: ScalarActivation; count: number }[] = [];
  let before: number | undefined;
  eachIndex(shape, (index) => {
    const slope = data[broadcastPlace(index, slopes.shape)];
    if (slope === before) {
      parts[parts.length - 1].count++;
      return;
    }
    before = slope;
    parts.push({ activation: leaky(slope, where), count: 1 });
  });
  return { kind: "mixed", parts };
}

/** How near the numbers of a written HardSwish are to its own. */
const NEAR = 1e-6;

/** What `x` times a gate of `x` is: SiLU, or HardSwish; nothing for other gates. */
export function gatedBy(gate: Activation): Activation | undefined {
  if (gate.kind !== "scalar") return undefined;
  if (gate.name === "sigmoid") return activation("silu");
  if (gate.name !== "hardSigmoid") return undefined;
  const { alpha, beta } = scalarParameters(gate);
  return Math.abs(alpha - 1 / 6) < NEAR && beta === 0.5 ? activation("hardSwish") : undefined;
}

const readers: Readonly<Record<string, Reader>> = {
  Relu: named("relu"),
  Tanh: named("tanh"),
  Sigmoid: named("sigmoid"),
  Softplus: named("softplus"),
  Softsign: named("softsign"),
  Abs: named("abs"),
  Gelu: ({ node, where }) => {
    if ((node.attributes.approximate ?? "none") === "none") return activation("gelu");
    throw new UnsupportedError(`${where}: only GELU itself is read, not its approximation by tanh`);
  },
  Clip: ({ node, where }, [, low, high]) =>
    clipping(limit(node, low, "min", where, -Infinity), limit(node, high, "max", where, Infinity), where),
  LeakyRelu: withAttributes("leakyRelu", { slope: ["alpha", 0.01] }),
  ThresholdedRelu: (_) => {
    throw new UnsupportedError(`${_.where} is not continuous and has no Lipschitz constant`);
  },
  Elu: withAttributes("elu", { alpha: ["alpha", 1] }),
  Celu: withAttributes("celu", { alpha: ["alpha", 1] }),
  Selu: withAttributes("selu", { alpha: ["alpha", 1.6732632423543772], gamma: ["gamma", 1.0507009873554805] }),
  HardSwish: named("hardSwish"),
  HardSigmoid: withAttributes("hardSigmoid", { alpha: ["alpha", 0.2], beta: ["beta", 0.5] }),
};

/**
 * The scalar activation that a node is, or nothing where it is another operator, or differs by neuron.
 *
 * @throws UnsupportedError for parameters that are not read
 */
export function readActivation(
  context: Pick<OperatorContext, "node" | "where">,
  inputs: readonly OperatorInput[],
): Activation | undefined {
  const { operator } = context.node;
  if (operator === "PRelu") {
    const slopes = numbers(constant(inputs[1], context.where, "the slope"));
    return slopes.length > 0 && slopes.every((slope) => slope === slopes[0])
      ? leaky(slopes[0], context.where)
      : undefined;
  }
  return Object.hasOwn(readers, operator) ? readers[operator](context, inputs) : undefined;
}

function elementwise(read: Reader): Operator {
  return (inputs, context) => {
    const x = neurons(inputs[0], context);
    const act = read(context, inputs);
    const forms = affine(x, context);
    return [
      {
        shape: x.shape,
        neurons: forms.map((source) => ({ kind: "activated", activation: act, sources: [source], rank: 0 })),
      },
    ];
  };
}

/** Operators that act on each neuron. */
export const activationOperators: Readonly<Record<string, Operator>> = {
  ...Object.fromEntries(Object.entries(readers).map(([name, read]) => [name, elementwise(read)])),
  PRelu: parametricRelu,
};
