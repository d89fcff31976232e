import { useRef, useState } from "preact/hooks";
import { EMPTY_QUERY, isFiltered, type ListQuery } from "../model/route.js";
import { useKeys } from "./use-keys.js";

interface FilterBarProps {
  readonly query: ListQuery;
  readonly ends: Readonly<Record<string, number>>;
  readonly namespaces: readonly string[];
  readonly hasOrder: boolean;
  onChange(query: ListQuery): void;
}

const MIN_DURATIONS = [
  ["", "any duration"],
  ["10000", "over 10 µs"],
  ["100000", "over 100 µs"],
  ["1000000", "over 1 ms"],
  ["10000000", "over 10 ms"],
  ["100000000", "over 100 ms"],
] as const;

const ORDERS = [
  ["", "newest first"],
  ["worst", "worst first"],
  ["slowest", "slowest first"],
] as const;

export function FilterBar({ query, ends, namespaces, hasOrder, onChange }: FilterBarProps) {
  const search = useRef<HTMLInputElement>(null);
  const [isOpen, setOpen] = useState(false);
  useKeys({ "/": () => search.current?.focus() });
  const set = (key: keyof ListQuery) => (value: string) => onChange({ ...query, [key]: value });
  return (
    <search class={`filters ${isOpen ? "is-open" : ""}`}>
      <input
        ref={search}
        class="search"
        type="search"
        aria-label="Search"
        placeholder="Search  ( / )"
        value={query.text}
        onInput={(event) => set("text")(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      />
      <button type="button" class="button phone-only" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Filters
      </button>
      <div class="filter-fields">
        <Choice
          label="End"
          value={query.end}
          onChange={set("end")}
          choices={[
            ["", "any end"],
            ...Object.entries(ends).map(([end, count]) => [end, `${end} (${count})`] as const),
          ]}
        />
        <Choice
          label="Namespace"
          value={query.namespace}
          onChange={set("namespace")}
          choices={[["", "any namespace"], ...namespaces.map((name) => [name, name] as const)]}
        />
        <Field label="Address" placeholder="address" value={query.address} onChange={set("address")} />
        <Field
          label="Port"
          placeholder="port"
          value={query.port}
          onChange={(value) => set("port")(value.replace(/\D/g, "").slice(0, 5))}
          isShort
        />
        <Field label="Function" placeholder="function" value={query.function} onChange={set("function")} />
        <Choice
          label="Shortest duration"
          value={query.minDurationNs}
          onChange={set("minDurationNs")}
          choices={MIN_DURATIONS}
        />
        {hasOrder && <Choice label="Order" value={query.sort} onChange={set("sort")} choices={ORDERS} />}
        {isFiltered(query) && (
          <button type="button" class="button" onClick={() => onChange({ ...EMPTY_QUERY, sort: query.sort })}>
            Clear
          </button>
        )}
      </div>
    </search>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly (readonly [value: string, text: string])[];
  onChange(value: string): void;
}

function Choice({ label, value, choices, onChange }: ChoiceProps) {
  const isKnown = choices.some(([known]) => known === value);
  return (
    <select
      aria-label={label}
      class={value === "" ? "" : "is-set"}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    >
      {choices.map(([known, text]) => (
        <option key={known} value={known}>
          {text}
        </option>
      ))}
      {!isKnown && <option value={value}>{value}</option>}
    </select>
  );
}

interface FieldProps {
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly isShort?: boolean;
  onChange(value: string): void;
}

function Field({ label, placeholder, value, isShort, onChange }: FieldProps) {
  return (
    <input
      type="text"
      aria-label={label}
      placeholder={placeholder}
      class={`${value === "" ? "" : "is-set"} ${isShort ? "short" : ""}`}
      spellcheck={false}
      autocomplete="off"
      value={value}
      onInput={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
    />
  );
}
