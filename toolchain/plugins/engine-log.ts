import { credentials } from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";

/** Lines that a plugin shows in Pulumi's own display. */
export interface EngineLog {
  /** A line that stays. */
  info(message: string): Promise<void>;
  /** A failure, in the words that a person shall read. The operation fails. */
  error(message: string): Promise<void>;
  /** A line beside a resource, replaced by the next one: how a build is getting on. */
  status(urn: string, message: string): Promise<void>;
}

/** The display of the engine at `address`. A line that cannot be delivered is lost: it must not fail the work. */
export function engineLog(address: string): EngineLog {
  const client = new engineService.EngineClient(address, credentials.createInsecure());
  const send = (request: engine.LogRequest) =>
    new Promise<void>((resolve) => {
      client.log(request, () => {
        resolve();
      });
    });
  const line = (severity: engine.LogSeverity, message: string) =>
    new engine.LogRequest().setSeverity(severity).setMessage(message);
  return {
    info: (message) => send(line(engine.LogSeverity.INFO, message)),
    error: (message) => send(line(engine.LogSeverity.ERROR, message)),
    status: (urn, message) => send(line(engine.LogSeverity.INFO, message).setUrn(urn).setEphemeral(true)),
  };
}

/** The engine's address among a plugin's arguments: the first that is no option and no option's value. */
export function engineAddress(args: readonly string[]): string | undefined {
  return args.find((arg, index) => !arg.startsWith("-") && args[index - 1] !== "--tracing");
}
