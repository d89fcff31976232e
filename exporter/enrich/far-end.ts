/** Whose an address is, in Kubernetes. */
export interface FarEnd {
  readonly namespace: string;
  readonly pod?: string;
  readonly service?: string;
}

/** Knows owners of addresses, which may be in the network namespaces of other nodes or in none at all, as a Service's. */
export interface FarEnds {
  /** `port`: where the packet has one; some owners are known only together with it. Undefined: nobody's that is known. */
  find(address: string, port: number | undefined): FarEnd | undefined;
}
