import { useLayoutEffect, useState } from "preact/hooks";

export type Theme = "auto" | "light" | "dark";

const THEMES: readonly Theme[] = ["auto", "light", "dark"];
const STORAGE_KEY = "skbspan.theme";

export function useTheme(): { readonly theme: Theme; cycle(): void } {
  const [theme, setTheme] = useState<Theme>(readTheme);
  // Before the browser paints, or a dark page would flash.
  useLayoutEffect(() => {
    document.documentElement.dataset["theme"] = theme;
    try {
      localStorage.setItem(STORAGE_KEY, theme);
    } catch {
      // Storage may be forbidden; the choice then lasts until the page is closed.
    }
  }, [theme]);
  return { theme, cycle: () => setTheme((now) => THEMES[(THEMES.indexOf(now) + 1) % THEMES.length] ?? "auto") };
}

function readTheme(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(STORAGE_KEY)) ?? "auto";
  } catch {
    return "auto";
  }
}
