import { ATTR_SERVICE_NAME } from "@opentelemetry/semantic-conventions";
import { ATTR_HOST_ID, ATTR_HOST_NAME } from "@opentelemetry/semantic-conventions/incubating";
import type { HelloFrame } from "../decode/frame.js";
import type { Identity, Namespace } from "./identity.js";

/** The owner as far as the stream itself tells it. */
export function identifyNamespace(
  namespace: Namespace,
  hello: HelloFrame | undefined,
  nodeAttributes: Readonly<Record<string, string>> = {},
): Identity {
  const { inode, name } = namespace;
  const inodeAttribute = inode === 0 ? {} : { "netns.inode": inode };
  const host = {
    ...nonEmpty(ATTR_HOST_NAME, hello?.hostName),
    ...nonEmpty(ATTR_HOST_ID, hello?.hostId),
    ...nodeAttributes,
  };
  if (namespace.isNode)
    return { kind: "node", label: "node", attributes: { [ATTR_SERVICE_NAME]: "linux-network", ...host } };
  if (name !== "")
    return { kind: "named", label: name, attributes: { [ATTR_SERVICE_NAME]: name, ...inodeAttribute, ...host } };
  return {
    kind: "unknown",
    label: inode === 0 ? "unknown" : `netns ${inode}`,
    attributes: { [ATTR_SERVICE_NAME]: "unknown-netns", ...inodeAttribute, ...host },
  };
}

function nonEmpty(key: string, value: string | undefined): Record<string, string> {
  return value ? { [key]: value } : {};
}
