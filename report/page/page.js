"use strict";
(() => {
  const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const two = (n) => String(n).padStart(2, "0");
  let last = ""; // the day of the time before, which the end of a window leaves out
  for (const el of document.getElementsByTagName("time")) {
    const t = new Date(el.dateTime);
    const text = el.textContent;
    const year = / \d{4} /.test(text) ? " " + t.getFullYear() : "";
    const day = t.getDate() + " " + months[t.getMonth()] + year;
    const short = day === last && text.length === 5;
    el.title = el.dateTime.slice(0, 10) + " " + el.dateTime.slice(11, 16) + " UTC";
    el.textContent = (short ? "" : day + " ") + two(t.getHours()) + ":" + two(t.getMinutes());
    last = day;
  }
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "your own zone";
  document.getElementById("zone").textContent = "Times are " + zone + "; point at one for UTC.";

  for (const code of document.querySelectorAll(".cmd")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy the command");
    button.onclick = () => navigator.clipboard.writeText(code.textContent).then(
      () => { button.textContent = "Copied"; },
      () => { getSelection().selectAllChildren(code); },
    );
    code.after(button);
  }

  const form = document.getElementById("filter");
  if (!form) return;
  const days = [...document.querySelectorAll(".day")].map((day) => ({
    day, rows: [...day.querySelectorAll("tbody tr")].map((row) => ({ row, text: row.textContent.toLowerCase() })),
  }));
  const filter = () => {
    const text = form.elements.text.value.trim().toLowerCase();
    const kind = form.elements.kind.value;
    let shown = 0;
    for (const { day, rows } of days) {
      let any = false;
      for (const { row, text: has } of rows) {
        const show = has.includes(text) && (!kind || row.classList.contains(kind));
        row.hidden = !show;
        if (show) { any = true; shown++; }
      }
      day.hidden = !any;
    }
    form.querySelector("output").textContent = text || kind ? shown + " rows" : "";
  };
  form.hidden = false;
  form.oninput = filter;
  form.onsubmit = (event) => { event.preventDefault(); };
})();
