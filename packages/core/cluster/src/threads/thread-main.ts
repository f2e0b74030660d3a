/**
 * The module that a thread of a cluster begins with. Import nothing from it: a bundler is told to make a file of its own
 * of it, and `entry` where that file is.
 *
 * @module
 */
import { platform } from "#platform";
import { serveThread } from "./serve-thread.js";

serveThread(platform.ownPort());
