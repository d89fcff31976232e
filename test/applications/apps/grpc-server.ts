/* node grpc-server.js PORT: answers every call after a while. */
import { type handleUnaryCall, Server, ServerCredentials } from "@grpc/grpc-js";
import { echoService } from "./echo-service.js";

const ANSWER_MS = 300;
const server = new Server();
const echo: handleUnaryCall<Buffer, Buffer> = (call, respond) => setTimeout(respond, ANSWER_MS, null, call.request);
server.addService(echoService, { echo });
server.bindAsync(`0.0.0.0:${process.argv[2]}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
  console.log("ready");
});
