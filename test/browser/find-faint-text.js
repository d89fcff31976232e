/* Runs in the page: the texts whose contrast to the ground behind them is less than 4.5, as WCAG AA asks for. */
(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

  /** Lets the browser mix colours that lie over one another, whatever notation they are in. */
  function mix(colours) {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  }

  function luminance(rgb) {
    const linear = rgb.map((value) => (value <= 10.31 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  }

  function measure(element) {
    const grounds = [];
    for (let at = element; at !== null; at = at.parentElement) grounds.unshift(getComputedStyle(at).backgroundColor);
    const ground = luminance(mix(grounds));
    const text = luminance(mix([...grounds, getComputedStyle(element).color]));
    return (Math.max(ground, text) + 0.05) / (Math.min(ground, text) + 0.05);
  }

  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "");
  const texts = [...document.querySelectorAll("body *")].filter(
    (element) => hasText(element) && element.checkVisibility(),
  );
  if (texts.length < 20) return [`only ${texts.length} texts were found`];
  const faint = texts.filter((element) => measure(element) < 4.5);
  return faint.map(
    (element) =>
      `${element.className || element.tagName}: "${element.textContent.slice(0, 30)}" ${measure(element).toFixed(2)}`,
  );
})();
