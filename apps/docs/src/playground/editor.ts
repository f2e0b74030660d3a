import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";

/** The playground's editor, as the page uses it. */
export interface Editor {
  /** The program as it is now. */
  code(): string;
  /** Replaces the program and forgets how it came about. */
  setCode(code: string): void;
  /** Marks a line, from 1, or none. */
  markLine(line: number | undefined): void;
}

/** What the editor is made for. */
export interface EditorOptions {
  /** Element that the editor fills. */
  readonly parent: HTMLElement;
  readonly code: string;
  /** Names the editor for screen readers. */
  readonly label: string;
  /** Identifier of the element that says how to use it. */
  readonly describedBy: string;
  /** Ctrl-Enter or Cmd-Enter. */
  run(): void;
  /** After every change of the program. */
  changed(): void;
}

/** Colours are variables of the page, so that they follow its light and dark setting. */
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.moduleKeyword, tags.operatorKeyword], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--code-number)" },
  { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: "var(--code-function)" },
  { tag: [tags.typeName, tags.className], color: "var(--code-function)" },
]);

const mark = StateEffect.define<number | undefined>();

const markedLine = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let current = transaction.docChanged ? Decoration.none : marks;
    for (const effect of transaction.effects) {
      if (!effect.is(mark)) continue;
      const { doc } = transaction.state;
      const exists = effect.value !== undefined && effect.value >= 1 && effect.value <= doc.lines;
      current = exists
        ? Decoration.set([Decoration.line({ class: "failed-line" }).range(doc.line(effect.value!).from)])
        : Decoration.none;
    }
    return current;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function newState(code: string, { label, describedBy, run, changed }: EditorOptions): EditorState {
  const runKey = {
    key: "Mod-Enter",
    run: () => {
      run();
      return true;
    },
  };
  return EditorState.create({
    doc: code,
    extensions: [
      lineNumbers(),
      EditorView.lineWrapping,
      highlightActiveLine(),
      highlightActiveLineGutter(),
      history(),
      drawSelection(),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      autocompletion(),
      javascript(),
      syntaxHighlighting(colours),
      markedLine,
      // Escape and then Tab leaves the editor, as CodeMirror provides for keyboard users.
      keymap.of([
        runKey,
        ...closeBracketsKeymap,
        ...defaultKeymap,
        ...historyKeymap,
        ...completionKeymap,
        indentWithTab,
      ]),
      EditorView.contentAttributes.of({ "aria-label": label, "aria-describedby": describedBy, spellcheck: "false" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) changed();
      }),
    ],
  });
}

/** Makes an editor. */
export function createEditor(options: EditorOptions): Editor {
  const view = new EditorView({ parent: options.parent, state: newState(options.code, options) });
  return {
    code: () => view.state.doc.toString(),
    setCode: (code) => view.setState(newState(code, options)),
    markLine: (line) => view.dispatch({ effects: mark.of(line) }),
  };
}
