import assert from "node:assert/strict";
import { test } from "node:test";
import { choosePackages } from "./download-kernel.js";

test("takes the newest kernel of the plain flavour, comparing numbers as numbers", () => {
  const names = [
    "linux-image-6.12.9+deb13-amd64",
    "linux-image-6.12.118+deb13-amd64",
    "linux-image-6.12.118+deb13-cloud-amd64",
    "linux-image-6.12.118+deb13-rt-amd64",
    "linux-image-6.12.118+deb13-amd64-dbg",
    "linux-image-6.12.118+deb13-amd64-unsigned",
    "linux-image-6.12.99+deb13-amd64",
  ];
  assert.deepEqual(choosePackages(names), ["linux-image-6.12.118+deb13-amd64"]);
});

test("reads names with an ABI number", () => {
  assert.deepEqual(choosePackages(["linux-image-6.1.0-9-amd64", "linux-image-6.1.0-56-amd64"]), [
    "linux-image-6.1.0-56-amd64",
  ]);
});

test("takes all parts of a kernel that is split", () => {
  const names = ["image", "binary", "modules", "base"].map((kind) => `linux-${kind}-7.3.4+deb13-amd64`);
  const unsigned = "linux-binary-unsigned-7.3.4+deb13-amd64";
  const rest = ["linux-modules-7.3.4+deb13-amd64", "linux-base-7.3.4+deb13-amd64"];
  assert.deepEqual(choosePackages([...names, unsigned]), ["linux-binary-7.3.4+deb13-amd64", ...rest]);
  assert.deepEqual(choosePackages([...names.filter((name) => !name.includes("binary")), unsigned]), [
    unsigned,
    ...rest,
  ]);
});

test("takes nothing when there is nothing that boots", () => {
  assert.deepEqual(choosePackages(["linux-modules-7.3.4+deb13-amd64", "linux-image-amd64"]), []);
});
