import { layerShapes } from "../feed-forward.js";
import type { Layer } from "../layer.js";

/** The layers read so far. */
export class Chain {
  readonly layers: Layer[] = [];
  /** Name of the value that the last layer gives. */
  head: string;
  /** Its shape, with a first axis of one sample. */
  shape: readonly number[];
  /** Name of the value that the last layer takes. */
  before: string | undefined;

  constructor(input: string, shape: readonly number[]) {
    this.head = input;
    this.shape = shape;
  }

  /**
   * Appends a layer whose output is called `name`.
   *
   * @throws ShapeError and ValueError where it does not fit
   */
  push(layer: Layer, name: string): true {
    const [, after] = layerShapes({ inputShape: this.shape.slice(1), layers: [layer] });
    this.layers.push(layer);
    this.shape = [1, ...after];
    this.before = this.head;
    this.head = name;
    return true;
  }

  /** Puts another layer in place of the last one, with outputs of the same shape. */
  replace(layer: Layer, name: string): true {
    this.layers[this.layers.length - 1] = layer;
    this.head = name;
    return true;
  }

  /** The same values under another name. */
  rename(name: string): true {
    this.head = name;
    return true;
  }
}
