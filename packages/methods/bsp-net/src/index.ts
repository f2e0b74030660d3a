export { type BspNetOptions, bspNet } from "./bsp-net.js";
