/** Attributes of an element; those without a value are left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Text as it may stand in HTML and SVG, also inside attributes. */
export function escapeText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** A coordinate with a hundredth of a pixel, which nobody can see, and no trailing zeros. */
export function coordinate(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** An element with its content, which must already be markup. */
export function element(name: string, attributes: Attributes, ...content: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? coordinate(value) : escapeText(String(value))}"`)
    .join("");
  return content.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${content.join("")}</${name}>`;
}

/** Attributes of a text. */
export interface TextPlace {
  /** Left end, middle or right end, as `anchor` says. */
  readonly x: number;
  /** Base line. */
  readonly y: number;
  /** Which part of the text is at `x`; default the left end. */
  readonly anchor?: "start" | "middle" | "end";
  /** Size class of the style sheet; default `t`, ordinary. */
  readonly style?: string;
}

/** A line of text. */
export function textElement(content: string, { x, y, anchor, style = "t" }: TextPlace): string {
  return element("text", { x, y, class: style, "text-anchor": anchor }, escapeText(content));
}

const narrowCharacters = /[iljtfrI.,:;'|!()[\] ]/;
const superscriptCharacters = /[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]/;
const wideCharacters = /[mwMW@%—×−]/;

/** Estimated width of a text in pixels, on the safe side for the usual sans-serif fonts. */
export function textWidth(text: string, fontSize: number): number {
  let width = 0;
  for (const character of text) {
    if (narrowCharacters.test(character)) width += 0.36;
    else if (wideCharacters.test(character)) width += 0.92;
    else if (superscriptCharacters.test(character)) width += 0.44;
    else if (character !== character.toLowerCase()) width += 0.72;
    else width += 0.6;
  }
  return width * fontSize;
}
