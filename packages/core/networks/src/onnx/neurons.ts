import { UnsupportedError } from "@offprint/tensor-core";
import type { Activation } from "../activation.js";

/**
 * A number that a node of the graph computes, for one sample, as a function of the state (the input, or the activations
 * of the layer before): an affine form, or one output of an activation on affine forms. Movement operators only carry
 * these around, so that pairs are recognised however they are sliced, stacked and reshaped.
 */
export type Neuron = Affine | Activated;

/** `row . state + bias` */
export interface Affine {
  readonly kind: "affine";
  /** Number of finished layers before the state that it stands on. */
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

/** A layer that is finished: its pre-activations on the state before, and how they are grouped. */
export interface FinishedLayer {
  readonly rows: readonly Affine[];
  readonly activations: readonly { readonly activation: Activation; readonly size: number }[];
}

/** Most numbers in all affine forms of a file, 512 MiB: small files can declare inputs and paddings of any size. */
const MOST_NUMBERS = 2 ** 26;
/** What a form takes besides its row, in numbers. */
const OVERHEAD = 128;

/** The layers read so far, and the state on which affine forms now stand. */
export class LayerStack {
  readonly finished: FinishedLayer[] = [];
  /** Length of the state. */
  size: number;
  /** Numbers in the affine forms made so far. */
  private numbers = 0;
  /** Activations of the layer that was finished last, as entries of the state. */
  private lifted = new Map<Neuron, Affine>();

  constructor(inputs: number) {
    this.size = inputs;
  }

  /**
   * Zeros for an affine form on the state.
   *
   * @throws UnsupportedError before more memory is taken than a file may ask for
   */
  row(): Float64Array {
    this.numbers += this.size + OVERHEAD;
    if (!(this.numbers <= MOST_NUMBERS)) {
      throw new UnsupportedError(
        `fromOnnx: layers of ${this.size} values need more than ${MOST_NUMBERS} numbers written out; only smaller networks are read`,
      );
    }
    return new Float64Array(this.size);
  }

  /** The state itself. */
  state(): Affine[] {
    return Array.from({ length: this.size }, (_, index) => {
      const row = this.row();
      row[index] = 1;
      return { kind: "affine", depth: this.depth, index, row, bias: 0 };
    });
  }

  /** Number of finished layers. */
  get depth(): number {
    return this.finished.length;
  }

  /**
   * Makes the activations among some neurons the next layer, whose outputs are the new state, and returns the neurons as
   * affine forms on it.
   *
   * @throws UnsupportedError where affine forms of the old state are still among them, as in a residual connection
   */
  private finish(neurons: readonly Neuron[], where: string): Affine[] {
    const rows: Affine[] = [];
    const activations: FinishedLayer["activations"][number][] = [];
    const starts = new Map<string, number>();
    const names = new Map<Affine, number>();
    const name = (source: Affine): number => {
      const known = names.get(source);
      if (known !== undefined) return known;
      names.set(source, names.size);
      return names.size - 1;
    };
    const places = neurons.map((neuron) => {
      if (neuron.kind === "affine") {
        if (neuron.row.every((value) => value === 0)) return undefined;
        throw new UnsupportedError(
          `${where} joins values before and after an activation (a skip connection); only plain feed-forward networks are read`,
        );
      }
      const key = `${JSON.stringify(neuron.activation)} ${neuron.sources
        .map(name)
        .sort((a, b) => a - b)
        .join()}`;
      let start = starts.get(key);
      if (start === undefined) {
        start = rows.length;
        starts.set(key, start);
        for (const source of neuron.sources) {
          this.checkDepth(source, where);
          rows.push(source);
        }
        activations.push({ activation: neuron.activation, size: neuron.sources.length });
      }
      return start + neuron.rank;
    });
    this.finished.push({ rows, activations });
    this.size = rows.length;
    this.lifted = new Map();
    return places.map((index, k) => {
      const row = this.row();
      if (index === undefined) return { kind: "affine", depth: this.depth, row, bias: (neurons[k] as Affine).bias };
      row[index] = 1;
      const entry: Affine = { kind: "affine", depth: this.depth, index, row, bias: 0 };
      this.lifted.set(neurons[k], entry);
      return entry;
    });
  }

  /**
   * The neurons as affine forms on the state, after a new layer where there are activations among them.
   *
   * @throws UnsupportedError where they stand on different states, as in a residual connection
   */
  affine(neurons: readonly Neuron[], where: string): readonly Affine[] {
    const known = neurons.map((neuron) => this.lifted.get(neuron) ?? neuron);
    if (known.some(({ kind }) => kind === "activated")) return this.finish(known, where);
    for (const form of known as readonly Affine[]) this.checkDepth(form, where);
    return known as readonly Affine[];
  }

  private checkDepth(form: Affine, where: string): void {
    if (form.depth === this.depth) return;
    throw new UnsupportedError(
      `${where} joins values before and after an activation (a skip connection or a branch); only plain feed-forward ` +
        "networks are read",
    );
  }
}

/** `sum_k factors[k] forms[k] + bias` */
export function affineCombination(
  forms: readonly Affine[],
  factors: ArrayLike<number>,
  bias: number,
  stack: LayerStack,
): Affine {
  const row = stack.row();
  const { size, depth } = stack;
  let constant = bias;
  for (let k = 0; k < forms.length; k++) {
    const factor = factors[k];
    if (factor === 0) continue;
    const form = forms[k];
    constant += factor * form.bias;
    if (form.index !== undefined) row[form.index] += factor;
    else for (let j = 0; j < size; j++) row[j] += factor * form.row[j];
  }
  return { kind: "affine", depth, row, bias: constant };
}
