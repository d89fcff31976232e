export interface DemoClientSettings {
  /** Its name in its spans. */
  readonly service: string;
  readonly serviceAddress: string;
  readonly servicePort: number;
  readonly webAddress: string;
  readonly blockedPort: number;
  readonly closedUdpPort: number;
  /** Between two requests. */
  readonly periodMs: number;
}
