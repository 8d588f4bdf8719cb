import { KilnError } from "../errors.ts";

/** Where Amazon's public registry is managed, whichever region its images are pulled from: there is no other. */
export const PUBLIC_ECR_REGION = "us-east-1";

const HOST = "public.ecr.aws";
const ADDRESS = /^public\.ecr\.aws\/([a-z0-9][a-z0-9-]{1,49})((?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)$/;
const NAME = /^(?=.{2,205}$)[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/;

/** Whether images live in Amazon's public registry, where a repository has to be made before its first push. */
export function isPublicEcr(registry: string): boolean {
  return registry.split("/", 1)[0] === HOST;
}

/**
 * The name by which Amazon manages a repository: what follows the alias in its address. Throws a usage error for an address
 * without an alias, and for a name that Amazon does not take.
 */
export function publicRepositoryName(registry: string, image: string): string {
  const [, alias, folder = ""] = ADDRESS.exec(registry) ?? [];
  const name = `${folder.slice(1)}${folder === "" ? "" : "/"}${image}`;
  if (alias !== undefined && NAME.test(name)) return name;
  const what = alias === undefined ? "names no alias of a public registry" : `makes ${name}, no name of a repository`;
  throw new KilnError("usage", `${registry} ${what}`, {
    mend: `Write ${HOST}/<alias>, in lower case: the console shows the alias under Public registry, Settings.`,
  });
}

/** The address by which policies name a repository of an account. */
export function publicRepositoryArn(account: string, name: string): string {
  return `arn:aws:ecr-public::${account}:repository/${name}`;
}

/** What a push consists of, layer by layer. Pulling from a public repository takes no permission. */
export const PUBLIC_ECR_PUSH = [
  "ecr-public:BatchCheckLayerAvailability",
  "ecr-public:CompleteLayerUpload",
  "ecr-public:InitiateLayerUpload",
  "ecr-public:PutImage",
  "ecr-public:UploadLayerPart",
] as const;
