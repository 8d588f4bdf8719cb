import { beforeEach, describe, expect, it, vi } from "vitest";
import type { BakeOptions } from "../../../cache/bake-options.ts";
import { verificationOf } from "../../../cache/verification.ts";
import { verifyBaked } from "../../../cache/verify-baked.ts";
import { verifyDelivery } from "../../../cache/verify-delivery.ts";
import { pushVerification } from "../../../cache/record.ts";
import { readVerifiedBefore, tagVerified } from "../../../cache/verified-before.ts";
import { silent } from "../../../progress.ts";
import { CONTRACT, EMPTY_MANIFEST } from "./cache-directory.ts";

vi.mock(import("../../../cache/verify-delivery.ts"), () => ({ verifyDelivery: vi.fn() }));
vi.mock(import("../../../cache/record.ts"), async (original) => ({ ...(await original()), pushVerification: vi.fn() }));
vi.mock(import("../../../cache/verified-before.ts"), async (original) => ({
  ...(await original()),
  ...{ readVerifiedBefore: vi.fn(), tagVerified: vi.fn() },
}));

const program = (directory: string) => {
  const [provider = "", module = ""] = directory.split("/");
  return { provider, module, directory, goModule: "." };
};
const PROGRAMS = ["aws/a", "aws/b", "gcp/c"].map(program);
const INPUTS = { programs: {}, goFiles: {}, packages: {} };

const steps: string[] = [];
const options = {
  ...{ client: { regctl: "none" }, contract: CONTRACT, platform: "linux/amd64", delivery: "cache" },
  engine: { docker: "docker", env: {} },
  progress: { ...silent, step: (text: string) => steps.push(text) },
} as unknown as BakeOptions;
const verify = (programs = PROGRAMS) =>
  verifyBaked(options, {
    ...{ image: { repository: "r", digest: "sha256:new" }, base: "r@sha256:base", layers: [], programs, plugins: [] },
    manifest: { ...EMPTY_MANIFEST, inputs: { aws: INPUTS, gcp: INPUTS } },
  });
const stands = (provider: string, ...programs: readonly string[]) =>
  vi
    .mocked(readVerifiedBefore)
    .mockResolvedValueOnce(new Map([[provider, { image: "sha256:old", programs: new Set(programs) }]]));
const built = () =>
  vi
    .mocked(verifyDelivery)
    .mock.calls.at(-1)?.[1]
    .programs.map(({ directory }) => directory);
const tagged = () => [...(vi.mocked(tagVerified).mock.calls.at(-1)?.[2].keys() ?? [])];

beforeEach(() => {
  vi.clearAllMocks();
  vi.mocked(readVerifiedBefore).mockResolvedValue(new Map());
  vi.mocked(verifyDelivery).mockImplementation((_, { programs }) =>
    Promise.resolve(verificationOf(programs.map(({ directory }) => ({ directory, compiled: [], firstSeconds: 1 })))),
  );
});

describe("verifyBaked", () => {
  it("builds every program where no earlier image stands for any", async () => {
    expect((await verify()).before).toEqual({});
    expect(built()).toEqual(["aws/a", "aws/b", "gcp/c"]);
    expect(tagged()).toEqual(["aws", "gcp"]);
    expect(steps.at(-1)).toBe("verifying inside the image, without network");
  });

  it("builds what no earlier image with the same layers stands for, and says in which the others built", async () => {
    stands("aws", "aws/a", "aws/b");
    const before = { "aws/a": "sha256:old", "aws/b": "sha256:old" };
    expect((await verify()).before).toEqual(before);
    expect(built()).toEqual(["gcp/c"]);
    expect(vi.mocked(pushVerification).mock.calls.at(-1)?.[4]).toEqual({ before, emulated: false });
    // The earlier image stands for its provider on.
    expect(tagged()).toEqual(["gcp"]);
    expect(steps.at(-1)).toContain("2 programs as before");
  });

  it("builds a program that the earlier image's record does not name", async () => {
    stands("aws", "aws/a");
    await verify();
    expect(built()).toEqual(["aws/b", "gcp/c"]);
  });

  it("builds one program where every provider was verified before: the image is a new one", async () => {
    stands("aws", "aws/a", "aws/b");
    expect((await verify(PROGRAMS.slice(0, 2))).before).toEqual({ "aws/b": "sha256:old" });
    expect(built()).toEqual(["aws/a"]);
  });

  it("leaves neither record nor tag where a program is not warm", async () => {
    const cold = { directory: "aws/a", compiled: ["fmt"], firstSeconds: 1 };
    vi.mocked(verifyDelivery).mockResolvedValue(verificationOf([cold]));
    await expect(verify()).rejects.toThrow(/r@sha256:new is not warm/);
    expect(pushVerification).not.toHaveBeenCalled();
    expect(tagVerified).not.toHaveBeenCalled();
  });
});
