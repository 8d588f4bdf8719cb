import * as pulumi from "@pulumi/pulumi";
import { onTestFinished } from "vitest";

/** One resource as the program registered it. Secret inputs are unwrapped; `secrets` names the top-level ones. */
export interface RecordedResource {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly secrets: readonly string[];
}

/** What providers answer, by resource type. A type that is not here makes the test fail. */
const OUTPUTS: Readonly<Record<string, (inputs: Readonly<Record<string, unknown>>) => Record<string, unknown>>> = {
  "docker:index/image:Image": ({ imageName }) => ({
    baseImageName: imageName,
    repoDigest: `${String(imageName).replace(/:[^:/]+$/, "")}@sha256:${"d".repeat(64)}`,
  }),
  "kiln:image:RunnerImage": () => ({}),
  "kiln:registry:ImageRepository": () => ({}),
};

/** The key under which the engine marks a special value, and the mark of a secret. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/**
 * Puts recording mocks in the place of the engine until the test ends, and returns the list that fills as resources are
 * registered.
 */
export async function recordResources(stack = "test-unit", project = "kiln"): Promise<readonly RecordedResource[]> {
  const recorded: RecordedResource[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, id, inputs, custom }) {
        const answer = OUTPUTS[type];
        if (answer === undefined) throw new Error(`the mocks know no resource of type ${type}`);
        const given = inputs as Record<string, unknown>;
        const plain = unwrapped(given) as Record<string, unknown>;
        recorded.push({ type, name, inputs: plain, secrets: Object.keys(given).filter((key) => isSecret(given[key])) });
        return { id: custom === false ? undefined : (id ?? `${name}-id`), state: { ...plain, ...answer(plain) } };
      },
      call({ token }) {
        throw new Error(`the mocks know no function ${token}`);
      },
    },
    project,
    stack,
  );
  // What is still being registered belongs to this test's mocks, not to those of the next.
  onTestFinished(async () => {
    await pulumi.runtime.disconnect();
  });
  return recorded;
}

/** The value of an output, once every registration before it is done. */
export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply((value) => {
      resolve(value);
    });
  });
}

function isSecret(value: unknown): value is { readonly value: unknown } {
  return typeof value === "object" && value !== null && (value as Record<string, unknown>)[SIGNATURE] === SECRET;
}

function unwrapped(value: unknown): unknown {
  if (isSecret(value)) return unwrapped(value.value);
  if (Array.isArray(value)) return value.map(unwrapped);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrapped(inner)]));
}
