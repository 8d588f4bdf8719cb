import type { Properties } from "../property-values.ts";
import { isObject } from "./secret-paths.ts";

/** What an API server answered. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: Properties;
}

/** The API server refused a request. The message is its own, which names the fields. */
export class ApiRefusal extends Error {
  readonly status: number;
  /** The `Status` object that came. */
  readonly body: Properties;

  constructor({ status, body }: ApiAnswer) {
    super(refusalText(status, body));
    this.name = "ApiRefusal";
    this.status = status;
    this.body = body;
  }
}

/** The API server could not be asked. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** What a refusal says: the server's message, and those causes with a field that the message leaves out. */
export function refusalText(status: number, body: Properties): string {
  const message = typeof body.message === "string" ? body.message : `the API server answered ${status}`;
  const { causes } = isObject(body.details) ? body.details : {};
  const missing = (Array.isArray(causes) ? causes : [])
    .filter(isObject)
    .filter(({ field, message: cause }) => field !== undefined && !message.includes(String(cause)))
    .map(({ field, message: cause }) => `${String(field)}: ${String(cause)}`);
  const mend = status === 409 && body.reason === "Conflict" ? CONFLICT : "";
  return [message, ...missing].join("\n") + mend;
}

const CONFLICT =
  '\nSomebody else manages these fields. Leave them out, or take them over with the annotation pulumi.com/patchForce: "true".';
