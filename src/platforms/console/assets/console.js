// The page works without this: it spares reloading, tells when the server is gone, and copies.
"use strict";

(() => {
  /** Where the page is offered: this script is at assets/console.js below it. */
  const ROOT = new URL("..", document.currentScript.src);
  const SETTLE_MS = 80;
  const SETTLE_HIDDEN_MS = 2000;
  const POLL_MS = 5000;
  const EAGER_POLL_MS = 1000;
  const EAGER_FOR_MS = 30000;
  /** After a look that failed. */
  const AGAIN_MS = 3000;
  /** The server gives up answering after 15 s. */
  const ANSWER_MS = 16000;
  const BEAT_MS = 5000;
  /** A visible window that hears nothing from the one that listens for all takes its place. */
  const FOLLOWER_PATIENCE_MS = 3 * BEAT_MS;
  /** The server says every 10 s that it is alive: a stream that is silent for longer is dead, after sleep for instance. */
  const STREAM_PATIENCE_MS = 25000;
  const FIRST_RETRY_MS = 1000;
  const LAST_RETRY_MS = 10000;
  /** How often ages are counted on. */
  const TICK_MS = 10000;
  /** How long nobody types before what was typed is asked about. */
  const TYPED_MS = 150;

  // ---- showing ----

  // Makes one element like another without touching what is equal: focus, open menus and scroll positions stay.
  function become(old, wanted) {
    if (old.isEqualNode(wanted)) return;
    if (old.nodeType !== wanted.nodeType || old.nodeName !== wanted.nodeName || (old.id || "") !== (wanted.id || "")) {
      old.replaceWith(wanted);
      return;
    }
    // What the script says, and the names that fit what is typed, are its own.
    if (old.id === "connection" || old.id === "secrets") return;
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

  const fields = () => [...document.querySelectorAll("input[type=text]")];
  const articles = () => [...document.querySelectorAll("article[id]")];
  const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

  // ---- the focus ----

  /** What a control does, by which it is known again when its message was stated anew. */
  function control(element) {
    if (element?.matches("article button[name=token]")) return `do ${element.value.split(".").slice(3).join(".")}`;
    if (element?.matches("article details.menu > summary")) return `open ${element.textContent}`;
    return null;
  }

  /** The control that has the focus, and its message. */
  function holder(element = document.activeElement) {
    const article = element?.closest("article[id]")?.id;
    return article ? { article, control: control(element) } : null;
  }

  /** The focus of a control that is gone for now, which its message keeps for it. */
  let awaited = null;

  function refocus(held) {
    const article = document.getElementById(held.article);
    if (!article) return;
    const controls = [...article.querySelectorAll("button[name=token], details.menu > summary")];
    const same = held.control && controls.find((element) => control(element) === held.control);
    const seen = same?.checkVisibility?.() === false ? same.closest("details.menu").querySelector("summary") : same;
    (seen ?? article).focus({ preventScroll: true });
    awaited = seen || !held.control ? null : held;
  }

  /** Gives the focus back after `change`, wherever that took it. */
  function keeping_focus(change) {
    const before = document.activeElement;
    const held = awaited && before?.id === awaited.article ? awaited : holder(before);
    change();
    if (!held) return;
    const now = document.activeElement;
    if (now === document.body || now?.id === held.article || (now === before && control(now) !== held.control)) refocus(held);
  }

  function show(wanted) {
    keeping_focus(() => update(wanted));
  }

  function update(wanted) {
    const typed = new Map(fields().map((field) => [field.id, field.value]));
    const known = new Set(articles().map((article) => article.id));
    const same = document.title === wanted.title;
    document.title = wanted.title;
    become(document.body, wanted.body);
    for (const field of fields()) {
      const value = typed.get(field.id);
      if (value !== undefined && field.value !== value) field.value = value;
      // Words that turned out later to have started nothing.
      if (field.value === "" && !writes && field.hasAttribute("data-kept")) field.value = field.getAttribute("value");
    }
    // What answers words that were just said in a thread stands below what is there.
    if (same && Date.now() - saidAt < EAGER_FOR_MS) {
      articles().find((article) => !known.has(article.id))?.scrollIntoView({ block: "start" });
    }
    reveal();
  }

  // ---- times, names, printing ----

  /** As the server writes it: `41 d`, `3 h`, `12 min`, `40 s`. */
  function age(at) {
    const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(at)) / 1000));
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
    return `${Math.floor(seconds / 86400)} d`;
  }

  setInterval(() => {
    for (const time of document.querySelectorAll("time[data-ago]")) {
      const now = age(time.dateTime);
      if (time.textContent !== now) time.textContent = now;
    }
  }, TICK_MS);

  let typing;
  let asking = null;

  /** Asks for names that fit the one word that is typed, with or without the command before it. */
  async function suggest(field) {
    const [, command, word] = /^(\s*\/rotation-diag\s+)?(\S*)$/.exec(field.value) ?? [];
    if (word === undefined || word.startsWith("/")) return;
    asking?.abort();
    asking = new AbortController();
    const address = new URL("suggest", ROOT);
    address.searchParams.set("typed", word);
    try {
      const answer = await fetch(address, { signal: asking.signal, cache: "no-store" });
      if (!answer.ok || !answer.headers.get("content-type")?.startsWith("application/json")) return;
      const names = await answer.json();
      const options = names.map((name) => Object.assign(document.createElement("option"), { value: `${command ?? ""}${name}` }));
      field.list?.replaceChildren(...options);
    } catch {
      // The next letter asks again.
    }
  }

  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not(.menu):not([open])")];
    for (const part of folded) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of folded) part.open = false;
  });

  const moments = new Intl.DateTimeFormat(undefined, {
    weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
  });

  // Copy buttons are only there where they work, and moments read in this reader's own time; their titles keep UTC.
  function reveal() {
    for (const moment of document.querySelectorAll("time.local")) moment.textContent = moments.format(new Date(moment.dateTime));
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll(".copy, .copy-link")) button.hidden = false;
  }

  // ---- the connection, as people see it ----

  let connection = "open";
  let unsent = null;
  let calm;

  function banner(kind, ...content) {
    const place = document.getElementById("connection");
    if (!place) return;
    place.dataset.kind = kind;
    place.replaceChildren(...content);
  }

  function link(text, path, query) {
    const to = document.createElement("a");
    to.href = new URL(path, ROOT).pathname + query;
    to.target = "_blank";
    to.textContent = text;
    return to;
  }

  function tell() {
    clearTimeout(calm);
    const kept = unsent ? ` ${unsent.told}` : "";
    if (connection === "lost") {
      banner("lost", `The connection is lost. What you see may be old; reconnecting …${kept}`);
    } else if (connection === "out") {
      const to = location.pathname.slice(ROOT.pathname.length - 1) || "/";
      const query = `?to=${encodeURIComponent(to)}`;
      banner("lost", "You are signed out. ", link("Sign in", "sign-in", query), ", in a window of its own: what you typed here stays.");
    } else if (connection === "gone") {
      const channel = document.createElement("a");
      channel.href = ROOT.pathname;
      channel.textContent = "Go to the channel";
      banner("lost", "This thread is no longer there. ", channel, ".");
    } else if (unsent) {
      banner("back", `Connected again.${kept}`);
    } else {
      banner("");
    }
  }

  /** What one window sees for all: what it looks at itself may be gone for it alone. */
  const shared = () => (connection === "gone" ? "open" : connection);

  function become_connected() {
    if (connection === "open") return;
    connection = "open";
    tell();
    if (unsent) return;
    banner("back", "Connected again.");
    calm = setTimeout(tell, 4000);
  }

  function state(now) {
    if (now === connection) return;
    if (now === "open") {
      become_connected();
      return;
    }
    connection = now;
    tell();
  }

  // ---- looking ----

  let settling;
  let again;
  let looking = false;
  let stale = false;
  let generation = 0;

  /** A page of ours. Throws where the server does not answer, or not as it should. */
  async function fetched(address, options = {}) {
    const signal = AbortSignal.timeout?.(ANSWER_MS);
    const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin", cache: "no-store", signal, ...options });
    const page = parsed(await answer.text());
    if (answer.status >= 500) throw new Error(String(answer.status));
    const out = answer.status === 401 || new URL(answer.url).pathname === new URL("sign-in", ROOT).pathname;
    return { page, at: new URL(answer.url), out };
  }

  const isSheet = (page) => page.body.classList.contains("sheet");
  /** True once somebody wrote something after the last submission. */
  let writes = false;
  const isWriting = () => writes && fields().some((field) => field.value !== "");

  /** The address of this page without what it tells of a submission. */
  function plain_address() {
    const query = new URLSearchParams(location.search);
    query.delete("asked");
    return location.pathname + (query.size ? `?${query}` : "");
  }

  /** Shows another part of the list, beside what is open. */
  async function choose(form) {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
    const address = new URL(form.action);
    address.search = query.toString();
    generation += 1;
    const mine = generation;
    try {
      const { page, at, out } = await fetched(address);
      if (mine !== generation) return;
      if (out || !isSheet(page)) {
        location.assign(address);
        return;
      }
      history.replaceState(null, "", at);
      show(page);
    } catch {
      state("lost");
      soon();
    }
  }

  /** Goes to a page that was fetched already: what is typed, and the connection, stay. */
  function go(at, page) {
    history.replaceState(null, "", plain_address());
    history.pushState(null, "", at);
    show(page);
    scrollTo(0, 0);
    document.getElementById("main")?.scrollTo(0, 0);
    if (!document.activeElement?.checkVisibility?.()) document.getElementById("main")?.focus({ preventScroll: true });
  }

  async function look() {
    if (looking) {
      stale = true;
      return;
    }
    looking = true;
    stale = false;
    clearTimeout(again);
    const mine = generation;
    const asked = location.href;
    try {
      const { page, at, out } = await fetched(asked);
      if (out) {
        state("out");
        again = setTimeout(soon, AGAIN_MS);
        return;
      }
      state(isSheet(page) ? "open" : "gone");
      // Something was sent meanwhile, and what came of it may be newer or older than this; or somebody went elsewhere, back or
      // forth. Only another look tells.
      if (mine !== generation || location.href !== asked) {
        stale = true;
        return;
      }
      if (!isSheet(page)) return;
      if (at.pathname === location.pathname) show(page);
      // The thread that was asked for. Whoever writes something already is not led away from it.
      else if (isWriting()) {
        history.replaceState(null, "", plain_address());
        stale = true;
      } else go(at, page);
    } catch {
      state("lost");
      again = setTimeout(soon, AGAIN_MS);
    } finally {
      looking = false;
      if (stale) soon();
    }
  }

  function soon() {
    settling ??= setTimeout(() => {
      settling = undefined;
      look();
    }, document.hidden ? SETTLE_HIDDEN_MS : SETTLE_MS);
  }

  // ---- listening: one stream of news for all windows of a browser, which allows only six connections to a host ----

  const channel = "BroadcastChannel" in window ? new BroadcastChannel(`rotation-diag ${ROOT.pathname}`) : null;
  const locks = navigator.locks;
  let source = null;
  let retrying;
  let wait = FIRST_RETRY_MS;
  let heardAt = Date.now();
  /** Held by the window that listens for all of them. */
  let turn = null;
  let queued = null;
  let polls = false;

  function close() {
    clearTimeout(retrying);
    source?.close();
    source = null;
  }

  function changed() {
    soon();
    channel?.postMessage({ changed: true, state: shared() });
  }

  function heard() {
    heardAt = Date.now();
  }

  function open() {
    close();
    heard();
    const opened = new EventSource(new URL("live", ROOT));
    source = opened;
    opened.addEventListener("open", () => {
      heard();
      wait = FIRST_RETRY_MS;
      changed();
    });
    opened.addEventListener("alive", heard);
    opened.addEventListener("changed", () => {
      heard();
      changed();
    });
    opened.addEventListener("error", () => {
      if (source !== opened) return;
      close();
      // Looking tells whether the server is gone, whether we are signed out, or whether only the stream is refused.
      look().then(() => channel?.postMessage({ changed: true, state: shared() }));
      retrying = setTimeout(open, wait);
      wait = Math.min(wait * 2, LAST_RETRY_MS);
    });
  }

  /** Waits for the turn to listen for all; with `steal`, takes it from a window that no longer answers. */
  function stand(steal) {
    queued?.abort();
    const mine = new AbortController();
    queued = mine;
    const options = steal ? { steal: true } : { signal: mine.signal };
    const listening = () =>
      new Promise((done) => {
        if (queued !== mine) return done();
        turn = { done };
        open();
      });
    let refused = false;
    locks
      .request(`rotation-diag ${ROOT.pathname}`, options, listening)
      .catch((error) => (refused = error.name !== "AbortError"))
      .finally(() => {
        if (queued !== mine) return;
        turn = null;
        close();
        heard();
        if (refused) poll();
        else setTimeout(() => queued === mine && stand(false), SETTLE_MS);
      });
  }

  /** Where windows cannot agree on one that listens, each that is seen looks now and then. */
  function poll() {
    if (polls) return;
    polls = true;
    let lookedAt = Date.now();
    setInterval(() => {
      const every = Date.now() - saidAt < EAGER_FOR_MS ? 0 : POLL_MS;
      if (document.hidden || Date.now() - lookedAt < every) return;
      lookedAt = Date.now();
      look();
    }, EAGER_POLL_MS);
  }

  function leave() {
    const standing = queued;
    queued = null;
    standing?.abort();
    turn?.done();
    turn = null;
    close();
  }

  function beat() {
    const silence = Date.now() - heardAt;
    if (turn) {
      if (source && silence > STREAM_PATIENCE_MS) {
        open();
        look();
      }
      channel.postMessage({ state: shared() });
    } else if (!polls && !document.hidden && silence > FOLLOWER_PATIENCE_MS) {
      heard();
      stand(true);
    }
  }

  function listen() {
    addEventListener("online", soon);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) look();
    });
    addEventListener("popstate", () => look());
    if (!channel || !locks) {
      // Over plain HTTP from another machine browsers offer no locks.
      poll();
      addEventListener("pageshow", (event) => event.persisted && look());
      return;
    }
    channel.addEventListener("message", ({ data }) => {
      heard();
      if (turn) return;
      if (data.changed || (data.state === "open" && connection !== "open")) soon();
      else if (data.state) state(data.state);
    });
    addEventListener("online", () => turn && open());
    addEventListener("pagehide", leave);
    addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      stand(false);
      look();
    });
    // A frozen window keeps its locks and hears nothing.
    document.addEventListener("freeze", leave);
    document.addEventListener("resume", () => queued || stand(false));
    setInterval(beat, BEAT_MS);
    stand(false);
  }

  // ---- saying ----

  const busy = new WeakSet();
  let saidAt = 0;

  async function submit(form, button) {
    const sent = new URLSearchParams(new FormData(form));
    if (button?.name) sent.append(button.name, button.value);
    const field = form.querySelector("input[type=text]");
    const words = field?.value;
    // Whether it arrived may be unknown: sent once more under the same number, it counts once.
    const what = [form.action, ...["words", "token", "thread"].map((name) => sent.get(name))].join("\n");
    if (unsent?.what === what) sent.set("once", unsent.once);
    const had = button && document.activeElement === button;
    const held = had ? holder(button) : null;
    if (button) button.disabled = true;
    writes = false;
    saidAt = Date.now();
    generation += 1;
    let answer;
    try {
      answer = await fetched(form.action, { method: "POST", body: sent });
    } catch {
      const told = field
        ? "What you wrote may not have arrived: it is still in its field, send it again."
        : "What you pressed may not have arrived: press it again.";
      unsent = { what, once: sent.get("once"), told };
      connection = "lost";
      tell();
      soon();
      return;
    } finally {
      generation += 1;
      if (button) button.disabled = false;
      // A button that is disabled loses the focus.
      if (had && button.isConnected && document.activeElement === document.body) button.focus({ preventScroll: true });
    }
    if (answer.out) {
      state("out");
      return;
    }
    unsent = null;
    connection = "open";
    if (!isSheet(answer.page)) {
      banner("lost", answer.page.querySelector("h1")?.textContent ?? "This could not be sent.");
      return;
    }
    tell();
    taken(answer, field, words);
    if (held && document.activeElement === document.body) refocus(held);
  }

  /** Shows what came of it; words that started nothing stay. */
  function taken({ page, at }, field, words) {
    const answered = field && page.getElementById(field.id);
    const kept = answered?.hasAttribute("data-kept");
    if (field && !kept && field.value === words) field.value = "";
    for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
    if (at.pathname === new URL("say", ROOT).pathname || at.pathname === new URL("act", ROOT).pathname) show(page);
    else if (at.pathname === location.pathname) {
      history.replaceState(null, "", at.pathname + at.search + location.hash);
      show(page);
    } else go(at, page);
    if (kept && field.isConnected) {
      field.focus({ preventScroll: true });
      // A mistake is mended, an answer is written over.
      if (answered.hasAttribute("aria-invalid")) field.setSelectionRange(field.value.length, field.value.length);
      else field.select();
    }
    document.querySelector(".notices:not(:empty)")?.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches(".sign-out")) return;
    if (!document.body.classList.contains("sheet")) {
      // The server never sees what stands behind the #: it is taken along to the page that was asked for.
      if (form.matches(".sign-in") && location.hash && !form.elements.to.value.includes("#")) form.elements.to.value += location.hash;
      return;
    }
    event.preventDefault();
    if (form.matches(".search")) {
      choose(form);
      return;
    }
    if (busy.has(form)) return;
    busy.add(form);
    submit(form, event.submitter).finally(() => busy.delete(form));
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches(".search select")) choose(event.target.form);
  });

  document.addEventListener("input", (event) => {
    const field = event.target;
    clearTimeout(typing);
    if (field.matches(".search input")) {
      typing = setTimeout(choose, TYPED_MS, field.form);
      return;
    }
    if (field.matches("[data-suggest]")) typing = setTimeout(suggest, TYPED_MS, field);
    writes = true;
    if (!unsent) return;
    unsent = null;
    tell();
  });

  document.addEventListener("click", async (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const hide = event.target.closest(".notices .alone a");
    if (hide) {
      // What is typed stays, which loading the page anew would take away.
      event.preventDefault();
      const field = hide.closest(".go-on, .prompt").querySelector("input[type=text]");
      hide.closest(".notices").replaceChildren();
      history.replaceState(null, "", plain_address());
      field.focus();
      return;
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
