export interface DemoClientSettings {
  readonly serviceAddress: string;
  readonly servicePort: number;
  readonly webAddress: string;
  readonly blockedPort: number;
  readonly closedUdpPort: number;
  /** Between two requests. */
  readonly periodMs: number;
}
