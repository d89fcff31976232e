/** What a run of the scenarios found out: written inside a guest, read outside. */
export interface ScenarioReport {
  readonly kernelRelease: string;
  readonly backend: string;
  readonly attachedFunctions: number;
  readonly attachMs: number;
  readonly scenarios: readonly ScenarioResult[];
  /** What must hold for the whole run. */
  readonly totals: readonly ScenarioCheck[];
}

export interface ScenarioResult {
  readonly name: string;
  readonly title: string;
  readonly durationMs: number;
  /** Why it was not run; empty when it was. */
  readonly skipped: string;
  /** One an expected journey; a single one when the laboratory itself failed. */
  readonly checks: readonly ScenarioCheck[];
}

export interface ScenarioCheck {
  readonly title: string;
  /** Empty: as expected. */
  readonly mistake: string;
  /** Why this backend cannot show it, so that it was not looked at; empty when it was. */
  readonly skipped: string;
}
