import { type DiagLogger, DiagLogLevel, diag } from "@opentelemetry/api";

/** What the official packages say while `work` is done: they go on without a setting that they cannot read. */
export function collectWarnings<Result>(work: () => Result): { readonly result: Result; readonly warnings: string[] } {
  const warnings: string[] = [];
  const collect = (message: string): void => void warnings.push(message);
  const ignore = (): void => {};
  const logger: DiagLogger = { error: collect, warn: collect, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  try {
    return { result: work(), warnings };
  } finally {
    diag.disable();
  }
}
