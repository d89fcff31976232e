import type { RunCommand } from "./command-context.js";

/** `skbspan demo`. */
export const demoCommand: RunCommand = async (context) => {
  const { runDemo } = await import("../demo/run-demo.js");
  await runDemo(context);
};
