import { Failure, option } from "@offprint/commands";
import { readImage } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import type { Tensor } from "@offprint/tensor-core";
import { gaussianBlur, inpainting, type Measurement, motionBlur, superResolution } from "../src/index.js";

/** Options that say what happened to the picture. */
export const operatorOptions = {
  operator: option.choice(
    ["inpainting", "super-resolution", "gaussian-blur", "motion-blur"],
    "what happened to the picture",
    { required: true },
  ),
  mask: option.fileIn("inpainting: picture that is white where something is missing (PNG, PNM)"),
  factor: option.integer("super-resolution: how many times larger; default 4", { least: 2 }),
  deviation: option.number("gaussian-blur: standard deviation in pixels; default 3", { above: 0 }),
  length: option.number("motion-blur: length in pixels; default 9", { above: 0 }),
  angle: option.number("motion-blur: direction in degrees, anticlockwise from the right; default 0"),
};

/** What was said of the operator. */
export interface OperatorWords {
  /** Its name. */
  readonly operator: "inpainting" | "super-resolution" | "gaussian-blur" | "motion-blur";
  /** File of the mask. */
  readonly mask: string | undefined;
  /** Of super-resolution. */
  readonly factor: number | undefined;
  /** Of the blur. */
  readonly deviation: number | undefined;
  /** Of the movement. */
  readonly length: number | undefined;
  /** Of the movement. */
  readonly angle: number | undefined;
}

const operatorOf = {
  mask: "inpainting",
  factor: "super-resolution",
  deviation: "gaussian-blur",
  length: "motion-blur",
  angle: "motion-blur",
} as const;

/** @throws Failure for an option of another operator, and for inpainting without a mask. */
export function checkOperator(words: OperatorWords): void {
  for (const [name, operator] of Object.entries(operatorOf)) {
    if (words[name as keyof typeof operatorOf] === undefined || operator === words.operator) continue;
    throw new Failure(`--${name} is of --operator ${operator}; leave it out for ${words.operator}`);
  }
  if (words.operator === "inpainting" && words.mask === undefined) {
    throw new Failure("--operator inpainting needs --mask, a picture that is white where something is missing");
  }
}

/** The measurement by its name, and what was measured: the picture, `[1, channels, height, width]` in [-1, 1], black where it is missing. */
export async function measured(
  { operator, mask: maskFile, factor = 4, deviation = 3, length = 9, angle = 0 }: OperatorWords,
  picture: Tensor,
): Promise<{ measurement: Measurement; y: Tensor }> {
  if (operator === "super-resolution") return { measurement: superResolution(factor), y: picture };
  if (operator === "gaussian-blur") return { measurement: gaussianBlur({ deviation }), y: picture };
  if (operator === "motion-blur") return { measurement: motionBlur({ length, angle }), y: picture };
  const mask = await loadFile(maskFile as string, (bytes) => readImage(bytes, { layout: "CHW", channels: 1 }));
  const [, height, width] = mask.shape;
  if (height !== picture.shape[2] || width !== picture.shape[3]) {
    throw new Failure(
      `${maskFile}: the mask has ${width} x ${height} pixels, the picture ${picture.shape[3]} x ${picture.shape[2]}; give a mask of its size`,
    );
  }
  const seen = mask.less(0.5);
  if (!seen.data().includes(1)) {
    throw new Failure(
      `${maskFile}: the mask is white throughout, so that nothing of the picture was seen; leave black what was`,
    );
  }
  const measurement = inpainting(seen.cast("float64").reshape([height, width]));
  return { measurement, y: measurement.apply(picture) };
}
