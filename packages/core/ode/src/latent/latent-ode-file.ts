import { loadDescribed, saveDescribed } from "@offprint/nn";
import { checkOptions, ValueError } from "@offprint/tensor-core";
import { type LatentOde, type LatentOdeOptions, type LatentOdeParameters, latentOde } from "./latent-ode.js";

const FORMAT = "offprint latent-ode 1";

/** A latent ODE with its parameters, as a file holds it. */
export interface SavedLatentOde {
  /** What it was made of: widths of layers, no layers of one's own. */
  readonly options: LatentOdeOptions;
  /** Its parameters. */
  readonly params: LatentOdeParameters;
  /** What else is known of it, such as names and ranges of the quantities: plain data (default none). */
  readonly about?: object;
}

/** What {@link loadLatentOde} gives. */
export interface LoadedLatentOde extends Required<SavedLatentOde> {
  /** The model. */
  readonly latent: LatentOde;
}

/**
 * The bytes of a safetensors file with a latent ODE.
 * @throws ValueError for layers of one's own, which no file can describe: those are saved by `saveParameters` of @offprint/nn.
 */
export function saveLatentOde(saved: SavedLatentOde): Uint8Array {
  checkOptions("saveLatentOde", saved, ["options", "params", "about"], ["options", "params"]);
  const { options, params, about = {} } = saved;
  for (const name of ["rate", "decoder"] as const) {
    if (options[name] === undefined || Array.isArray(options[name])) continue;
    throw new ValueError(
      `saveLatentOde: ${name} is a layer of your own, which a file cannot describe; give widths, or save the parameters alone by saveParameters of @offprint/nn`,
    );
  }
  return saveDescribed(FORMAT, { options, about }, params);
}

/**
 * Reads what {@link saveLatentOde} wrote.
 * @throws FormatError for other files, and damaged ones.
 * @example const { latent, params } = await loadFile("model.safetensors", loadLatentOde);
 */
export function loadLatentOde(bytes: Uint8Array): LoadedLatentOde {
  type Described = Pick<LoadedLatentOde, "options" | "about">;
  const { description, model, params } = loadDescribed(bytes, FORMAT, ({ options }: Described) => latentOde(options));
  return { ...description, latent: model, params };
}
