import { readFile } from "node:fs/promises";
import { text as textOf } from "node:stream/consumers";
import { KilnError, messageOf } from "../../errors.ts";
import { writeComment } from "../../release/github/comment.ts";
import { githubConnection } from "../../release/github/connection.ts";
import { readOrigin } from "../../release/github/git.ts";
import { LONGEST_BODY, markerOf } from "../../release/github/marker.ts";
import { places } from "../../toolchain/places.ts";
import type { Command } from "../command.ts";
import { noArguments, required } from "../options.ts";

/** `kiln release comment`. */
export const commentCommand: Command = {
  name: "release comment",
  summary: "Write the one comment of a name on a pull request, or edit it in place.",
  usage: "--pull-request N --name NAME --body-file FILE|-",
  options: { "pull-request": { type: "string" }, name: { type: "string" }, "body-file": { type: "string" } },
  help: {
    "pull-request": "its number",
    name: "which of kiln's comments there, such as bake: a second run of that name edits the first one's",
    "body-file": "Markdown; - reads standard input",
  },
  async run({ values, positionals, progress }) {
    noArguments(positionals);
    const [pullRequest, name] = [numberOf(required(values, "pull-request")), required(values, "name")];
    markerOf(name);
    const connection = githubConnection(process.env, await readOrigin(places().project));
    const written = await writeComment(connection, {
      pullRequest,
      name,
      text: await readBody(required(values, "body-file")),
    });
    if (written.cut) progress.note(`the text was cut: GitHub takes ${LONGEST_BODY} characters`);
    return { json: written, text: `comment ${written.outcome}: ${written.address}` };
  },
};

function numberOf(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new KilnError("usage", `--pull-request ${text} is no number of a pull request`, {
    mend: "Write its number, without #.",
  });
}

async function readBody(file: string): Promise<string> {
  const body =
    file === "-"
      ? await textOf(process.stdin)
      : await readFile(file, "utf8").catch((error: unknown) => {
          throw new KilnError("usage", `--body-file ${file} cannot be read: ${messageOf(error)}`, {
            mend: "Name a file with Markdown.",
          });
        });
  if (body.trim() !== "") return body;
  throw new KilnError("usage", `--body-file ${file} is empty`, { mend: "Give it the text of the comment." });
}
