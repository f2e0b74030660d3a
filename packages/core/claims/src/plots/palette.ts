/**
 * Colours of curves and bars, told apart with the common kinds of colour blindness: the set of Okabe and Ito
 * (Color Universal Design, 2008), its yellow left out and its tints shifted for contrast on white and on near-black.
 */
const onLight = ["#0072b2", "#d55e00", "#009e73", "#c2569b", "#b07d00", "#3d9bd1", "#7a4b2a", "#5b5f97"];
const onDark = ["#58b0e8", "#ff8b4a", "#35c79a", "#e59bc6", "#f0c04a", "#9bd4f7", "#cda27f", "#a9add9"];

/** Number of colours before they repeat. */
export const colourCount = onLight.length;

/** Dash pattern that tells a curve from those of the same colour, and from its neighbours in black and white. */
export function dashes(index: number): string | undefined {
  const patterns = [undefined, "7 4", "2 3", "9 3 2 3"];
  return patterns[(index + Math.floor(index / colourCount)) % patterns.length];
}

function variables(ink: string, soft: string, grid: string, paper: string, colours: readonly string[]): string {
  const numbered = colours.map((colour, index) => `--plot-${index + 1}:${colour}`);
  return [`--plot-ink:${ink}`, `--plot-soft:${soft}`, `--plot-grid:${grid}`, `--plot-paper:${paper}`, ...numbered].join(
    ";",
  );
}

const light = variables("#1f2328", "#59636e", "#e3e6ea", "#ffffff", onLight);
const dark = variables("#e6eaef", "#a3adb8", "#32383f", "#14171a", onDark);

const rules = [
  ".offprint-plot{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;max-width:100%;height:auto}",
  ".offprint-plot text{fill:var(--plot-soft);font-size:12px}",
  ".offprint-plot .h{fill:var(--plot-ink);font-size:15px;font-weight:600}",
  ".offprint-plot .a,.offprint-plot .k{fill:var(--plot-ink);font-size:12.5px}",
  ".offprint-plot .v{fill:var(--plot-ink);font-size:11px}",
  ".offprint-plot .g{stroke:var(--plot-grid);stroke-width:1}",
  ".offprint-plot .x{stroke:var(--plot-soft);stroke-width:1}",
  ".offprint-plot .r{stroke:var(--plot-ink);stroke-width:1.25;stroke-dasharray:4 3;fill:none}",
  ".offprint-plot .e{stroke:var(--plot-ink);stroke-width:1.25;fill:none}",
  ".offprint-plot .l{stroke-width:2;fill:none;stroke-linejoin:round;stroke-linecap:round}",
  ".offprint-plot .m{stroke:var(--plot-paper);stroke-width:.75}",
  ".offprint-plot .b{fill-opacity:.18}",
  ".offprint-plot .o{fill:none;stroke:var(--plot-grid);stroke-width:1}",
  ...onLight.map(
    (_, index) =>
      `.offprint-plot .s${index + 1}{stroke:var(--plot-${index + 1})}.offprint-plot .f${index + 1}{fill:var(--plot-${index + 1})}`,
  ),
].join("");

/**
 * The style sheet of the plots, once per page, for plots drawn with `styles: "page"`.
 *
 * @param darkSelector selector under which the page is dark, such as `.dark`; by default the system's setting decides
 */
export function plotStyles(darkSelector?: string): string {
  const night = darkSelector
    ? `${darkSelector} .offprint-plot{${dark}}`
    : `@media (prefers-color-scheme:dark){.offprint-plot{${dark}}}`;
  return `.offprint-plot{${light}}${rules}${night}`;
}

/** Control points of the viridis colour map (Smith and van der Walt, 2015; public domain). */
const viridis = [
  "#440154",
  "#482878",
  "#3e4989",
  "#31688e",
  "#26828e",
  "#1f9e89",
  "#35b779",
  "#6ece58",
  "#b5de2b",
  "#fde725",
];
const diverging = ["#08519c", "#4292c6", "#9ecae1", "#f5f5f5", "#fdbe85", "#e6701a", "#8c2d04"];

function channels(colour: string): [number, number, number] {
  const value = Number.parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Red, green and blue in 0..255 for a position in [0, 1] on a colour map. */
export function mapColour(position: number, map: "sequential" | "diverging"): [number, number, number] {
  const points = map === "sequential" ? viridis : diverging;
  const scaled = Math.min(1, Math.max(0, position)) * (points.length - 1);
  const index = Math.min(points.length - 2, Math.floor(scaled));
  const from = channels(points[index]!);
  const to = channels(points[index + 1]!);
  const weight = scaled - index;
  const mix = (channel: 0 | 1 | 2) => Math.round(from[channel] + weight * (to[channel] - from[channel]));
  return [mix(0), mix(1), mix(2)];
}
