import { loadParameters } from "@offprint/nn";

/** A network that was trained before: the tree `like` with the values of a safetensors file in base64. */
export function shippedNetwork<P>(weights: string, like: P): P {
  return loadParameters(
    Uint8Array.from(atob(weights), (character) => character.charCodeAt(0)),
    like,
  );
}
