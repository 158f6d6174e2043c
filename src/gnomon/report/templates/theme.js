(() => {
  "use strict";
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const themes = ["auto", "light", "dark"];
  const remember = (value) => { try { localStorage.setItem("gnomon-theme", value); } catch { /* a file without storage */ } };
  const remembered = () => { try { return localStorage.getItem("gnomon-theme"); } catch { return null; } };
  const show = (value) => {
    if (value === "auto") delete root.dataset.theme; else root.dataset.theme = value;
    theme.textContent = `Theme: ${value}`;
    theme.dataset.value = value;
  };
  show(themes.includes(remembered()) ? remembered() : "auto");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const value = themes[(themes.indexOf(theme.dataset.value) + 1) % themes.length];
    remember(value);
    show(value);
  });
})();
