import type { Attributes } from "./span-record.js";

export interface ResourceLabel {
  readonly label: string;
  /** What tells it from others of the same name; may be empty. */
  readonly detail: string;
}

/** The span model's service name for the machine's own network namespace. */
const NODE_SERVICE = "linux-network";

/** A lane's heading for a resource of the span model (or of any application). */
export function labelResource(attributes: Attributes): ResourceLabel {
  const service = text(attributes, "service.name");
  const inode = text(attributes, "netns.inode");
  const pod = text(attributes, "k8s.pod.name");
  if (service === "unknown-netns" || (service === "" && inode !== "")) {
    return { label: inode === "" ? "unknown namespace" : `namespace ${inode}`, detail: "" };
  }
  if (service === NODE_SERVICE)
    return { label: "node", detail: text(attributes, "k8s.node.name") || text(attributes, "host.name") };
  const detail = [pod, text(attributes, "k8s.node.name") || text(attributes, "host.name"), inode && `netns ${inode}`];
  return {
    label: service || "unnamed service",
    detail: detail.filter((part) => part !== "" && part !== service).join(" · "),
  };
}

function text(attributes: Attributes, key: string): string {
  const value = attributes[key];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
