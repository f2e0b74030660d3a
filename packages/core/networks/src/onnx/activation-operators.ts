import type { OnnxNode } from "@offprint/onnx-format";
import { type Tensor, UnsupportedError } from "@offprint/tensor-core";
import { type Activation, activation } from "../activation.js";
import type { ScalarName } from "../scalar-functions.js";
import {
  affine,
  constant,
  neurons,
  numbers,
  type Operator,
  type OperatorContext,
  type OperatorInput,
} from "./operator.js";

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

function leaky(slopes: Tensor, where: string): Activation {
  const values = numbers(slopes);
  if (values.length === 0 || !values.every(Number.isFinite)) {
    throw new UnsupportedError(`${where}: its slopes must be finite numbers`);
  }
  if (values.every((value) => value === values[0])) return activation("leakyRelu", { slope: values[0] });
  return { kind: "slope", alpha: Math.min(1, ...values), beta: Math.max(1, ...values) };
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
  PRelu: ({ where }, [, slopes]) => leaky(constant(slopes, where, "the slope"), where),
  ThresholdedRelu: (_) => {
    throw new UnsupportedError(`${_.where} is not continuous and has no Lipschitz constant`);
  },
  Elu: withAttributes("elu", { alpha: ["alpha", 1] }),
  Celu: withAttributes("celu", { alpha: ["alpha", 1] }),
  Selu: withAttributes("selu", { alpha: ["alpha", 1.6732632423543772], gamma: ["gamma", 1.0507009873554805] }),
  HardSigmoid: withAttributes("hardSigmoid", { alpha: ["alpha", 0.2], beta: ["beta", 0.5] }),
};

/**
 * The scalar activation that a node is, or nothing where it is another operator.
 *
 * @throws UnsupportedError for parameters that are not read
 */
export function readActivation(
  context: Pick<OperatorContext, "node" | "where">,
  inputs: readonly OperatorInput[],
): Activation | undefined {
  const { operator } = context.node;
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
export const activationOperators: Readonly<Record<string, Operator>> = Object.fromEntries(
  Object.entries(readers).map(([name, read]) => [name, elementwise(read)]),
);
