import type { StateEnvelope } from "../../../../execution/module/state-envelope.ts";
import { fakeDocker, IMAGE_ID, type FakeDocker, type Scenario } from "./fake-docker.ts";

/** A state as a run of stack `s` brings it back. */
export const ENVELOPE: StateEnvelope = {
  ...{
    format: "kiln-state/v1",
    tool: "pulumi",
    stack: "s",
    lineage: "0d9f3f0e-1f3c-4d57-9a55-3a9a0a1f0c11",
    serial: 3,
  },
  ...{ cipher: "aes-256-gcm", nonce: "AAAA", data: "AAAA" },
};

/** An engine with an image that is labelled with a tool, or not at all. */
export async function imageOf(tool: string | undefined, scenario: Scenario = {}): Promise<FakeDocker> {
  const fake = await fakeDocker(scenario);
  const labels = tool === undefined ? null : { "dev.kiln.module.tool": tool };
  await fake.image("r/i:t", { Id: IMAGE_ID, RepoDigests: [], Config: { Labels: labels } });
  return fake;
}
