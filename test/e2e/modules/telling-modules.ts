import { formEncoded } from "../../support/spellings.ts";

/** A module that prints `secret`, and `control` beside it, in several spellings, and fails with both in its error. */
interface TellingModule {
  readonly file: string;
  readonly program: string;
  /** The spellings in which it prints a text, each without a line end. */
  readonly forms: (text: string) => readonly string[];
}

const base64 = (text: string) => Buffer.from(text).toString("base64");
const json = (text: string) => JSON.stringify(text).slice(1, -1);

const NODEJS = `// a-word-of-the-module
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const told = [config.require("control"), config.require("secret")];
const base64 = (text: string) => Buffer.from(text).toString("base64");
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

if (!pulumi.runtime.isDryRun()) {
  console.log("telling now");
  for (const text of told) {
    console.log(text);
    console.error(base64(text));
    console.log(JSON.stringify({ text }));
    console.log(encodeURIComponent(text));
    // In two pieces, as buffers cut it.
    process.stdout.write(text.slice(0, 7));
    await pause(100);
    process.stdout.write(text.slice(7) + "\\n");
    await pulumi.log.warn("a diagnostic: " + text);
  }
  await pause(3000);
  throw new Error("it fails of " + told.join(" and ") + ", " + told.map(base64).join(" "));
}
`;

const TOFU = `# a-word-of-the-module
variable "secret" {
  type      = string
  sensitive = true
}

variable "control" {
  type = string
}

locals {
  # What a provider prints nobody has marked as sensitive.
  told = [var.control, nonsensitive(var.secret)]
}

resource "terraform_data" "tells" {
  provisioner "local-exec" {
    command = "echo telling now; printf '%s\\\\n' \\"$TOLD\\"; sleep 3; exit 7"
    environment = {
      TOLD = join("\\n", flatten([for text in local.told : [text, base64encode(text), jsonencode(text), urlencode(text)]]))
    }
  }
}
`;

export const TELLING: Readonly<Record<"pulumi-nodejs" | "opentofu", TellingModule>> = {
  "pulumi-nodejs": {
    file: "index.ts",
    program: NODEJS,
    forms: (text) => [...text.split("\n"), base64(text), json(text), encodeURIComponent(text)],
  },
  opentofu: {
    file: "main.tf",
    program: TOFU,
    forms: (text) => [...text.split("\n"), base64(text), json(text).replaceAll("&", "\\u0026"), formEncoded(text)],
  },
};
