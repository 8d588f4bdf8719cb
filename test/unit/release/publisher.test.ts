import { describe, expect, it } from "vitest";
import { publishedBy, publisherPermissions, publisherTrust, roleArn } from "../../../release/publisher.ts";

const PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
const PUSH = [
  ...["ecr-public:BatchCheckLayerAvailability", "ecr-public:CompleteLayerUpload", "ecr-public:InitiateLayerUpload"],
  ...["ecr-public:PutImage", "ecr-public:UploadLayerPart"],
];

describe("the publisher of language runners", () => {
  it("is a job of one environment of one repository: audience and subject are compared whole", () => {
    expect(publisherTrust(PROVIDER, { repository: "acme/infra", environment: "runners-production" })).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "GithubEnvironment",
          Effect: "Allow",
          Principal: { Federated: PROVIDER },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: {
            StringEquals: {
              "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
              "token.actions.githubusercontent.com:sub": "repo:acme/infra:environment:runners-production",
            },
          },
        },
      ],
    });
  });

  it("may push to its repositories and log in, and nothing else", () => {
    const { Statement } = publisherPermissions("123456789012", ["runner-pulumi-golang", "runner-pulumi-yaml"]);
    expect(Statement.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      [
        PUSH,
        [
          "arn:aws:ecr-public::123456789012:repository/runner-pulumi-golang",
          "arn:aws:ecr-public::123456789012:repository/runner-pulumi-yaml",
        ],
      ],
      ["ecr-public:GetAuthorizationToken", "*"],
      ["sts:GetServiceBearerToken", "*"],
    ]);
    expect(Statement[2]?.Condition).toEqual({ StringEquals: { "sts:AWSServiceName": "ecr-public.amazonaws.com" } });
    expect(JSON.stringify(Statement)).not.toMatch(/:\*"|Delete|SetRepositoryPolicy/);
  });

  it("is the only one whose pushes a repository takes; the policy itself stays an administrator's to change", () => {
    const [statement, ...more] = publishedBy(roleArn("123456789012", "kiln-runners-production")).Statement;
    expect(more).toEqual([]);
    expect(statement).toEqual({
      Sid: "PublisherAlonePushes",
      Effect: "Deny",
      Principal: "*",
      Action: PUSH,
      Condition: { ArnNotEquals: { "aws:PrincipalArn": "arn:aws:iam::123456789012:role/kiln-runners-production" } },
    });
  });
});
