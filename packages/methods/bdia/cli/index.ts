import { editImage } from "./edit-image.js";
import { invertImage } from "./invert-image.js";

/** The commands of this package. */
export const commands = [invertImage, editImage];
