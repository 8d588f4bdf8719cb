import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  certificateFile,
  hasLoopbackProxy,
  honoursProxies,
  needsRestart,
  networkEnvironment,
  networkMend,
  withoutCredentials,
  withoutProxySecrets,
} from "../../../toolchain/network.mjs";

const PROXY = "http://user:pa%40ss@proxy.example:3128";

describe("networkEnvironment", () => {
  test("is nothing where no proxy and no certificates are named", () => {
    expect(networkEnvironment({ PATH: "/bin", no_proxy: "a.example", https_proxy: "" })).toEqual({});
  });

  test.each(["https_proxy", "HTTPS_PROXY"])(
    "gives %s in both spellings, and keeps this machine off the proxy",
    (name) => {
      expect(networkEnvironment({ [name]: PROXY, NO_PROXY: "intra.example, localhost" })).toEqual({
        https_proxy: PROXY,
        HTTPS_PROXY: PROXY,
        no_proxy: "intra.example,localhost,127.0.0.1,::1",
        NO_PROXY: "intra.example,localhost,127.0.0.1,::1",
        NODE_USE_ENV_PROXY: "1",
      });
    },
  );

  test("tells Go and Node of the same certificates, and git and curl only of those meant for kiln", () => {
    expect(networkEnvironment({ NODE_EXTRA_CA_CERTS: "/n" })).toEqual({
      SSL_CERT_FILE: "/n",
      NODE_EXTRA_CA_CERTS: "/n",
    });
    expect(networkEnvironment({ KILN_CA_FILE: "/k", SSL_CERT_FILE: "/s" })).toEqual({
      SSL_CERT_FILE: "/k",
      NODE_EXTRA_CA_CERTS: "/k",
      GIT_SSL_CAINFO: "/k",
      CURL_CA_BUNDLE: "/k",
    });
  });

  test("changes nothing a second time, so that a restart is not followed by another", () => {
    const names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"];
    const files = ["KILN_CA_FILE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"];
    const word = fc.constantFrom("", "http://p:1", "http://q:2", "a.example", "/ca.pem");
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names, ...files), word), (env) => {
        const once = { ...env, ...networkEnvironment(env) };
        const again = networkEnvironment(once);
        expect({ ...once, ...again }).toEqual(once);
        expect(needsRestart(again, once)).toBe(false);
      }),
    );
  });
});

test("KILN_CA_FILE decides over what other tools read, and an empty name is none", () => {
  expect(certificateFile({ KILN_CA_FILE: "/k", SSL_CERT_FILE: "/s" })).toBe("/k");
  expect(certificateFile({ KILN_CA_FILE: "", NODE_EXTRA_CA_CERTS: "/n" })).toBe("/n");
  expect(certificateFile({})).toBeUndefined();
});

test.each([
  ["22.18.0", false],
  ["22.21.0", true],
  ["v22.22.1", true],
  ["23.11.0", false],
  ["24.0.0", true],
  ["26.1.0", true],
  ["18.20.0", false],
])("Node %s uses the proxies of its environment: %s", (version, honours) => {
  expect(honoursProxies(version)).toBe(honours);
});

test.each([
  [PROXY, "http://***@proxy.example:3128"],
  ["proxy.example:3128", "http://proxy.example:3128"],
  ["http://user@proxy.example", "http://***@proxy.example"],
  ["http://a b", "no address"],
])("%s is shown as %s", (address, shown) => {
  expect(withoutCredentials(address)).toBe(shown);
});

test("what a program prints of a proxy is shown without its password", () => {
  expect(withoutProxySecrets(`cannot connect to ${PROXY}, twice ${PROXY}`, { HTTPS_PROXY: PROXY })).toBe(
    "cannot connect to http://***@proxy.example:3128, twice http://***@proxy.example:3128",
  );
});

test.each([
  ["http://127.0.0.1:3128", true],
  ["http://user:pass@localhost:3128", true],
  ["http://[::1]:3128", true],
  ["localhost", true],
  ["http://localhost.example:3128", false],
  ["http://proxy.example:127", false],
])("%s listens on this machine's loopback: %s", (address, loopback) => {
  expect(hasLoopbackProxy({ https_proxy: address })).toBe(loopback);
});

// As Node, Go, apt, curl and npm say it.
test.each([
  ["self-signed certificate in certificate chain", "KILN_CA_FILE"],
  ["unable to verify the first certificate", "KILN_CA_FILE"],
  ["unable to get local issuer certificate", "KILN_CA_FILE"],
  ["npm error code SELF_SIGNED_CERT_IN_CHAIN", "KILN_CA_FILE"],
  ["tls: failed to verify certificate: x509: certificate signed by unknown authority", "KILN_CA_FILE"],
  ["Certificate verification failed: The certificate is NOT trusted.", "KILN_CA_FILE"],
  ["Proxy response (407) !== 200 when HTTP Tunneling", "HTTPS_PROXY"],
  ["certificate has expired", "clock"],
])("%j is mended by %s", (said, mend) => {
  expect(networkMend(said)).toContain(mend);
});

test.each(["connect ECONNREFUSED 127.0.0.1:1", "HTTP 404", "read 4071 bytes"])("%j is no matter of proxies", (said) => {
  expect(networkMend(said)).toBeUndefined();
});

describe("a proxy's address", () => {
  test.each([
    ["proxy.corp:3128", "http://proxy.corp:3128"],
    ["10.0.0.1:3128", "http://10.0.0.1:3128"],
    ["https://proxy.corp", "https://proxy.corp"],
  ])("%s may lack its scheme, as for curl", (address, whole) => {
    expect(networkEnvironment({ HTTPS_PROXY: address })).toMatchObject({ https_proxy: whole, HTTPS_PROXY: whole });
  });

  test.each(["http://", "http://h:99999", "   ", "socks5://h:1", "a b"])(
    "that is none, %j, is told to nobody",
    (address) => {
      expect(networkEnvironment({ HTTPS_PROXY: address })).toEqual({});
    },
  );
});
