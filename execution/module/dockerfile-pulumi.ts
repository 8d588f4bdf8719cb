import { networkRun } from "./dockerfile-parts.ts";

/**
 * Fetches every provider plugin that the program names, while there is a network: a run fetches none. They stand in
 * /opt/kiln/pulumi/plugins, where PULUMI_HOME of the image points.
 */
export function pulumiPlugins(): readonly string[] {
  return networkRun([
    "mkdir -p /opt/kiln/pulumi/plugins",
    "if [ -d /usr/local/lib/kiln/plugins ]; then cp -r /usr/local/lib/kiln/plugins/. /opt/kiln/pulumi/plugins/; fi",
    "export PULUMI_HOME=/opt/kiln/pulumi PULUMI_SKIP_UPDATE_CHECK=true",
    "pulumi plugin install --non-interactive",
    "find /opt/kiln/pulumi -mindepth 1 -maxdepth 1 ! -name plugins -exec rm -rf {} +",
    "find /opt/kiln/pulumi/plugins -name '*.lock' -delete",
  ]);
}
