import { join } from "node:path";
import { unpackDebianPrograms } from "./debian-programs.js";
import { buildGoPrograms, collectorProgram, jaegerProgram } from "./go-programs.js";

/** Where the programs are: real ones, in the cache (SKBSPAN_CACHE, default ~/.cache/skbspan). */
export interface Backends {
  readonly collector: string;
  readonly jaeger: string;
  readonly prometheus: string;
  readonly promtool: string;
  readonly alertmanager: string;
  readonly amtool: string;
}

/** Gives the backends from the cache, or builds and fetches them: ten minutes of processor time, once. */
export async function installBackends(onProgress: (text: string) => void = () => {}): Promise<Backends> {
  const debian = await unpackDebianPrograms(onProgress);
  const [collector = "", jaeger = ""] = await buildGoPrograms([collectorProgram, jaegerProgram], onProgress);
  const bin = join(debian, "usr/bin");
  return {
    collector,
    jaeger,
    prometheus: join(bin, "prometheus"),
    promtool: join(bin, "promtool"),
    alertmanager: join(bin, "prometheus-alertmanager"),
    amtool: join(bin, "amtool"),
  };
}
