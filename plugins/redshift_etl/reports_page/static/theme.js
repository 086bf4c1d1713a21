// Airflow's own theme: the class on the document around this frame, else what Airflow stored, else the system's.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let around = null;
  try {
    around = window.parent === window ? null : window.parent.document.documentElement;
  } catch {
    // Framed by another origin: there is nothing to read.
  }

  function theme() {
    for (const name of ["dark", "light"]) {
      if (around?.classList.contains(name)) return name;
    }
    let stored = null;
    try {
      stored = localStorage.getItem("theme");
    } catch {
      // Storage is switched off.
    }
    if (stored === "dark" || stored === "light") return stored;
    return system.matches ? "dark" : "light";
  }

  function apply() {
    const name = theme();
    if (document.documentElement.dataset.theme === name) return;
    document.documentElement.dataset.theme = name;
    dispatchEvent(new Event("themechange"));
  }

  apply();
  if (around) new MutationObserver(apply).observe(around, { attributeFilter: ["class"] });
  addEventListener("storage", apply);
  system.addEventListener("change", apply);
})();
