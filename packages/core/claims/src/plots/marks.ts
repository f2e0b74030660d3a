import { colourCount } from "./palette.js";
import { element } from "./svg.js";

/** Number of a colour class, from 1. */
export function colourNumber(index: number): number {
  return (index % colourCount) + 1;
}

/** A point mark; shapes differ with the index, so that curves are told apart without colour. */
export function pointMark(x: number, y: number, index: number, radius = 3.6): string {
  const style = `m f${colourNumber(index)}`;
  const shape = index % 4;
  if (shape === 0) return element("circle", { class: style, cx: x, cy: y, r: radius });
  const r = radius * 1.15;
  const path = [
    "",
    `M${x - r * 0.85} ${y - r * 0.85}h${r * 1.7}v${r * 1.7}h${-r * 1.7}z`,
    `M${x} ${y - r * 1.15}L${x + r * 1.05} ${y + r * 0.8}H${x - r * 1.05}z`,
    `M${x} ${y - r * 1.2}L${x + r * 1.2} ${y}L${x} ${y + r * 1.2}L${x - r * 1.2} ${y}z`,
  ][shape]!;
  return element("path", { class: style, d: rounded(path) });
}

/** Shortens the numbers of a path to hundredths. */
export function rounded(path: string): string {
  return path.replace(/-?\d+\.\d{3,}(e-?\d+)?/g, (number) => String(Math.round(Number(number) * 100) / 100));
}
