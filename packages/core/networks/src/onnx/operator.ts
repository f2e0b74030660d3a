import type { OnnxNode } from "@offprint/onnx-format";
import { type Tensor, UnsupportedError } from "@offprint/tensor-core";
import { type Affine, asNeurons, type LayerStack, type Neuron, type NeuronArray } from "./neurons.js";
import { eachIndex } from "./shapes.js";

/** What an operator is given: neurons, a constant, or nothing for an optional input. */
export type OperatorInput = NeuronArray | Tensor | undefined;

/** What operators need besides their inputs. */
export interface OperatorContext {
  readonly node: OnnxNode;
  readonly stack: LayerStack;
  /** The node for error messages. */
  readonly where: string;
}

/** An operator of the graph. */
export type Operator = (inputs: readonly OperatorInput[], context: OperatorContext) => OperatorInput[];

/** Whether an input is computed from the network's input. */
export const isNeurons = (x: OperatorInput): x is NeuronArray => x !== undefined && "neurons" in x;

/**
 * An input that is computed.
 *
 * @throws UnsupportedError where it is not
 */
export function neurons(x: OperatorInput, { where }: OperatorContext): NeuronArray {
  if (!isNeurons(x)) throw new UnsupportedError(`${where}: its first input does not depend on the network's input`);
  return x;
}

/**
 * An input that is a constant.
 *
 * @throws UnsupportedError where it is not
 */
export function constant(x: OperatorInput, where: string, which: string): Tensor {
  if (x === undefined || isNeurons(x)) throw new UnsupportedError(`${where}: ${which} must be a constant`);
  return x;
}

/**
 * An input that is moved: a constant becomes neurons that do not depend on anything.
 *
 * @throws UnsupportedError where it is missing
 */
export function movable(x: OperatorInput, { stack, where }: OperatorContext): NeuronArray {
  if (x === undefined) throw new UnsupportedError(`${where}: an input is missing`);
  return isNeurons(x) ? x : asNeurons(x, stack);
}

/**
 * The extents that an input holds.
 *
 * @throws UnsupportedError where it is no constant, or its numbers are no extents
 */
export function shapeInput(x: OperatorInput, { where }: Pick<OperatorContext, "where">): number[] {
  const shape = numbers(constant(x, where, "the shape"));
  if (shape.every((n) => Number.isSafeInteger(n) && n >= 0)) return shape;
  throw new UnsupportedError(`${where}: [${shape}] is no shape`);
}

/** The numbers of a constant. */
export const numbers = (x: Tensor): number[] => Array.from(x.data());

/**
 * An attribute that is a number, or its default.
 *
 * @throws UnsupportedError where it is something else
 */
export function numberAttribute(
  { node, where }: Pick<OperatorContext, "node" | "where">,
  name: string,
  fallback: number,
): number {
  const value = node.attributes[name] ?? fallback;
  if (typeof value === "number") return value;
  throw new UnsupportedError(`${where}: the attribute "${name}" must be a number`);
}

/**
 * An attribute that is a list of numbers, or nothing.
 *
 * @throws UnsupportedError where it is something else
 */
export function listAttribute(
  { node, where }: Pick<OperatorContext, "node" | "where">,
  name: string,
): readonly number[] | undefined {
  const value = node.attributes[name];
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((n) => typeof n === "number")) return value;
  throw new UnsupportedError(`${where}: the attribute "${name}" must be a list of numbers`);
}

/**
 * Refuses a batch normalisation that is exported for training.
 *
 * @throws UnsupportedError where statistics are those of the batch
 */
export function requireFixedStatistics(context: Pick<OperatorContext, "node" | "where">): void {
  if (numberAttribute(context, "training_mode", 0) === 0) return;
  throw new UnsupportedError(`${context.where} normalises by the batch; export the network for evaluation`);
}

/**
 * Carries neurons to new places: `from[k]` is where the k-th comes from.
 *
 * @throws UnsupportedError for a place outside
 */
export function moved(
  x: NeuronArray,
  shape: readonly number[],
  from: (index: readonly number[]) => number,
  { where }: OperatorContext,
): NeuronArray {
  const out: Neuron[] = [];
  eachIndex(shape, (index) => out.push(neuronAt(x, from(index), where)));
  return { shape, neurons: out };
}

/**
 * The neuron at a place.
 *
 * @throws UnsupportedError where there is none
 */
export function neuronAt({ shape, neurons: all }: NeuronArray, place: number, where: string): Neuron {
  const neuron = all[place];
  if (neuron !== undefined) return neuron;
  throw new UnsupportedError(`${where} reads outside its input of shape [${shape}]; the file is damaged`);
}

/** Neurons as affine forms on one state, after the activations among them. */
export function affine(x: NeuronArray, { stack }: OperatorContext): readonly Affine[] {
  return stack.affine(x.neurons);
}
