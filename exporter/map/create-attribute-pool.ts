import type { AttributeDefinition } from "./attributes.js";
import { type Attribute, createAttribute } from "./packet-span.js";

/** Gives the same Attribute for the same key and value, so that what recurs is encoded once. */
export interface AttributePool {
  get(definition: AttributeDefinition, value: string | number | boolean): Attribute;
}

const MAX_ATTRIBUTES = 65_536;

export function createAttributePool(): AttributePool {
  const byDefinition = new Map<AttributeDefinition, Map<string | number | boolean, Attribute>>();
  let count = 0;
  return {
    get(definition, value) {
      let byValue = byDefinition.get(definition);
      if (!byValue) {
        byValue = new Map();
        byDefinition.set(definition, byValue);
      }
      const known = byValue.get(value);
      if (known) return known;
      if (count++ >= MAX_ATTRIBUTES) {
        byDefinition.clear();
        byValue = new Map();
        byDefinition.set(definition, byValue);
        count = 1;
      }
      const attribute = createAttribute(definition, value);
      byValue.set(value, attribute);
      return attribute;
    },
  };
}
