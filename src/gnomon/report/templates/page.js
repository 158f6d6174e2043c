(() => {
  "use strict";
  for (const button of document.querySelectorAll(".guard > .reveal")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const guard = button.parentElement;
      const place = guard.parentElement;
      guard.replaceWith(guard.querySelector("template").content);
      const turn = place.querySelector(".turn");
      if (turn) { turn.tabIndex = -1; turn.focus(); }
    });
  }

  const filter = document.getElementById("filter");
  if (!filter) return;
  const size = 20;
  const records = [...document.querySelectorAll("#records > details")];
  const texts = records.map((record) => record.textContent.toLowerCase());
  const [previous, next, where] = ["previous", "next", "where"].map((id) => document.getElementById(id));
  let page = 0;
  const wanted = (name) => (filter.elements[name] ? filter.elements[name].value : "");
  const update = () => {
    const text = wanted("text").toLowerCase();
    const chosen = records.filter((record, index) =>
      ["phase", "evaluation", "status"].every((name) => !wanted(name) || record.dataset[name] === wanted(name)) &&
      (!text || texts[index].includes(text)));
    const pages = Math.max(1, Math.ceil(chosen.length / size));
    page = Math.min(page, pages - 1);
    const shown = new Set(chosen.slice(page * size, (page + 1) * size));
    for (const record of records) record.hidden = !shown.has(record);
    const first = chosen.length ? page * size + 1 : 0;
    where.textContent = `${first} to ${page * size + shown.size} of ${chosen.length}`;
    previous.disabled = page === 0;
    next.disabled = page === pages - 1;
  };
  filter.addEventListener("submit", (event) => event.preventDefault());
  filter.addEventListener("input", () => { page = 0; update(); });
  previous.addEventListener("click", () => { page -= 1; update(); });
  next.addEventListener("click", () => { page += 1; update(); });
  filter.hidden = false;
  document.getElementById("pager").hidden = false;
  update();
})();
