// The page works without this: it spares reloading, and copies.
"use strict";

(() => {
  const POLL_MS = 5000;
  const SETTLE_MS = 80;

  // Makes one element like another without touching what is equal: focus, open menus and scroll positions stay.
  function become(old, wanted) {
    if (old.isEqualNode(wanted)) return;
    if (old.nodeType !== wanted.nodeType || old.nodeName !== wanted.nodeName || (old.id || "") !== (wanted.id || "")) {
      old.replaceWith(wanted);
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      old.nodeValue = wanted.nodeValue;
      return;
    }
    for (const { name, value } of wanted.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      const ours = name === "open" || (name === "hidden" && old.matches("button"));
      if (!ours && !wanted.hasAttribute(name)) old.removeAttribute(name);
    }
    const before = [...old.childNodes];
    const named = new Map(before.filter((node) => node.id).map((node) => [node.id, node]));
    let at = old.firstChild;
    for (const child of [...wanted.childNodes]) {
      const same = child.id ? named.get(child.id) : null;
      if (same) {
        if (same !== at) old.insertBefore(same, at);
        else at = at.nextSibling;
        become(same, child);
      } else if (!child.id && at && !at.id && at.nodeName === child.nodeName) {
        const next = at.nextSibling;
        become(at, child);
        at = next;
      } else {
        old.insertBefore(child, at);
      }
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  function show(html) {
    const wanted = new DOMParser().parseFromString(html, "text/html");
    const typed = new Map([...document.querySelectorAll("input[type=text]")].map((field) => [field.id, field.value]));
    document.title = wanted.title;
    become(document.body, wanted.body);
    for (const [id, value] of typed) {
      const field = document.getElementById(id);
      if (field) field.value = value;
    }
    reveal();
  }

  // Copy buttons are only there where they work.
  function reveal() {
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll(".copy, .copy-link")) button.hidden = false;
  }

  async function refresh() {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
      if (answer.ok) show(await answer.text());
    } catch {
      // The next news, or the next look, tries again.
    }
  }

  let settling;
  function soon() {
    clearTimeout(settling);
    settling = setTimeout(refresh, SETTLE_MS);
  }

  function listen() {
    const news = new EventSource("/live");
    let polling;
    news.addEventListener("changed", soon);
    news.addEventListener("opened", (event) => location.assign(event.data));
    news.addEventListener("open", () => {
      clearInterval(polling);
      polling = undefined;
      soon();
    });
    news.addEventListener("error", () => {
      if (news.readyState === EventSource.CLOSED && !polling) polling = setInterval(refresh, POLL_MS);
    });
  }

  async function submit(form, button) {
    const fields = new URLSearchParams(new FormData(form));
    if (button?.name) fields.append(button.name, button.value);
    if (button) button.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: fields, credentials: "same-origin" });
      for (const field of form.querySelectorAll("input[type=text]")) field.value = "";
      for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
      show(await answer.text());
    } catch {
      form.submit();
    } finally {
      if (button) button.disabled = false;
    }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!document.body.classList.contains("sheet") || form.dataset.busy) {
      if (form.dataset.busy) event.preventDefault();
      return;
    }
    event.preventDefault();
    form.dataset.busy = "1";
    submit(form, event.submitter).finally(() => delete form.dataset.busy);
  });

  document.addEventListener("click", async (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const button = event.target.closest(".copy, .copy-link");
    if (!button) return;
    const what = button.matches(".copy") ? button.parentElement.querySelector("code").textContent : location.href;
    const said = button.textContent;
    try {
      await navigator.clipboard.writeText(what);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not copied";
    }
    setTimeout(() => (button.textContent = said), 1500);
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, textarea, select");
    if (event.key === "Escape") {
      const menu = document.querySelector("details.menu[open]");
      if (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    } else if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const prompt = document.getElementById("say") ?? document.getElementById("ask");
      if (prompt) {
        event.preventDefault();
        prompt.focus();
      }
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.closest("details.menu[open]")) {
      const menu = event.target.closest("details.menu");
      const entries = [menu.querySelector("summary"), ...menu.querySelectorAll("button")];
      const at = entries.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      event.preventDefault();
      entries[(at + entries.length) % entries.length].focus();
    }
  });

  reveal();
  if (document.body.classList.contains("sheet")) listen();
})();
