import { refineScheduleCommand } from "./refine-schedule.js";

/** What this package adds to `offprint`. */
export const commands = [refineScheduleCommand];
