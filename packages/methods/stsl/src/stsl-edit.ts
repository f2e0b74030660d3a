import {
  type Denoiser,
  ddimInvert,
  ddimSample,
  type Level,
  levelGrid,
  type SamplerOptions,
  samplerNames,
} from "@offprint/diffusion";
import {
  checkOptions,
  isTensor,
  requireFunction,
  requireObject,
  ShapeError,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import type { LatentModel } from "./latent-model.js";
import type { MeasurementLike } from "./measurement.js";
import { decodedImage, type RestoreResult } from "./restoration.js";
import { type StslOptions, stsl, stslNames } from "./stsl.js";

/** What an editor of latents is told: `bdiaEdit` of `@offprint/bdia` is one as it stands. */
export interface EditorOptions<C> extends Pick<SamplerOptions<C>, "dtype" | "backend" | "signal"> {
  /** From clean to noisy: those that are gone through. */
  readonly levels: readonly Level[];
  /** Describes the data as they are. */
  readonly source: C;
  /** Describes what they shall become. */
  readonly target: C;
}

/** Edits latents: inverts them with one condition and samples with another. */
export type Editor<C> = (
  denoiser: Denoiser<C>,
  latents: Tensor,
  options: EditorOptions<C>,
) => Promise<{ readonly x: Tensor }>;

/** Options of {@link stslEdit}; those of {@link stsl} are for the restoration, all but its condition. */
export interface StslEditOptions<C = Tensor> extends Omit<StslOptions<C>, "condition"> {
  /** Describes what the damaged picture shows. */
  readonly source: C;
  /** Describes what it shall show. */
  readonly target: C;
  /** Part of the levels that the edit goes through, in (0, 1]. Default 1. */
  readonly strength?: number;
  /** Levels of the edit. Default 50. */
  readonly editSteps?: number;
  /** Inverts and samples. Default DDIM there and back. */
  readonly editor?: Editor<C>;
}

/** What {@link stslEdit} gives. */
export interface StslEditResult extends RestoreResult {
  /** The edited images; undefined where the restoration ended before, or the signal came during the edit. */
  readonly edited: Tensor | undefined;
}

async function ddimEdit<C>(denoiser: Denoiser<C>, latents: Tensor, options: EditorOptions<C>) {
  const { source, target, ...common } = options;
  const { x } = await ddimInvert(denoiser, latents, { ...common, condition: source });
  return ddimSample(denoiser, x, { ...common, condition: target });
}

const editNames = ["source", "target", "strength", "editSteps", "editor"] as const;

/**
 * Edits a damaged picture: restores it with the source condition, inverts the restored latents to the level that `strength` says, and samples from
 * there with the target condition. The result is that of the restoration, and the edited images beside it; a signal during
 * the edit leaves them out, with the status `aborted`, and what is resumed is edited anew.
 * @throws ValueError like {@link stsl}, and for a strength that leaves no level.
 * @example await stslEdit(model, inpainting(mask), pictures, { source, target, strength: 0.8, editor: bdiaEdit });
 */
export async function stslEdit<C = Tensor>(
  model: LatentModel<C>,
  measurement: MeasurementLike,
  measured: TensorLike,
  options: StslEditOptions<C>,
): Promise<StslEditResult> {
  requireObject("stslEdit", "model", model, "a LatentModel");
  requireObject("stslEdit", "options", options, "{ source, target }");
  const owner = "stslEdit";
  const known = [...samplerNames, ...stslNames].filter((name) => name !== "condition");
  checkOptions(owner, options, [...known, ...editNames]);
  const { source, target, strength = 1, editSteps = 50, editor = ddimEdit<C>, ...rest } = options;
  requireFunction(owner, "editor", editor);
  if (source === undefined || target === undefined) {
    throw new ValueError(`${owner}: source and target are the conditions of the edit; give both`);
  }
  const grid = levelGrid(model.denoiser.schedule, editSteps, gridOf(options));
  const top = Math.floor(editSteps * strength + 1e-9);
  if (!(strength > 0 && strength <= 1 && top >= 1)) {
    throw new ValueError(
      `${owner}: strength is ${String(strength)}; it must lie in (0, 1] and leave at least one of the ${editSteps} levels`,
    );
  }
  const restored = await stsl(model, measurement, measured, { ...rest, condition: source });
  if (restored.status !== "limit") return { ...restored, edited: undefined };
  const { backend, signal } = options;
  const made = await editor(model.denoiser, restored.z, {
    ...{ levels: grid.slice(0, top + 1), source, target, dtype: restored.z.dtype as "float64" },
    ...(backend && { backend }),
    ...(signal && { signal }),
  });
  if (signal?.aborted) return { ...restored, status: "aborted", edited: undefined };
  const x: unknown = made?.x;
  if (!isTensor(x)) throw new ValueError(`${owner}: editor must give { x }, latents [${restored.z.shape}]`);
  if (x.shape.join() !== restored.z.shape.join()) {
    throw new ShapeError(`${owner}: editor gave latents [${x.shape}] for [${restored.z.shape}]`);
  }
  return { ...restored, edited: await decodedImage(model, x) };
}

function gridOf<C>({ spacing, clean, offset, rho }: StslEditOptions<C>) {
  return {
    ...(spacing !== undefined && { spacing }),
    ...(clean !== undefined && { clean }),
    ...(offset !== undefined ? { offset } : { offset: 0 }),
    ...(rho !== undefined && { rho }),
  };
}
