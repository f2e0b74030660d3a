export { type ConvexReluOptions, convexRelu } from "./convex-relu.js";
