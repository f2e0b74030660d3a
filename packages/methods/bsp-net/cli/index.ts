import type { MethodCommand } from "@offprint/claims";
import { mesh } from "./mesh.js";

/** What this package adds to `offprint`. */
export const commands: readonly MethodCommand[] = [mesh];
