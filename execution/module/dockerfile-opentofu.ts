import { networkRun, type ModuleStages } from "./dockerfile-parts.ts";

const PROVIDERS = "/opt/kiln/tofu/providers";

/**
 * OpenTofu: providers and modules are fetched here. The image has the providers as a file-system mirror, unpacked, so that
 * an `init` anywhere links to them, and the module's own data folder as well, so that a run may do without one. The lock
 * file decides on versions and checksums; a mirror may only add the checksum of its own form to it.
 */
export function tofuStages(): ModuleStages {
  return {
    base: "debian",
    build: "source-control",
    steps: [
      "COPY . .",
      ...networkRun([
        "if [ -f /usr/local/lib/kiln/tofu.rc ]; then export TF_CLI_CONFIG_FILE=/usr/local/lib/kiln/tofu.rc; fi",
        "export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1",
        "tofu init -backend=false -input=false -no-color",
        `mkdir -p ${PROVIDERS}`,
        `if [ -d .terraform/providers ]; then cp -rL .terraform/providers/. ${PROVIDERS}/; fi`,
        "rm -rf .terraform/providers",
        "mkdir -p .terraform",
        `ln -s ${PROVIDERS} .terraform/providers`,
        `printf '%s\\n' 'provider_installation {' '  filesystem_mirror {' '    path = "${PROVIDERS}"' '  }' '}' > /opt/kiln/tofu/tofu.rc`,
      ]),
    ],
    environment: { TF_CLI_CONFIG_FILE: "/opt/kiln/tofu/tofu.rc" },
  };
}
