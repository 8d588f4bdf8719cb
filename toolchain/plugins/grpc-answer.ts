import { status } from "@grpc/grpc-js";
import type { Metadata, sendUnaryData, ServerUnaryCall } from "@grpc/grpc-js";

/** What a failed answer carries beside its message. */
export interface FailureDetail {
  readonly code: status;
  readonly metadata?: Metadata;
}

/**
 * A gRPC handler of one request and one answer. What it throws reaches the engine as the message alone; `detail` adds to it,
 * where there is more to say.
 */
export function grpcAnswer<Request, Response>(
  respond: (request: Request) => Response | Promise<Response>,
  detail: (error: unknown) => FailureDetail = () => ({ code: status.INTERNAL }),
) {
  return (call: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>): void => {
    Promise.resolve(call.request)
      .then(respond)
      .then(
        (response) => {
          done(null, response);
        },
        (error: unknown) => {
          done({ details: error instanceof Error ? error.message : String(error), ...detail(error) });
        },
      );
  };
}
