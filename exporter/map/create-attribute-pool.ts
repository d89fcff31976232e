import type { AttributeDefinition } from "./attributes.js";
import { cutValue } from "./cut-value.js";
import type { Attribute } from "./packet-span.js";

/** Gives the same Attribute for the same key and value, so that what recurs is encoded once. */
export interface AttributePool {
  get(definition: AttributeDefinition, value: string | number | boolean): Attribute;
}

type Column = Map<string | number | boolean, Attribute>;

const MAX_ATTRIBUTES = 65_536;

export function createAttributePool(): AttributePool {
  const columns: (Column | undefined)[] = [];
  let count = 0;
  const columnOf = (definition: AttributeDefinition): Column => {
    const column = columns[definition.index] ?? new Map();
    columns[definition.index] = column;
    return column;
  };
  return {
    get(definition, value) {
      const known = columns[definition.index]?.get(value);
      if (known) return known;
      if (count++ >= MAX_ATTRIBUTES) {
        columns.length = 0;
        count = 1;
      }
      const attribute = { definition, value: cutValue(value), isShared: true, encoded: undefined };
      columnOf(definition).set(value, attribute);
      return attribute;
    },
  };
}
