import { type Tensor, UnsupportedError } from "@offprint/tensor-core";
import { type Activation, activation } from "../activation.js";

/**
 * A number that a node of the graph computes, for one sample, as a function of the state (the input, or the activations
 * of the layer before): an affine form, or one output of an activation on affine forms. Movement operators only carry
 * these around, so that pairs are recognised however they are sliced, stacked and reshaped.
 */
export type Neuron = Affine | Activated;

/** `row . state + bias` */
export interface Affine {
  readonly kind: "affine";
  /** Number of layers before the state that it stands on. */
  readonly depth: number;
  /** Entry of the state, where the form is just that. */
  readonly index?: number;
  readonly row: Float64Array;
  readonly bias: number;
}

/** The output of rank `rank` of an activation of the sources. */
export interface Activated {
  readonly kind: "activated";
  readonly activation: Activation;
  readonly sources: readonly Affine[];
  /** For a sort: place in ascending order; else 0. */
  readonly rank: number;
}

/** Neurons in the shape that the graph gives them, with a first axis of one sample. */
export interface NeuronArray {
  readonly shape: readonly number[];
  readonly neurons: readonly Neuron[];
}

/** A layer: its pre-activations on the state before, and how they are grouped. */
export interface TracedLayer {
  readonly rows: Affine[];
  readonly activations: { readonly activation: Activation; readonly size: number }[];
  /** Where groups that were met before begin. */
  readonly starts: Map<string, number>;
}

/** Most numbers in all affine forms of a file, 512 MiB: small files can declare inputs and paddings of any size. */
const MOST_NUMBERS = 2 ** 26;
/** What a form takes besides its row, in numbers. */
const OVERHEAD = 128;

const identity = activation("identity");

/**
 * The layers read so far. Each activation belongs to the layer after the state on which its sources stand, and a value
 * that is needed later, as in a residual sum, is carried through the layers between by units that leave it as it is.
 */
export class LayerStack {
  readonly layers: TracedLayer[] = [];
  /** Numbers in the affine forms made so far. */
  private numbers = 0;
  /** Activations as entries of the state after them. */
  private readonly lifted = new Map<Neuron, Affine>();
  /** Values one layer later. */
  private readonly carried = new Map<Affine, Affine>();
  private readonly names = new Map<Affine, number>();

  constructor(private readonly inputs: number) {}

  /** Length of the state after so many layers. It grows where a value is carried: rows may be shorter, and go on with 0. */
  sizeAt(depth: number): number {
    return depth === 0 ? this.inputs : this.layers[depth - 1].rows.length;
  }

  /**
   * Zeros for an affine form on a state.
   *
   * @throws UnsupportedError before more memory is taken than a file may ask for
   */
  row(depth: number): Float64Array {
    const size = this.sizeAt(depth);
    this.numbers += size + OVERHEAD;
    if (!(this.numbers <= MOST_NUMBERS)) {
      throw new UnsupportedError(
        `fromOnnx: layers of ${size} values need more than ${MOST_NUMBERS} numbers written out; only smaller networks are read`,
      );
    }
    return new Float64Array(size);
  }

  /** The network's input. */
  state(): Affine[] {
    return Array.from({ length: this.inputs }, (_, index) => this.entry(0, index));
  }

  private entry(depth: number, index: number): Affine {
    const row = this.row(depth);
    row[index] = 1;
    return { kind: "affine", depth, index, row, bias: 0 };
  }

  /** The neurons as affine forms on one state, after the activations among them. */
  affine(neurons: readonly Neuron[]): readonly Affine[] {
    // All activations become units before the first form on them is made: rows have their final length, mostly.
    const places = neurons.map((neuron) => (neuron.kind === "affine" ? undefined : this.unit(neuron)));
    const forms = neurons.map((neuron, k) => (neuron.kind === "affine" ? neuron : this.lift(neuron, places[k]!)));
    const depth = deepest(forms);
    return forms.map((form) => this.carry(form, depth));
  }

  /** Where an activation is in its layer. */
  private unit({ activation, sources, rank }: Activated): { depth: number; index: number } {
    const depth = deepest(sources);
    const own = sources.map((source) => this.carry(source, depth));
    return { depth: depth + 1, index: this.group(depth, activation, own) + rank };
  }

  private lift(neuron: Activated, { depth, index }: { depth: number; index: number }): Affine {
    const known = this.lifted.get(neuron);
    if (known !== undefined) return known;
    const entry = this.entry(depth, index);
    this.lifted.set(neuron, entry);
    return entry;
  }

  /** The same value on a later state. */
  private carry(form: Affine, depth: number): Affine {
    let own = form;
    while (own.depth < depth) {
      let next = this.carried.get(own);
      if (next === undefined) {
        next = own.row.every((value) => value === 0)
          ? { kind: "affine", depth: own.depth + 1, row: own.row.subarray(0, 0), bias: own.bias }
          : this.entry(own.depth + 1, this.group(own.depth, identity, [own]));
        this.carried.set(own, next);
      }
      own = next;
    }
    return own;
  }

  /** Where an activation of forms on a state begins in the layer after it. */
  private group(depth: number, activation: Activation, sources: readonly Affine[]): number {
    if (depth === this.layers.length) this.layers.push({ rows: [], activations: [], starts: new Map() });
    const { rows, activations, starts } = this.layers[depth];
    // In whatever order a sort takes them.
    const key = `${JSON.stringify(activation)} ${sources
      .map((source) => this.name(source))
      .sort()
      .join()}`;
    const known = starts.get(key);
    if (known !== undefined) return known;
    starts.set(key, rows.length);
    activations.push({ activation, size: sources.length });
    const start = rows.length;
    for (const source of sources) rows.push(source);
    return start;
  }

  /** Equal for one form, and for one entry of a state. */
  private name(form: Affine): string {
    if (form.index !== undefined) return `entry ${form.index}`;
    let name = this.names.get(form);
    if (name === undefined) {
      name = this.names.size;
      this.names.set(form, name);
    }
    return String(name);
  }
}

/** Number of layers before the last state that some form stands on. */
export function deepest(forms: readonly Affine[]): number {
  return forms.reduce((most, { depth }) => Math.max(most, depth), 0);
}

/** A constant as neurons that do not depend on anything. */
export function asNeurons(x: Tensor, stack: LayerStack): NeuronArray {
  const row = stack.row(0);
  const neurons = Array.from(x.data(), (bias): Affine => ({ kind: "affine", depth: 0, row, bias }));
  return { shape: x.shape, neurons };
}

/** `sum_k factors[k] forms[k] + bias` */
export function affineCombination(
  forms: readonly Affine[],
  factors: ArrayLike<number>,
  bias: number,
  stack: LayerStack,
): Affine {
  const depth = forms[0]?.depth ?? 0;
  const row = stack.row(depth);
  let constant = bias;
  for (let k = 0; k < forms.length; k++) {
    const factor = factors[k];
    if (factor === 0) continue;
    const form = forms[k];
    constant += factor * form.bias;
    if (form.index !== undefined) row[form.index] += factor;
    else for (let j = 0; j < form.row.length; j++) row[j] += factor * form.row[j];
  }
  return { kind: "affine", depth, row, bias: constant };
}
