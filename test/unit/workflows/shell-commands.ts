/** Words of the shell's own grammar: what follows one of them is a command again. */
const GRAMMAR = new Set(["if", "then", "elif", "else", "while", "until", "do", "!", "{", "("]);
const ENDS = new Set(["fi", "done", "esac", "}", ")"]);

/**
 * The simple commands of a script, each as its words: those of `$(…)` too, and without redirections, assignments before a
 * command and what the shell's grammar adds. It knows as much of the shell as steps of workflows need; what a word expands
 * to it does not know.
 */
export function shellCommands(script: string): readonly (readonly string[])[] {
  const found: string[][] = [];
  let words: string[] = [];
  let word: string | undefined;
  let skipsNext = false;
  const endWord = () => {
    if (word === undefined) return;
    if (skipsNext) skipsNext = false;
    else words.push(word);
    word = undefined;
  };
  const endCommand = () => {
    endWord();
    const command = simpleCommand(words);
    if (command.length > 0) found.push(command);
    words = [];
  };
  const text = script.replaceAll(/\\\n\s*/g, " ");
  for (let at = 0; at < text.length; at++) {
    const rest = text.slice(at);
    const [character = ""] = rest;
    if (rest.startsWith("$(")) {
      const inner = balanced(rest);
      found.push(...shellCommands(inner).map((command) => [...command]));
      word = `${word ?? ""}$(…)`;
      at += inner.length + 2;
    } else if (character === '"' || character === "'") {
      const quoted = quotedText(rest, character);
      // Inside double quotes the shell still runs commands.
      if (character === '"') found.push(...commandsInside(quoted));
      word = `${word ?? ""}${quoted}`;
      at += quoted.length + 1;
    } else if (character === "(" && word?.endsWith("=") === true) {
      // The words of an array are none of a command.
      const inner = balanced(`$${rest}`);
      found.push(...commandsInside(inner));
      word = `${word}(…)`;
      at += inner.length + 1;
    } else if (character === "#" && word === undefined) {
      const end = rest.indexOf("\n");
      at += (end === -1 ? rest.length : end) - 1;
    } else if (/^\d?(?:>>?|<)(?:&\d)?/.test(rest) && (word === undefined || !/\d/.test(character))) {
      const [redirection = ""] = /^\d?(?:>>?|<)(?:&\d)?/.exec(rest) ?? [];
      endWord();
      skipsNext = !redirection.includes("&");
      at += redirection.length - 1;
    } else if (/[\n;|&]/.test(character)) {
      endCommand();
    } else if (/\s/.test(character)) {
      endWord();
    } else {
      word = `${word ?? ""}${character}`;
    }
  }
  endCommand();
  return found;
}

function simpleCommand(words: readonly string[]): string[] {
  const rest = [...words];
  while (rest[0] !== undefined && (GRAMMAR.has(rest[0]) || ENDS.has(rest[0]) || /^\w+=/.test(rest[0]))) rest.shift();
  // `for name in words` runs nothing itself.
  return rest[0] === "for" || rest[0] === "case" ? [] : rest;
}

function commandsInside(quoted: string): string[][] {
  const at = quoted.indexOf("$(");
  if (at === -1) return [];
  const inner = balanced(quoted.slice(at));
  const own = shellCommands(inner).map((command) => [...command]);
  return [...own, ...commandsInside(quoted.slice(at + inner.length + 3))];
}

/** What stands in the parentheses that a text begins with, after its dollar. */
function balanced(text: string): string {
  let depth = 0;
  for (let at = 1; at < text.length; at++) {
    if (text[at] === "(") depth++;
    if (text[at] === ")" && --depth === 0) return text.slice(2, at);
  }
  return text.slice(2);
}

/** What stands in the quotes that a text begins with; double quotes may hold `$(…)` with quotes of its own. */
function quotedText(text: string, quote: string): string {
  let depth = 0;
  for (let at = 1; at < text.length; at++) {
    if (quote === '"' && text.startsWith("$(", at)) depth++;
    if (depth > 0 && text[at] === ")") depth--;
    if (quote === '"' && text[at] === "\\") at++;
    else if (depth === 0 && text[at] === quote) return text.slice(1, at);
  }
  return text.slice(1);
}
