import { posix } from "node:path";
import type { V1VolumeMount } from "@kubernetes/client-node";
import type { PodPart } from "./pod-part.ts";
import { podSecurityOf } from "./pod-security.ts";
import type { CertificateAuthority, EnvVar, ScaleSetRequest } from "./request.ts";

const VOLUME = "github-server-tls-cert";
const BUNDLE_VOLUME = "certificate-bundle";
const BUNDLE = "ca-certificates.crt";
const SYSTEM_BUNDLE = `/etc/ssl/certs/${BUNDLE}`;

/**
 * What makes runners trust a certificate authority of one's own. The official chart's way (RUNNER_UPDATE_CA_CERTS) has run.sh
 * call `sudo update-ca-certificates`; a restricted pod has no sudo, so there an init container writes the bundle instead.
 */
export function certificatePart<Text>(request: ScaleSetRequest<Text>): PodPart<Text> {
  const { certificateAuthority: authority, mode, podSecurity } = request;
  if (authority?.runnerMountPath === undefined) return {};
  const file = posix.join(authority.runnerMountPath, authority.key);
  const mount: V1VolumeMount = { name: VOLUME, mountPath: file, subPath: authority.key };
  const trusted: PodPart<Text> = { mounts: [mount], volumes: [volumeOf(authority)] };
  const nodeTrusts: EnvVar<Text> = { name: "NODE_EXTRA_CA_CERTS", value: file };
  if (podSecurityOf(mode, podSecurity) !== "restricted") {
    return { ...trusted, env: [nodeTrusts, { name: "RUNNER_UPDATE_CA_CERTS", value: "1" }] };
  }
  return {
    env: [nodeTrusts, { name: "SSL_CERT_FILE", value: SYSTEM_BUNDLE }],
    mounts: [mount, { name: BUNDLE_VOLUME, mountPath: SYSTEM_BUNDLE, subPath: BUNDLE, readOnly: true }],
    volumes: [volumeOf(authority), { name: BUNDLE_VOLUME, emptyDir: {} }],
    initContainers: [
      {
        name: "trust-certificate-authority",
        image: request.image,
        command: ["/bin/sh", "-euc", `{ cat ${SYSTEM_BUNDLE}; echo; cat "$1"; } > /bundle/${BUNDLE}`, "sh", file],
        volumeMounts: [mount, { name: BUNDLE_VOLUME, mountPath: "/bundle" }],
      },
    ],
  };
}

function volumeOf({ configMap, key }: CertificateAuthority) {
  return { name: VOLUME, configMap: { name: configMap, items: [{ key, path: key }] } };
}
