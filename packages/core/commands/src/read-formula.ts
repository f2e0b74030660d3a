import { nearestWords, requireObject, requireText, ValueError } from "@offprint/tensor-core";
import { type Formula, type FormulaNode, type FormulaOperation, formulaFunctions } from "./formula.js";

/** Nesting and length beyond which a text is no formula that somebody wrote. */
const MOST_LEVELS = 100;
const MOST_CHARACTERS = 4000;

interface Token {
  readonly kind: "number" | "name" | "sign" | "end";
  /** As it stands in the text. */
  readonly text: string;
  /** A name without its brackets. */
  readonly name: string;
  /** Place of its first character, from 1. */
  readonly at: number;
}

const patterns: readonly (readonly [Token["kind"], RegExp])[] = [
  ["number", /(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/y],
  // In brackets anything but a bracket, or a pair of them, as of the units in [dose [mg]].
  ["name", /[\p{L}_][\p{L}\p{N}_.]*|\[(?:[^[\]]|\[[^[\]]*\])+\]|\[[^\]]+\]/uy],
  ["sign", /\*\*|[-+*/^(),]/y],
];

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at += 1;
      continue;
    }
    const found = patterns.flatMap(([kind, pattern]) => {
      pattern.lastIndex = at;
      const match = pattern.exec(text)?.[0];
      return match === undefined ? [] : [{ kind, match }];
    })[0];
    if (found === undefined) throw wrong(text, at + 1, `"${[...text.slice(at)][0]}" has no meaning here`);
    const { kind, match } = found;
    const name = match.startsWith("[") ? match.slice(1, -1) : match;
    tokens.push({ kind, text: match === "**" ? "^" : match, name, at: at + 1 });
    at += match.length;
  }
  tokens.push({ kind: "end", text: "", name: "", at: text.length + 1 });
  return tokens;
}

function wrong(text: string, at: number, what: string): ValueError {
  const around = at > text.length ? "at its end" : `at character ${at}, before "${text.slice(at - 1, at + 11)}"`;
  return new ValueError(`the formula "${text}" cannot be read ${around}: ${what}`);
}

/** What binds how strongly, and whether from the right. */
const signs: Readonly<Record<string, { readonly strength: number; readonly fromRight?: true }>> = {
  "+": { strength: 1 },
  "-": { strength: 1 },
  "*": { strength: 2 },
  "/": { strength: 2 },
  "^": { strength: 4, fromRight: true },
};
/** A minus sign in front binds more than `*` and less than `^`: -x^2 is -(x^2). */
const IN_FRONT = 3;

/** Reads a formula by its grammar; each sign and name is looked at once. */
class Reader {
  private readonly text: string;
  private readonly tokens: readonly Token[];
  private place = 0;
  private levels = 0;

  constructor(text: string) {
    this.text = text;
    this.tokens = tokensOf(text);
  }

  whole(): FormulaNode {
    const root = this.sum(1);
    const { kind, text } = this.next;
    if (kind === "end") return root;
    throw this.wrong(
      kind === "sign" && text !== "(" ? `"${text}" stands alone` : `a sign is missing; write * for a product`,
    );
  }

  private get next(): Token {
    return this.tokens[this.place]!;
  }

  private wrong(what: string, { at }: Token = this.next): ValueError {
    return wrong(this.text, at, what);
  }

  private take(sign: string): boolean {
    if (this.next.kind !== "sign" || this.next.text !== sign) return false;
    this.place += 1;
    return true;
  }

  /** Operands between signs that bind at least so strongly. */
  private sum(least: number): FormulaNode {
    if (++this.levels > MOST_LEVELS) throw this.wrong(`it is nested more than ${MOST_LEVELS} times`);
    let left = this.operand();
    for (;;) {
      const sign = this.next.kind === "sign" ? signs[this.next.text] : undefined;
      if (sign === undefined || sign.strength < least) break;
      const operation = this.next.text as FormulaOperation;
      this.place += 1;
      const right = this.sum(sign.fromRight ? sign.strength : sign.strength + 1);
      left = { kind: "call", operation, operands: [left, right] };
    }
    this.levels -= 1;
    return left;
  }

  private operand(): FormulaNode {
    if (this.take("-")) return { kind: "call", operation: "negative", operands: [this.sum(IN_FRONT)] };
    if (this.take("+")) return this.sum(IN_FRONT);
    if (this.take("(")) {
      const inner = this.sum(1);
      this.close();
      return inner;
    }
    const token = this.next;
    const { kind, text, name } = token;
    if (kind === "end") throw this.wrong("something is missing");
    if (kind === "sign") throw this.wrong(`a number, a name or "(" is missing`);
    this.place += 1;
    if (kind === "number") return { kind: "number", value: Number(text) };
    if (text === "pi") return { kind: "number", value: Math.PI };
    return text === name && this.take("(") ? this.call(token) : { kind: "name", name };
  }

  private call(token: Token): FormulaNode {
    const operation = token.text === "ln" ? "log" : token.text;
    const wanted = formulaFunctions.get(operation);
    if (wanted === undefined) {
      const [near] = nearestWords(operation, [...formulaFunctions.keys()]);
      const remedy =
        near === undefined ? `there are ${[...formulaFunctions.keys()].join(", ")}` : `did you mean ${near}?`;
      throw this.wrong(`there is no function ${operation}; ${remedy}`, token);
    }
    const operands = [this.sum(1)];
    while (this.take(",")) operands.push(this.sum(1));
    this.close();
    if (operands.length !== wanted) {
      throw this.wrong(
        `${operation} takes ${wanted} ${wanted === 1 ? "value" : "values"}, not ${operands.length}`,
        token,
      );
    }
    return { kind: "call", operation: operation as FormulaOperation, operands };
  }

  private close(): void {
    if (!this.take(")")) throw this.wrong(`")" is missing`);
  }
}

function namesIn(node: FormulaNode): string[] {
  if (node.kind === "name") return [node.name];
  return node.kind === "number" ? [] : node.operands.flatMap(namesIn);
}

/**
 * Reads a formula as people write it: numbers, names, `+ - * / ^` (or `**`), parentheses, the functions of
 * `formulaFunctions` and `pi`. A name of letters, digits, points and underscores stands as it is; any other in brackets:
 * `[dose (mg)]`. Nothing but arithmetic can be in a formula.
 *
 * @throws ValueError that says at which character it cannot be read, and why
 * @example readFormula("a * exp(-b * [time (s)]) + c").names; // ["a", "b", "time (s)", "c"]
 */
export function readFormula(text: string): Formula {
  requireText("readFormula", "text", text);
  if (text.length > MOST_CHARACTERS) {
    throw new ValueError(`the formula has ${text.length} characters; ${MOST_CHARACTERS} can be read`);
  }
  const root = new Reader(text).whole();
  return { text, root, names: [...new Set(namesIn(root))] };
}

/**
 * The text of a formula with numbers in the place of names, as it can be written into a program or a spreadsheet.
 *
 * @param numbers for the names that go; others stay
 * @example formulaWith(readFormula("a * exp(b*x)"), { a: 2, b: -1 }); // "2 * exp((-1)*x)"
 */
export function formulaWith(formula: Formula, numbers: Readonly<Record<string, number>>): string {
  requireObject("formulaWith", "formula", formula, "a Formula");
  requireObject("formulaWith", "numbers", numbers, "a number for each name that goes");
  const { text } = formula;
  let [out, end] = ["", 0];
  for (const token of tokensOf(text)) {
    const behind = token.at - 1 + token.text.length;
    const called = token.text === token.name && /^\s*\(/.test(text.slice(behind));
    if (token.kind !== "name" || called || !Object.hasOwn(numbers, token.name)) continue;
    const value = numbers[token.name]!;
    out += text.slice(end, token.at - 1) + (value < 0 ? `(${value})` : String(value));
    end = behind;
  }
  return out + text.slice(end);
}
