import { isInstalled } from "./is-installed.js";

/** Why guests cannot be run here, or false when they can: for `skip` of tests. */
export function whyNoGuests(): string | false {
  if (isInstalled("qemu-system-x86_64")) return false;
  return "SKIPPED, no guests without qemu: install it with `apt-get install qemu-system-x86`";
}
