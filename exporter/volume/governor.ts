import type { Detail } from "../map/packet-span.js";
import type { Demand } from "./demand.js";
import type { Limits } from "./limits.js";
import { isLowerDetail, planVolume, raiseDetail, type VolumePlan } from "./plan-volume.js";

/** More is allowed again when it would stay within this part of the limits ... */
const RECOVERY_PART = 0.8;
/** ... and for detail, when it would have for so long: a trace now fuller, now poorer is hard to read. */
export const RECOVERY_SECONDS = 10;
/** The share of journeys may grow by so much a second. */
const EASING_A_SECOND = 1.25;
const LEAST_SHARE = 0.001;

/** Follows the demand: saves at once when it is over a limit, and less again, step by step, when it is well below. */
export class Governor implements VolumePlan {
  detail: Detail;
  share = 1;
  private calmSeconds = 0;

  constructor(
    private readonly limits: Limits,
    private readonly fullDetail: Detail,
  ) {
    this.detail = fullDetail;
  }

  get isSaving(): boolean {
    return this.detail !== this.fullDetail || this.share < 1;
  }

  /** To be called with what wanted to leave in the last second or so. */
  observe(demand: Demand, seconds: number): void {
    const { limits, fullDetail } = this;
    const needed = planVolume(demand, seconds, { limits, fullDetail, part: 1 });
    const cautious = planVolume(demand, seconds, { limits, fullDetail, part: RECOVERY_PART });
    this.followDetail(needed.detail, cautious.detail, seconds);
    this.followShare(needed.share, cautious.share, seconds);
  }

  private followDetail(needed: Detail, cautious: Detail, seconds: number): void {
    if (isLowerDetail(needed, this.detail)) {
      this.detail = needed;
      this.calmSeconds = 0;
      return;
    }
    this.calmSeconds = isLowerDetail(this.detail, cautious) ? this.calmSeconds + seconds : 0;
    if (this.calmSeconds < RECOVERY_SECONDS) return;
    this.detail = raiseDetail(this.detail);
    this.calmSeconds = 0;
  }

  private followShare(needed: number, cautious: number, seconds: number): void {
    const eased = Math.max(LEAST_SHARE, this.share) * EASING_A_SECOND ** seconds;
    if (needed < this.share) this.share = needed;
    else if (cautious > this.share) this.share = Math.min(cautious, eased);
  }
}
