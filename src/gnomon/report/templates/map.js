(() => {
  "use strict";
  const map = document.getElementById("map");
  const detail = document.getElementById("detail");
  const controls = document.getElementById("controls");
  const marks = [...document.querySelectorAll("#points > *")];
  const legend = [...document.querySelectorAll(".legend button")];
  const colours = legend.length ? legend.map((button) => Number(button.dataset.label) % 6) : [];
  const clusterOf = new Map();
  const listed = new Map();
  document.querySelectorAll("#clusters details").forEach((group, number) => {
    group.querySelectorAll("[data-text]").forEach((item) => {
      clusterOf.set(Number(item.dataset.text), { number, name: group.querySelector(".item").textContent });
      listed.set(Number(item.dataset.text), item);
    });
  });
  const labelNames = legend.map((button) => button.querySelector(".name").textContent);
  const points = marks.map((mark) => {
    const number = Number(mark.dataset.n);
    const at = mark.tagName === "circle" ? [Number(mark.getAttribute("cx")), Number(mark.getAttribute("cy"))]
      : mark.getAttribute("transform").match(/translate\(([-\d.]+) ([-\d.]+)\)/).slice(1, 3).map(Number);
    const title = mark.querySelector("title");
    if (title) title.remove();  // the panel shows it
    const item = listed.get(number);
    const label = item.dataset.label;
    return {
      mark, number, x: at[0], y: at[1], label, text: item.querySelector(".said").textContent,
      labelNumber: Math.max(0, labelNames.indexOf(label)), cluster: clusterOf.get(number), facts: JSON.parse(item.dataset.facts), shown: true,
    };
  });
  const overview = detail.cloneNode(true);
  let held = null;

  const describe = (point) => {
    detail.replaceChildren();
    if (!point) { detail.append(...overview.cloneNode(true).childNodes); return; }
    const text = document.createElement("p");
    text.textContent = point.text;
    const facts = document.createElement("dl");
    const rows = [...(point.label ? [[controls.elements.colour.options[0].textContent, point.label]] : []),
      ["cluster", `${point.cluster.number + 1}: ${point.cluster.name}`], ...point.facts];
    for (const [name, value] of rows) {
      const term = document.createElement("dt");
      const said = document.createElement("dd");
      term.textContent = name;
      said.textContent = value;
      facts.append(term, said);
    }
    detail.append(text, facts);
  };
  const choose = (point, hold) => {
    for (const other of points) other.mark.classList.remove("chosen");
    if (hold) held = point;
    const now = point || held;
    if (now) { now.mark.classList.add("chosen"); now.mark.parentNode.append(now.mark); }
    describe(now);
  };

  const at = (event) => points.find((point) => point.mark === event.target) || null;
  map.addEventListener("pointerover", (event) => { const point = at(event); if (point && point.shown) choose(point, false); });
  map.addEventListener("pointerout", (event) => { if (at(event)) choose(null, false); });
  map.addEventListener("click", (event) => { const point = at(event); held = null; choose(point && point.shown ? point : null, true); });
  map.tabIndex = 0;
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  map.addEventListener("keydown", (event) => {
    const open = points.filter((point) => point.shown);
    if (!open.length) return;
    if (event.key === "Escape") { held = null; choose(null, true); return; }
    if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      choose(open[event.key === "Home" ? 0 : open.length - 1], true);
      return;
    }
    const way = step[event.key];
    if (!way) return;
    event.preventDefault();
    if (!held) { choose(open[0], true); return; }
    let best = null;
    let least = Infinity;
    for (const point of open) {
      if (point === held) continue;
      const [dx, dy] = [point.x - held.x, point.y - held.y];
      const along = dx * way[0] + dy * way[1];
      if (along <= 0) continue;
      const aside = Math.abs(dx * way[1] + dy * way[0]);
      const distance = along + 2 * aside;
      if (distance < least) { least = distance; best = point; }
    }
    if (best) choose(best, true);
  });

  const side = map.viewBox.baseVal.width;
  let zoom = 1;
  const look = () => {
    const width = side / zoom;
    const clamp = (value) => Math.min(Math.max(0, value - width / 2), side - width);
    const [x, y] = held ? [held.x, held.y] : [side / 2, side / 2];
    map.setAttribute("viewBox", `${clamp(x)} ${clamp(y)} ${width} ${width}`);
  };
  controls.addEventListener("click", (event) => {
    const kind = event.target.dataset ? event.target.dataset.zoom : null;
    if (!kind) return;
    zoom = kind === "in" ? Math.min(8, zoom * 2) : kind === "out" ? Math.max(1, zoom / 2) : 1;
    look();
  });

  const update = () => {
    const text = controls.elements.text.value.toLowerCase();
    const cluster = controls.elements.cluster.value;
    const open = new Set(legend.filter((button) => button.getAttribute("aria-pressed") === "true").map((button) => Number(button.dataset.label)));
    const byCluster = controls.elements.colour.value === "cluster";
    for (const point of points) {
      point.shown = open.has(point.labelNumber) && (!cluster || String(point.cluster.number) === cluster) && (!text || point.text.toLowerCase().includes(text));
      const colour = byCluster ? point.cluster.number % 6 : colours[point.labelNumber] || 0;
      point.mark.setAttribute("class", `point g${colour}${point.shown ? "" : " faint"}${held === point ? " chosen" : ""}`);
    }
    if (held && !held.shown) { held = null; choose(null, true); }
  };
  for (const button of legend) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") === "true" ? "false" : "true");
      update();
    });
  }
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.addEventListener("input", update);
  controls.hidden = false;
  update();
})();
