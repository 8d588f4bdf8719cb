import { expect, test } from "vitest";
import { forwardPolicy, idleChainRemovals } from "../../../toolchain/packet-filter.ts";

/** What `iptables -S` prints when an engine has ended and the rules that name its bridge are gone. */
const LEFT_BEHIND = `-P INPUT ACCEPT
-P FORWARD DROP
-P OUTPUT ACCEPT
-N DOCKER
-N DOCKER-ISOLATION-STAGE-1
-N DOCKER-ISOLATION-STAGE-2
-N DOCKER-USER
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
`;

function commands(rules: string): readonly string[] {
  return idleChainRemovals(rules).map((args) => args.join(" "));
}

test("chains that an engine left behind are unhooked, emptied and removed, in this order", () => {
  expect(commands(LEFT_BEHIND)).toEqual([
    "-D FORWARD -j DOCKER-USER",
    "-D FORWARD -j DOCKER-ISOLATION-STAGE-1",
    "-F DOCKER",
    "-F DOCKER-ISOLATION-STAGE-1",
    "-F DOCKER-ISOLATION-STAGE-2",
    "-F DOCKER-USER",
    "-X DOCKER",
    "-X DOCKER-ISOLATION-STAGE-1",
    "-X DOCKER-ISOLATION-STAGE-2",
    "-X DOCKER-USER",
  ]);
});

test("so are those of address translation", () => {
  const rules = `-P PREROUTING ACCEPT
-N DOCKER
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER`;
  expect(commands(rules)).toEqual([
    "-D PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
    "-D OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
    "-F DOCKER",
    "-X DOCKER",
  ]);
});

test("a chain with a rule of someone's stays, and so does one that leads to it", () => {
  const rules = `${LEFT_BEHIND}-A DOCKER-USER -s 10.0.0.0/8 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -o br-1234 -j DROP
-A DOCKER-ISOLATION-STAGE-1 -i br-1234 ! -o br-1234 -j DOCKER-ISOLATION-STAGE-2
`;
  expect(commands(rules)).toEqual(["-F DOCKER", "-X DOCKER"]);
});

test("a rule without a target, such as one that counts, is someone's", () => {
  expect(commands("-N DOCKER-USER\n-A DOCKER-USER -s 10.0.0.1/32")).toEqual([]);
});

test.each(["", "-P FORWARD ACCEPT\n-N KUBE-FORWARD\n-N DOCKERISH\n-A FORWARD -j KUBE-FORWARD"])(
  "of %j nothing is removed",
  (rules) => {
    expect(commands(rules)).toEqual([]);
  },
);

test.each([
  [LEFT_BEHIND, "DROP"],
  ["-P INPUT DROP\n-P FORWARD ACCEPT\n", "ACCEPT"],
  ["", undefined],
])("of %j the FORWARD policy is %s", (rules, policy) => {
  expect(forwardPolicy(rules)).toBe(policy);
});
