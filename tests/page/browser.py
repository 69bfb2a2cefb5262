"""The page in a real browser: asking, following, clicking, with the mouse, with the keyboard alone, on a phone, in the dark.

usage: browser.py PROGRAM [FOLDER_FOR_SCREENSHOTS]

Needs the package `playwright` and Debian's `chromium`. Every run starts the demo with its own store on a free port.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile

from playwright.sync_api import expect, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000


@contextlib.contextmanager
def demo(program):
    """The demo's page; its address stands on standard error."""
    process = subprocess.Popen(
        [program, "demo", "--page", "--port", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        for line in process.stderr:
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                break
        else:
            sys.exit("the demo did not say where its page is")
        yield found.group()
    finally:
        process.terminate()
        if process.wait(30) != 0:
            sys.exit(f"the demo ended with {process.returncode}")


class Visit:
    """One browser with a look, and what went wrong in it."""

    def __init__(self, playwright, address, folder, **look):
        self.address, self.folder = address, folder
        self.browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        self.context = self.browser.new_context(**look)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.errors = []
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.errors.append(said.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("requestfailed", self.failed)

    def failed(self, request):
        # A stream of news and a page that is left behind are cut off by the browser itself.
        if "ERR_ABORTED" not in (request.failure or ""):
            self.errors.append(f"{request.url}: {request.failure}")

    def picture(self, name, whole=False):
        if self.folder:
            self.page.screenshot(path=os.path.join(self.folder, f"{name}.png"), full_page=whole, animations="disabled")

    def ask(self, words):
        self.page.get_by_label("Why does it not rotate?").fill(words)
        self.page.get_by_role("button", name="Ask").click()

    def verdict(self):
        return self.page.locator("#messages article.message").first

    def __enter__(self):
        self.page.goto(self.address)
        return self

    def __exit__(self, kind, *_):
        self.browser.close()
        if kind is None and self.errors:
            sys.exit(f"the browser complains: {self.errors}")


def no_wider_than_the_screen(visit):
    wide = visit.page.evaluate(
        "[...document.querySelectorAll('html, main, nav')].map((e) => e.scrollWidth - e.clientWidth).filter((more) => more > 0)"
    )
    assert not wide, f"{visit.page.url} is {wide} pixels too wide"


def everything_has_a_name(visit):
    """Buttons, links and fields that a screen reader could not name, ids that are there twice, and no one heading of all."""
    nameless = visit.page.evaluate(
        """() => {
        const named = (e) => (e.textContent + (e.getAttribute('aria-label') ?? '') + (e.labels?.[0]?.textContent ?? '')
            + (e.querySelector('img')?.alt ?? '')).trim();
        const bare = [...document.querySelectorAll('button, a, input:not([type=hidden]), summary')].filter((e) => !named(e));
        const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
        const once = ['h1', 'main'].filter((name) => [...document.querySelectorAll(name)].filter((e) => e.checkVisibility()).length !== 1);
        return [...bare.map((e) => e.outerHTML), ...ids.filter((id, at) => ids.indexOf(id) !== at), ...once];
    }"""
    )
    assert not nameless, nameless


def contrast(visit):
    """Text whose colour has too little contrast with its ground (WCAG 2.1, 1.4.3: 4.5 to 1, 3 to 1 when large)."""
    weak = visit.page.evaluate(
        """() => {
        const parse = (c) => (c.match(/[\\d.]+/g) ?? []).map(Number);
        const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
            .reduce((sum, v, at) => sum + v * [.2126, .7152, .0722][at], 0);
        const ground = (e) => { for (; e; e = e.parentElement) {
            const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
        const weak = [];
        const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) {
            const e = walk.currentNode.parentElement;
            if (!walk.currentNode.textContent.trim() || !e.checkVisibility() || e.closest('svg, .unseen, noscript, script')) continue;
            const style = getComputedStyle(e);
            const [a, b] = [light(parse(style.color)), light(ground(e))].sort((x, y) => y - x);
            const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.7 && style.fontWeight >= 600);
            const ratio = (a + .05) / (b + .05);
            if (ratio < (large ? 3 : 4.5)) weak.push([walk.currentNode.textContent.trim().slice(0, 40), ratio.toFixed(2)]);
        }
        return weak;
    }"""
    )
    assert not weak, weak


def with_the_mouse(playwright, address, folder):
    with Visit(playwright, address, folder, viewport={"width": 1280, "height": 900}) as visit:
        page = visit.page
        expect(page.get_by_text("Nothing has been asked yet.")).to_be_visible()
        no_wider_than_the_screen(visit)
        everything_has_a_name(visit)
        contrast(visit)
        visit.picture("01-empty")
        visit.ask("/rotation-diag prod/orders-db window:24h")
        page.wait_for_url("**/threads/**")
        # The steps are seen while they run, and all nine of them end.
        expect(page.locator("#messages .steps li")).to_have_count(9)
        visit.picture("02-running")
        title = visit.verdict().get_by_role("heading", level=2)
        expect(title).to_contain_text("prod/orders-db is not rotating")
        details = page.locator("#messages article", has_text="What the nine steps saw")
        expect(details.locator("li[data-state]")).to_have_count(9)
        expect(details.locator("li[data-state=done]")).to_have_count(9)
        expect(page.locator("#messages .picture img")).to_be_visible()
        no_wider_than_the_screen(visit)
        everything_has_a_name(visit)
        contrast(visit)
        page.locator("main").evaluate("main => main.scrollTo(0, 0)")
        visit.picture("03-verdict")
        page.set_viewport_size({"width": 1240, "height": 1400})
        visit.picture("thread")
        page.set_viewport_size({"width": 1280, "height": 900})

        visit.verdict().get_by_role("button", name="Widen to 7 d").click()
        expect(page.locator("#messages article", has_text="looked back 7 d")).to_have_count(1)
        expect(visit.verdict().get_by_role("button", name="Widen to 7 d")).to_have_count(0)

        visit.verdict().locator("summary", has_text="Rerun step").click()
        visit.picture("04-menu")
        visit.verdict().get_by_role("button", name="4 · function logs").first.click()
        expect(page.locator("#messages article", has_text="ran step 4 again")).to_have_count(1)

        expect(title).to_contain_text("prod/orders-db is not rotating")
        visit.verdict().locator("summary", has_text="Evidence").click()
        visit.verdict().locator("details[open]").get_by_role("button", name="4 · function logs").click()
        evidence = page.locator("#messages article", has_text="Step 4 · function logs")
        expect(evidence).to_have_count(1)
        expect(evidence.locator(".transcript").first).to_contain_text("is not authorized to perform")
        evidence.scroll_into_view_if_needed()
        visit.picture("05-evidence")

        # An answer for this person alone.
        page.get_by_label("Go on in this thread").fill("do something")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("Only you see this")).to_be_visible()
        visit.picture("06-alone")
        page.get_by_label("Go on in this thread").fill("export")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("Only you see this")).to_have_count(0)
        with page.expect_download() as download:
            page.get_by_role("link", name=re.compile(r"\.json")).click()
        assert download.value.suggested_filename == "prod-orders-db.json"

        visit.verdict().get_by_role("link", name="Report page with timeline and evidence").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("is not rotating")
        expect(page.locator(".timeline.wide svg")).to_be_visible()
        page.locator("details#step-4 summary").click()
        expect(page.locator("details#step-4 .transcript").first).to_contain_text("is not authorized to perform")
        no_wider_than_the_screen(visit)
        everything_has_a_name(visit)
        contrast(visit)
        visit.picture("07-report", whole=True)
        page.get_by_role("link", name="To its thread").click()
        visit.verdict().get_by_role("button", name="Resolve").click()
        expect(title).to_contain_text("Resolved: prod/orders-db")
        page.get_by_role("link", name="rotation-diag").click()
        expect(page.locator("#threads li")).to_have_count(1)


def with_the_keyboard(playwright, address, folder):
    with Visit(playwright, address, folder, viewport={"width": 1280, "height": 900}) as visit:
        page = visit.page
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("/")
        page.keyboard.type("/rotation-diag prod/order-db")
        page.keyboard.press("Enter")
        page.wait_for_url("**/threads/**")
        expect(visit.verdict()).to_contain_text("there is no such secret")
        rerun = visit.verdict().get_by_role("button", name="Rerun all")
        for _ in range(60):
            page.keyboard.press("Tab")
            if rerun.evaluate("button => button === document.activeElement"):
                break
        else:
            sys.exit("the buttons cannot be reached with the keyboard")
        assert rerun.evaluate("button => getComputedStyle(button).outlineStyle") != "none", "focus cannot be seen"
        page.keyboard.press("Enter")
        expect(page.locator("#messages article", has_text="ran all steps again")).to_have_count(1)
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("/")
        page.keyboard.type("help")
        page.keyboard.press("Enter")
        expect(page.locator("#whispers")).to_contain_text("In a thread")
        # A menu opens, is gone through, and closes.
        page.goto(visit.address)
        page.get_by_label("Why does it not rotate?").fill("/rotation-diag prod/orders-db")
        page.keyboard.press("Enter")
        page.wait_for_url("**/threads/**")
        menu = visit.verdict().locator("details.menu").first
        menu.locator("summary").press("Enter")
        expect(menu.get_by_role("button").first).to_be_visible()
        page.keyboard.press("ArrowDown")
        assert menu.get_by_role("button").first.evaluate("button => button === document.activeElement")
        page.keyboard.press("Escape")
        expect(menu.get_by_role("button").first).to_be_hidden()


def on_a_phone_in_the_dark(playwright, address, folder):
    look = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark", "device_scale_factor": 2, "has_touch": True}
    with Visit(playwright, address, folder, **look) as visit:
        page = visit.page
        no_wider_than_the_screen(visit)
        contrast(visit)
        everything_has_a_name(visit)
        visit.picture("11-phone-channel")
        page.get_by_role("button", name="prod/orders-db Policy detached from the role").click()
        page.wait_for_url("**/threads/**")
        expect(visit.verdict().get_by_role("button", name="Rerun all")).to_be_visible()
        no_wider_than_the_screen(visit)
        everything_has_a_name(visit)
        contrast(visit)
        visit.picture("12-phone-thread")
        for menu in visit.verdict().locator("details.menu").all():
            menu.locator("summary").click()
            no_wider_than_the_screen(visit)
            last = menu.get_by_role("button").last
            last.focus()
            assert last.evaluate(
                """button => { const { left, right, top, bottom } = button.getBoundingClientRect();
                return [[left + 9, top + 1], [right - 9, bottom - 1]].every(([x, y]) => button.contains(document.elementFromPoint(x, y))); }"""
            ), "an entry of the menu cannot be reached"
            visit.picture("12-phone-menu")
        page.get_by_role("link", name="Channel").click()
        expect(page.locator("#threads li")).to_have_count(1)
        no_wider_than_the_screen(visit)
        everything_has_a_name(visit)
        page.locator(".examples summary").click()
        no_wider_than_the_screen(visit)
        contrast(visit)
        visit.picture("14-phone-examples")
        page.locator("#threads a").click()
        visit.verdict().get_by_role("link", name="Report page with timeline and evidence").click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        no_wider_than_the_screen(visit)
        contrast(visit)
        expect(page.locator(".timeline.narrow svg")).to_be_visible()
        visit.picture("13-phone-report", whole=True)


def without_scripts(playwright, address, folder):
    with Visit(playwright, address, folder, java_script_enabled=False) as visit:
        page = visit.page
        visit.ask("/rotation-diag prod/orders-db window:7d")
        # The page looks again by itself while steps run.
        thread = page.locator("#threads li").first
        expect(thread).to_contain_text("is not rotating")
        thread.get_by_role("link").click()
        visit.verdict().get_by_role("button", name="Compare").click()
        expect(page.locator("#messages article", has_text="compare")).not_to_have_count(0)


def main():
    expect.set_options(timeout=PATIENCE_MS)
    program = sys.argv[1]
    folder = sys.argv[2] if len(sys.argv) > 2 else None
    journeys = (with_the_mouse, with_the_keyboard, on_a_phone_in_the_dark, without_scripts)
    only = os.environ.get("JOURNEY")
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        os.environ["HOME"] = home
        for journey in [journey for journey in journeys if only in (None, journey.__name__)]:
            with demo(program) as address:
                journey(playwright, address, folder)
            print(f"{journey.__name__.replace('_', ' ')}: well")


if __name__ == "__main__":
    main()
