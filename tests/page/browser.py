"""The page in a real browser: asking, following, clicking, with the mouse, with the keyboard alone, on a phone, in the dark;
in many windows, behind a sign-in, and with a server that comes and goes; and every page judged by axe.

usage: browser.py PROGRAM [FOLDER_FOR_SCREENSHOTS]

Needs the package `playwright`, Debian's `chromium`, and `axe-core` of npm below `target/axe`, or at AXE. Every run starts the
demo with its own store on a free port.
"""

import contextlib
import glob
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading

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
AXE = os.environ.get(
    "AXE", os.path.join(os.path.dirname(__file__), "..", "..", "target", "axe", "node_modules", "axe-core", "axe.min.js")
)
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


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


SERVED = """default_region = "eu-west-1"
[console]
token = "file:{folder}/token"
url = "http://127.0.0.1:{port}{path}"
[[allow]]
platform = "console"
workspace = "local"
channels = ["page"]
users = ["local"]
[http]
listen = "127.0.0.1:{port}"
[store]
path = "{folder}/page.db"
"""
TOKEN = "9f86d081884c7d659a2feaa0c55ad015"


class Served:
    """The bot with its page behind a token, on a port that stays the same; it can be killed and started again."""

    def __init__(self, program, folder, path=""):
        self.program, self.folder, self.path = program, folder, path
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        with open(os.path.join(folder, "token"), "w") as file:
            file.write(TOKEN)
        with open(os.path.join(folder, "config.toml"), "w") as file:
            file.write(SERVED.format(folder=folder, port=self.port, path=path))
        self.process = None

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}{self.path}"

    def start(self):
        # Nowhere is AWS: what is asked here ends without a verdict, and is none the less a thread.
        environment = os.environ | {
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        command = [self.program, "serve", "--config", os.path.join(self.folder, "config.toml")]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait()

    def wait(self):
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            threading.Event().wait(0.1)
        sys.exit("the bot does not listen")

    def kill(self):
        self.process.kill()
        self.process.wait()


class Visit:
    """One browser with a look, and what went wrong in it."""

    def __init__(self, playwright, address, folder, expected=None, **look):
        self.address, self.folder, self.expected = address, folder, expected
        self.browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        self.context = self.browser.new_context(**look)
        self.errors = []
        self.page = self.window()

    def window(self, path=None):
        """Another window of the same browser."""
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: said.type in ("error", "warning") and self.complain(said.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("requestfailed", self.failed)
        if path is not None:
            page.goto(self.address + path)
        return page

    def complain(self, text):
        if not (self.expected and re.search(self.expected, text)):
            self.errors.append(text)

    def failed(self, request):
        # A stream of news and a page that is left behind are cut off by the browser itself.
        if "ERR_ABORTED" not in (request.failure or ""):
            self.complain(f"{request.url}: {request.failure}")

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

    def sign_in(self, page=None):
        page = page or self.page
        page.get_by_label("The token of this web console").fill(TOKEN)
        page.get_by_role("button", name="Sign in").click()

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


def judged_by_axe(visit, where):
    """Every rule of axe-core, its best practices among them."""
    with open(AXE) as source:
        visit.page.evaluate(source.read())
    found = visit.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert found["passes"], "axe looked at nothing"
    wrong = [(one["id"], one["help"], [node["target"] for node in one["nodes"]][:3]) for one in found["violations"]]
    assert not wrong, f"{where}: {wrong}"


def on_every_page(playwright, address, folder):
    """All pages, light and dark, on a desk and on a phone: looked at by axe, and left as pictures."""
    paths = {"channel": "/", "nothing fits": "/?q=nothing-has-this-name", "no such page": "/nope"}
    looks = [(light, size) for light in ("light", "dark") for size in (DESKTOP, PHONE)]
    for light, size in looks:
        expected = r"status of 404"
        with Visit(playwright, address, folder, expected=expected, color_scheme=light, viewport=size, reduced_motion="reduce") as visit:
            page = visit.page
            if "thread" not in paths:
                judged_by_axe(visit, "the empty channel")
                for words in ("prod/forum-db", "prod/orders-db account:healthy", "prod/orders-db"):
                    page.goto(address)
                    visit.ask(words)
                    page.wait_for_url("**/threads/**")
                    expect(page.locator("#messages .drawn").first).to_be_visible()
                paths["thread"] = page.url.removeprefix(address)
                for name, link in (("report", "Report page"), ("cause", re.compile("^[a-z_]+$"))):
                    paths[name] = page.locator("#messages").get_by_role("link", name=link).first.get_attribute("href")
            for name, path in paths.items():
                page.goto(address + path)
                expect(page.get_by_role("heading", level=1).first).to_be_attached()
                where = f"{name.replace(' ', '-')}-{light}-{size['width']}"
                judged_by_axe(visit, where)
                contrast(visit)
                no_wider_than_the_screen(visit)
                visit.picture(where)
                if name == "thread":
                    page.get_by_label("Reply in this thread").fill("help")
                    page.keyboard.press("Enter")
                    expect(page.locator("#whispers")).to_contain_text("In a thread")
                    judged_by_axe(visit, f"help in a {where}")
                    page.get_by_role("link", name="Hide").click()
                    expect(page.locator("#whispers")).to_be_empty()
                    for fold in page.locator("#messages details").all():
                        fold.locator("summary").first.click()
                        judged_by_axe(visit, f"what unfolds in a {where}")
                if name == "report":
                    page.locator("details#step-4 summary").click()
                    judged_by_axe(visit, f"the evidence in a {where}")
                    visit.picture(f"{where}-whole", whole=True)


def with_the_mouse(playwright, address, folder):
    with Visit(playwright, address, folder, viewport={"width": 1280, "height": 900}) as visit:
        page = visit.page
        expect(page.get_by_text("No investigations yet.")).to_be_visible()
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
        details = page.locator("#messages article", has_text="What the nine steps found")
        expect(details.locator("li[data-state]")).to_have_count(9)
        expect(details.locator("li[data-state=fine], li[data-state=trouble]")).to_have_count(9)
        # The first message is short on a phone, and everything else stands in the thread.
        page.set_viewport_size({"width": 390, "height": 844})
        height = visit.verdict().evaluate("article => article.getBoundingClientRect().height")
        assert height <= 1200, f"the verdict is {height} px high on a phone"
        page.set_viewport_size({"width": 1280, "height": 900})
        expect(details.locator("li[data-state=trouble]")).not_to_have_count(0)
        expect(details).to_contain_text("✓ fine")
        expect(page.locator("#messages .drawn .wide svg").first).to_be_visible()
        no_wider_than_the_screen(visit)
        everything_has_a_name(visit)
        contrast(visit)
        page.locator("main").evaluate("main => main.scrollTo(0, 0)")
        visit.picture("03-verdict")
        page.set_viewport_size({"width": 1240, "height": 1400})
        visit.picture("thread")
        page.set_viewport_size({"width": 1280, "height": 900})

        visit.verdict().locator("summary", has_text="Widen").click()
        visit.verdict().get_by_role("button", name="to 7 d").click()
        expect(page.locator("#messages article", has_text="widened the window to 7 days")).to_have_count(1)
        expect(visit.verdict().get_by_role("button", name="to 7 d", include_hidden=True)).to_have_count(0)

        visit.verdict().locator("summary", has_text="Rerun step").click()
        visit.picture("04-menu")
        visit.verdict().get_by_role("button", name="4 · function logs").first.click()
        expect(page.locator("#messages article", has_text="reran step 4")).to_have_count(1)

        expect(title).to_contain_text("prod/orders-db is not rotating")
        visit.verdict().locator("summary", has_text="More").click()
        visit.verdict().locator("details[open]").get_by_role("button", name="Evidence of 4 · function logs").click()
        evidence = page.locator("#messages article", has_text="Step 4 · function logs")
        expect(evidence).to_have_count(1)
        expect(evidence.locator(".transcript").first).to_contain_text("is not authorized to perform")
        evidence.scroll_into_view_if_needed()
        visit.picture("05-evidence")

        # An answer for this person alone.
        page.get_by_label("Reply in this thread").fill("do something")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("Only visible to you")).to_be_visible()
        visit.picture("06-alone")
        page.get_by_label("Reply in this thread").fill("export")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("Only visible to you")).to_have_count(0)
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
        page.get_by_role("link", name="Open its thread").click()
        visit.verdict().get_by_role("button", name="Resolve").click()
        expect(title).to_contain_text("Resolved: prod/orders-db")
        page.get_by_role("link", name="rotation-diag").click()
        expect(page.locator("#threads li")).to_have_count(1)


def the_list(playwright, address, folder):
    """Searched, filtered, kept in the address; names while typing; ages that go on; long names."""
    with Visit(playwright, address, folder, viewport=DESKTOP) as visit:
        page = visit.page
        for words in ("prod/forum-db", "prod/orders-db account:healthy", "prod/orders-db"):
            page.goto(visit.address)
            visit.ask(words)
            page.wait_for_url("**/threads/**")
            expect(visit.verdict()).to_contain_text("Rerun")
        thread = page.url.split("?")[0]
        lines = page.locator("#threads li")
        expect(lines).to_have_count(3)
        heights = lines.evaluate_all("lines => lines.map((line) => line.getBoundingClientRect().height)")
        assert max(heights) < 40, f"an item takes more than one line: {heights}"
        time = lines.first.locator("time")
        assert re.fullmatch(r"\d+ (s|min)", time.inner_text()) and time.get_attribute("title").endswith("UTC")
        # What is chosen stands in the address, beside the thread that stays open, and survives being loaded anew.
        page.get_by_label("Show").get_by_role("link", name="Failing").click()
        page.wait_for_url("**?show=failing")
        assert page.url.startswith(thread)
        expect(lines).to_have_count(2)
        page.get_by_role("searchbox").fill("forum")
        expect(lines).to_have_count(1)
        page.wait_for_url("**?q=forum&show=failing")
        page.reload()
        expect(lines).to_have_count(1)
        expect(page.get_by_role("searchbox")).to_have_value("forum")
        page.get_by_role("searchbox").fill("")
        expect(lines).to_have_count(2)
        page.get_by_label("Account").select_option("healthy")
        page.wait_for_url("**account=healthy**")
        expect(lines).to_have_count(0)
        expect(page.get_by_text("Nothing here fits.")).to_be_visible()
        page.get_by_role("link", name="Show all").click()
        expect(lines).to_have_count(3)
        page.get_by_label("Show").get_by_role("link", name="Mine").click()
        expect(lines).to_have_count(3)
        with Visit(playwright, address, folder) as other:
            other.page.goto(f"{address}/?show=mine")
            expect(other.page.locator("#threads li")).to_have_count(3)
        # A reply keeps what is chosen.
        page.get_by_label("Reply in this thread").fill("help")
        page.keyboard.press("Enter")
        expect(page.locator("#whispers")).to_contain_text("In a thread")
        assert "show=mine" in page.url
        # A name as long as AWS allows takes three lines, and is whole for who points at it.
        long = "prod/" + "x" * 507
        page.get_by_label("Reply in this thread").fill("")
        visit.ask(long)
        expect(page.locator(f"h2[title*='{long}']").first).to_be_visible()
        for one in page.locator(f"h2[title*='{long}']").all():
            assert one.evaluate("h2 => h2.getBoundingClientRect().height") < 80, "a long name is not clamped"
        no_wider_than_the_screen(visit)
        page.goto(thread)
        # Names, whatever stands before them.
        field = page.get_by_label("Why does it not rotate?")
        for typed, name in (("gallery", "prod/gallery-db"), ("/rotation-diag gallery", "/rotation-diag prod/gallery-db")):
            field.fill("")
            field.press_sequentially(typed)
            expect(page.locator(f"#secrets option[value='{name}']")).to_have_count(1)
            expect(page.locator("#secrets option")).to_have_count(1)


def where_the_fix_stands(playwright, address, folder):
    """Without scrolling on a desk, on the second screen of a phone; and the help is not hidden behind the prompt."""
    for size in (DESKTOP, PHONE):
        with Visit(playwright, address, folder, viewport=size) as visit:
            page = visit.page
            visit.ask("prod/orders-db")
            page.wait_for_url("**/threads/**")
            expect(page.locator("#messages .drawn").first).to_be_visible()
            page.reload()
            fix = visit.verdict().locator(".command").first
            top, bottom = fix.evaluate("fix => { const at = fix.getBoundingClientRect(); return [at.top + scrollY, at.bottom + scrollY]; }")
            prompt = page.locator(".go-on").evaluate("prompt => prompt.getBoundingClientRect().top")
            if size is DESKTOP:
                assert bottom <= prompt, f"the fix ends at {bottom}, the prompt begins at {prompt}"
            else:
                assert top <= 2 * size["height"] - 120, f"the fix begins at {top}"
            page.get_by_label("Reply in this thread").fill("help")
            page.keyboard.press("Enter")
            whisper = page.locator("#whispers article")
            expect(whisper).to_contain_text("In a thread")
            if size is DESKTOP:
                page.wait_for_timeout(200)
                above, below = whisper.evaluate("e => { const at = e.getBoundingClientRect(); return [at.top, at.bottom]; }")
                prompt = page.locator(".go-on form").evaluate("prompt => prompt.getBoundingClientRect().top")
                assert above >= 0 and below <= prompt, f"the help stands from {above} to {below}, the prompt begins at {prompt}"
                cut = page.locator("#whispers").evaluate("whispers => whispers.scrollHeight - whispers.clientHeight")
                assert cut <= 1, f"{cut} pixels of the help are cut"
                page.goto(address)
                visit.ask("help")
                channel = page.locator("#whispers article")
                expect(channel).to_contain_text("rotation-diag")
                page.wait_for_timeout(200)
                below = channel.evaluate("e => e.getBoundingClientRect().bottom")
                assert below <= size["height"], f"the help ends at {below}"


def printed(playwright, address, folder):
    """On paper: the evidence is there, the buttons are not."""
    with Visit(playwright, address, folder, viewport=DESKTOP, color_scheme="dark") as visit:
        page = visit.page
        visit.ask("prod/orders-db")
        page.wait_for_url("**/threads/**")
        visit.verdict().get_by_role("link", name="Report page").click()
        page.emulate_media(media="print")
        expect(page.locator("details#step-4 .transcript").first).to_be_visible()
        assert page.locator("details#step-4 .transcript").first.evaluate("e => e.getBoundingClientRect().height") > 50
        for hidden in ("button", ".top", ".skip"):
            for one in page.locator(hidden).all():
                assert not one.is_visible(), f"{hidden} is printed"
        ground = page.locator("article.message").first.evaluate("e => getComputedStyle(e).backgroundColor")
        assert ground == "rgb(255, 255, 255)", f"paper is {ground}"
        visit.picture("51-printed", whole=True)
        page.emulate_media(media="screen")
        # What folds is opened for the printer, and closed again.
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert page.locator("details.step:not([open])").count() == 0
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        assert page.locator("details.step[open]").count() == 0


def answers_come_into_view(playwright, address, folder):
    with Visit(playwright, address, folder, viewport={"width": 390, "height": 844}) as visit:
        visit.ask("prod/orders-db")
        expect(visit.verdict()).to_contain_text("is not rotating")
        field = visit.page.get_by_label("Reply in this thread")
        for words, title in (("evidence 4", "Step 4"), ("compare", "compare"), ("export", "report")):
            before = visit.page.locator("article[id]").count()
            field.fill(words)
            visit.page.keyboard.press("Enter")
            answer = visit.page.locator("article[id]").nth(before)
            expect(answer).to_contain_text(re.compile(title, re.IGNORECASE))
            expect(answer).to_be_in_viewport()
        visit.picture("15-an-answer-in-view")


def with_the_keyboard(playwright, address, folder):
    with Visit(playwright, address, folder, viewport={"width": 1280, "height": 900}) as visit:
        page = visit.page
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("/")
        page.keyboard.type("/rotation-diag prod/order-db")
        page.keyboard.press("Enter")
        # A slip of the pen is told to its writer alone; the field keeps the words.
        expect(page.locator("#whispers")).to_contain_text("There is no secret prod/order-db")
        page.locator("#ask").fill("/rotation-diag prod/orders-db")
        page.keyboard.press("Enter")
        page.wait_for_url("**/threads/**")
        expect(visit.verdict()).to_contain_text("prod/orders-db is not rotating")
        rerun = visit.verdict().get_by_role("button", name="Rerun", exact=True)
        for _ in range(60):
            page.keyboard.press("Tab")
            if rerun.evaluate("button => button === document.activeElement"):
                break
        else:
            sys.exit("the buttons cannot be reached with the keyboard")
        assert rerun.evaluate("button => getComputedStyle(button).outlineStyle") != "none", "focus cannot be seen"
        page.keyboard.press("Enter")
        expect(page.locator("#messages article", has_text="reran all steps")).to_have_count(1)
        # Its buttons went away while it ran: whoever uses the keyboard is still there, and on the button when it is back.
        expect(rerun).to_be_focused()
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
        expect(visit.verdict().get_by_role("button", name="Rerun", exact=True)).to_be_visible()
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
        visit.verdict().locator("summary", has_text="More").click()
        visit.verdict().get_by_role("button", name="Compare").click()
        expect(page.locator("#messages article", has_text="compare")).not_to_have_count(0)


MISTAKE = "/rotation-diag prod/orders-db windw:7d"


def is_seen(locator):
    """True when no part of it is clipped away or covered."""
    return locator.evaluate(
        """e => { const { left, right, top, bottom } = e.getBoundingClientRect();
        const points = [[left + 3, top + 3], [right - 3, bottom - 3], [(left + right) / 2, (top + bottom) / 2]];
        return bottom - top > 10 && points.every(([x, y]) => e.contains(document.elementFromPoint(x, y))); }"""
    )


def fill_the_list(visit, count):
    """Asks so often that the list is longer than the screen."""
    page = visit.page
    for words in proposed(page)[1 : count + 1]:
        page.goto(visit.address)
        visit.ask(words)
        page.wait_for_url("**/threads/**")


def proposed(page):
    """What the page proposes to ask."""
    return page.locator("#secrets option").evaluate_all("options => options.map((option) => option.value)")


def a_mistake(visit, name):
    """What was written wrongly stays, and why it is wrong is seen and told."""
    page = visit.page
    field = page.get_by_label("Why does it not rotate?")
    field.click()
    field.fill(MISTAKE)
    page.keyboard.press("Enter")
    notice = page.locator("#whispers article, #notices-ask article").first
    expect(notice).to_be_visible()
    expect(page.get_by_role("alert").locator("article")).to_contain_text("windw")
    expect(notice).to_contain_text("windw")
    title = notice.get_by_role("heading")
    assert is_seen(title), "why it is wrong is clipped away"
    expect(field).to_have_value(MISTAKE)
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    assert is_seen(field), "the field is out of sight"
    described = field.get_attribute("aria-describedby")
    assert "windw" in page.locator(f"#{described}").inner_text()
    no_wider_than_the_screen(visit)
    everything_has_a_name(visit)
    contrast(visit)
    visit.picture(name)
    # It is mended where it stands.
    page.keyboard.press("Home")
    field.fill("/rotation-diag prod/orders-db window:7d")
    page.keyboard.press("Enter")
    page.wait_for_url("**/threads/**")
    expect(page.locator("#ask")).to_have_value("")


def with_a_mistake(playwright, address, folder):
    with Visit(playwright, address, folder, viewport={"width": 1280, "height": 720}) as visit:
        fill_the_list(visit, 9)
        # Beside an open thread, which stays open.
        thread = visit.page.url
        field = visit.page.get_by_label("Why does it not rotate?")
        field.fill(MISTAKE)
        visit.page.get_by_role("button", name="Ask").click()
        notice = visit.page.locator("#notices-ask article")
        expect(notice).to_contain_text("windw")
        assert is_seen(notice.get_by_role("heading"))
        expect(field).to_have_value(MISTAKE)
        expect(field).to_be_focused()
        assert visit.page.url.split("?")[0] == thread, "the thread that was open is gone"
        visit.picture("21-mistake-beside-a-thread")
        visit.page.goto(visit.address)
        a_mistake(visit, "22-mistake")
        # In the thread.
        say = visit.page.get_by_label("Reply in this thread")
        say.fill("rerun 17")
        visit.page.get_by_role("button", name="Send").click()
        expect(visit.page.locator("#whispers article")).to_be_visible()
        expect(say).to_have_value("rerun 17")
        expect(say).to_be_focused()
        assert is_seen(visit.page.locator("#whispers article").get_by_role("heading"))
        visit.picture("23-mistake-in-a-thread")
        visit.browser.close()
    look = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "device_scale_factor": 2, "has_touch": True}
    with Visit(playwright, address, folder, **look) as visit:
        a_mistake(visit, "24-mistake-on-a-phone")
        say = visit.page.get_by_label("Reply in this thread")
        say.fill("rerun 17")
        visit.page.get_by_role("button", name="Send").click()
        notice = visit.page.locator("#whispers article").get_by_role("heading")
        expect(notice).to_be_visible()
        assert is_seen(notice)
        expect(say).to_have_value("rerun 17")
        no_wider_than_the_screen(visit)
        visit.picture("25-mistake-in-a-thread-on-a-phone")
    with Visit(playwright, address, folder, java_script_enabled=False, viewport={"width": 390, "height": 844}) as visit:
        visit.ask(MISTAKE)
        field = visit.page.get_by_label("Why does it not rotate?")
        expect(field).to_have_value(MISTAKE)
        expect(field).to_be_focused()
        assert is_seen(visit.page.locator("#whispers article").get_by_role("heading"))
        visit.picture("26-mistake-without-scripts")


def streams(visit):
    """How many streams of news the browser keeps open, as the windows' own records of what they loaded say."""
    return sum(page.evaluate("window.streams.filter((one) => one.readyState !== 2).length") for page in visit.context.pages)


COUNTED = """window.streams = []; const Source = window.EventSource;
window.EventSource = class extends Source { constructor(...all) { super(...all); window.streams.push(this); } };"""


def in_many_windows(playwright, address, folder):
    asked = ["prod/orders-db", "prod/forum-db", "prod/billing-db", "prod/payroll-db", "prod/gallery-db", "prod/orders-db account:healthy"]
    for without in ("", "delete Navigator.prototype.locks;", "delete window.BroadcastChannel;"):
        with Visit(playwright, address, folder) as visit:
            visit.context.add_init_script(COUNTED + without)
            windows = [visit.window("/") for _ in range(9)]
            visit.page.goto("about:blank")
            visit.page.close()
            for window in windows:
                expect(window.get_by_label("Why does it not rotate?")).to_be_visible()
            if not without:
                windows[0].wait_for_timeout(500)
                assert streams(visit) == 1, f"{streams(visit)} streams for nine windows"
            else:
                assert streams(visit) == 0
            # Asking in one moves no other, and all see it.
            first, second = asked.pop(), asked.pop()
            windows[8].get_by_label("Why does it not rotate?").fill(first)
            windows[7].get_by_label("Why does it not rotate?").fill("half a sentence")
            windows[8].keyboard.press("Enter")
            windows[8].wait_for_url("**/threads/**")
            for window in windows[:8]:
                expect(window.locator("#threads")).to_contain_text(first.split()[0])
                assert window.url == visit.address + "/", f"{window.url} was led away"
            expect(windows[7].get_by_label("Why does it not rotate?")).to_have_value("half a sentence")
            expect(windows[8].locator("#messages")).to_contain_text("What the nine steps found")
            # Back leads to where it was asked, and stays there.
            windows[8].go_back()
            windows[8].wait_for_url(visit.address + "/")
            expect(windows[8].get_by_text("Try one of these")).to_be_visible()
            windows[8].go_forward()
            windows[8].wait_for_url("**/threads/**")
            expect(windows[8].locator("#messages")).to_contain_text("What the nine steps found")
            # Whoever listened for all goes away: another takes over.
            while len(windows) > 6:
                windows.pop(0).close()
            windows[0].get_by_label("Why does it not rotate?").fill(second)
            windows[0].keyboard.press("Enter")
            windows[0].wait_for_url("**/threads/**")
            for window in windows[1:5]:
                expect(window.locator("#threads")).to_contain_text(second.split()[0])
            assert streams(visit) == (0 if without else 1)


def one_that_listens_hangs(playwright, address, folder):
    """The window that listens for all is frozen, as phones do it: one that is seen takes its place."""
    with Visit(playwright, address, folder) as visit:
        visit.context.add_init_script(COUNTED)
        visit.page.reload()
        first = visit.page
        expect(first.get_by_label("Why does it not rotate?")).to_be_visible()
        first.wait_for_timeout(300)
        second = visit.window("/")
        assert streams(visit) == 1 and second.evaluate("window.streams.length") == 0
        # It keeps its lock, and says nothing more.
        first.evaluate("BroadcastChannel.prototype.postMessage = () => {}")
        for _ in range(PATIENCE_MS // 100):
            second.wait_for_timeout(100)
            if second.evaluate("window.streams.length > 0"):
                break
        second.wait_for_timeout(300)
        assert streams(visit) == 1, "both listen"


def without_the_server(playwright, program, folder):
    gone = r"ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED|ERR_SOCKET|Failed to load resource|status of 401"
    with tempfile.TemporaryDirectory() as home:
        served = Served(program, home)
        served.start()
        try:
            with Visit(playwright, served.address, folder, expected=gone, viewport={"width": 390, "height": 844}) as visit:
                page = visit.page
                visit.sign_in()
                field = page.get_by_label("Why does it not rotate?")
                expect(field).to_be_visible()
                other = visit.window("/")
                expect(other.get_by_label("Why does it not rotate?")).to_be_visible()
                field.fill("prod/half-a")
                served.kill()
                for window in (page, other):
                    expect(window.locator("#connection")).to_contain_text("The connection is lost")
                    expect(window.locator("#connection")).to_have_attribute("role", "status")
                visit.picture("31-the-server-is-gone")
                contrast(visit)
                no_wider_than_the_screen(visit)
                # What is sent now is not lost, and nobody is led to an error of the browser.
                field.fill("prod/half-a-word")
                page.keyboard.press("Enter")
                expect(page.locator("#connection")).to_contain_text("may not have arrived")
                expect(field).to_have_value("prod/half-a-word")
                visit.picture("32-not-sent")
                served.start()
                expect(page.locator("#connection")).to_contain_text("Connected again")
                for window in (page, other):
                    expect(window.locator("#connection")).not_to_contain_text("is lost")
                expect(other.locator("#connection")).to_be_empty()
                visit.picture("33-back-again")
                # Still signed in, with forms that work: sent again, it is taken once.
                page.keyboard.press("Enter")
                page.wait_for_url("**/threads/**")
                expect(page.locator("#threads li")).to_have_count(1)
                expect(other.locator("#threads")).to_contain_text("prod/half-a-word")
                expect(page.locator("#connection")).to_be_empty()
                # Started anew without what it knew: the window of a thread says so, and the others go on.
                served.kill()
                for left in glob.glob(os.path.join(home, "page.db*")):
                    os.remove(left)
                served.start()
                expect(page.locator("#connection")).to_contain_text("This thread is no longer there")
                visit.picture("34-the-thread-is-gone")
                expect(other.locator("#threads")).not_to_contain_text("prod/half-a-word")
                page.get_by_role("link", name="Go to the channel").click()
                expect(page.get_by_label("Why does it not rotate?")).to_be_visible()
                expect(page.locator("#connection")).to_be_empty()
        finally:
            served.kill()


def behind_the_sign_in(playwright, program, folder):
    refused = r"Failed to load resource|status of 40[13]|status of 429"
    with tempfile.TemporaryDirectory() as home:
        served = Served(program, home)
        served.start()
        try:
            with Visit(playwright, served.address, folder, expected=refused, viewport={"width": 390, "height": 844}) as visit:
                page = visit.page
                no_wider_than_the_screen(visit)
                everything_has_a_name(visit)
                judged_by_axe(visit, "the sign-in")
                page.emulate_media(color_scheme="dark")
                judged_by_axe(visit, "the sign-in in the dark")
                page.emulate_media(color_scheme="light")
                visit.sign_in()
                visit.ask("/rotation-diag prod/shared")
                page.wait_for_url("**/threads/**")
                thread = page.url.removeprefix(served.address)
                # The session ends while somebody writes.
                page.get_by_label("Reply in this thread").fill("widen 30")
                visit.context.clear_cookies()
                page.get_by_label("Reply in this thread").fill("widen 30d")
                page.keyboard.press("Enter")
                expect(page.locator("#connection")).to_contain_text("You are signed out")
                expect(page.get_by_label("Reply in this thread")).to_have_value("widen 30d")
                no_wider_than_the_screen(visit)
                contrast(visit)
                visit.picture("41-signed-out")
                with visit.context.expect_page() as opened:
                    page.get_by_role("link", name="Sign in").click()
                judged_by_axe(visit, "a window that is signed out")
                visit.sign_in(opened.value)
                opened.value.wait_for_url(f"**{thread}")
                expect(page.locator("#connection")).not_to_contain_text("signed out")
                expect(page.get_by_label("Reply in this thread")).to_have_value("widen 30d")
                # A link that somebody shared, with the place in it.
                visit.context.clear_cookies()
                page.goto("about:blank")
                page.goto(f"{served.address}{thread}#m-1")
                page.get_by_label("The token of this web console").fill("a wrong one")
                page.get_by_role("button", name="Sign in").click()
                expect(page.get_by_role("alert")).to_contain_text("This is not the right token.")
                visit.picture("42-wrong-token")
                contrast(visit)
                visit.sign_in()
                page.wait_for_url(f"**{thread}#m-1")
                expect(page.locator("#messages article").first).to_contain_text("prod/shared")
                # And out again.
                page.get_by_role("button", name="Sign out").click()
                page.wait_for_url("**/sign-in")
                page.goto(served.address + thread)
                page.wait_for_url("**/sign-in?to=**")
            # The same without scripts: the words go through the sign-in.
            with Visit(playwright, served.address, folder, expected=refused, java_script_enabled=False) as visit:
                page = visit.page
                visit.sign_in()
                visit.context.clear_cookies()
                visit.ask("/rotation-diag prod/kept")
                expect(page.get_by_role("alert").first).to_contain_text("what you wrote is kept")
                visit.sign_in()
                expect(page.get_by_label("Why does it not rotate?")).to_have_value("/rotation-diag prod/kept")
                visit.picture("43-words-after-the-sign-in")
        finally:
            served.kill()


def with_a_slow_server(playwright, address, folder):
    with Visit(playwright, address, folder) as visit:
        page = visit.page
        said = []

        def slowly(route):
            said.append(route.request.post_data)
            page.wait_for_timeout(1500)
            route.continue_()

        page.route("**/say", slowly)
        field = page.get_by_label("Why does it not rotate?")
        field.fill("/rotation-diag prod/forum-db")
        button = page.get_by_role("button", name="Ask")
        button.click()
        expect(button).to_be_disabled()
        # Impatience counts once, and what is written meanwhile stays.
        field.press("Enter")
        field.press("Enter")
        field.fill("/rotation-diag prod/next")
        expect(page.locator("#threads")).to_contain_text("prod/forum-db")
        expect(button).to_be_enabled()
        expect(field).to_have_value("/rotation-diag prod/next")
        assert page.url.split("?")[0] == address + "/", "whoever writes is not led away"
        assert len(said) == 1, said
        expect(page.locator("#threads li")).to_have_count(1)


def after_sleep(playwright, address, folder):
    """A stream that says nothing any more, as after sleep or in another network, is replaced."""
    with Visit(playwright, address, folder) as visit:
        page = visit.page
        visit.context.add_init_script(COUNTED)
        page.clock.install()
        page.reload()
        expect(page.get_by_label("Why does it not rotate?")).to_be_visible()
        page.get_by_label("Why does it not rotate?").fill("prod/typed")
        page.clock.run_for(1000)
        assert page.evaluate("window.streams.length") == 1
        page.clock.fast_forward("10:00")
        page.clock.run_for(10_000)
        assert page.evaluate("window.streams.length") > 1, "the dead stream is still listened to"
        assert streams(visit) == 1
        # Another network.
        before = page.evaluate("window.streams.length")
        page.evaluate("window.dispatchEvent(new Event('online'))")
        assert page.evaluate("window.streams.length") == before + 1
        expect(page.get_by_label("Why does it not rotate?")).to_have_value("prod/typed")


def below_a_path(playwright, program, folder):
    with tempfile.TemporaryDirectory() as home:
        served = Served(program, home, "/ops/page")
        served.start()
        try:
            with Visit(playwright, served.address, folder) as visit:
                page = visit.page
                visit.context.add_init_script(COUNTED)
                visit.sign_in()
                page.wait_for_url(served.address)
                visit.ask("/rotation-diag prod/below")
                page.wait_for_url("**/ops/page/threads/**")
                assert streams(visit) == 1
                page.get_by_role("link", name="rotation-diag").click()
                page.wait_for_url(served.address)
                expect(page.locator("#threads")).to_contain_text("prod/below")
                page.locator("#threads a").click()
                page.wait_for_url("**/ops/page/threads/**")
        finally:
            served.kill()


def main():
    expect.set_options(timeout=PATIENCE_MS)
    program = sys.argv[1]
    folder = sys.argv[2] if len(sys.argv) > 2 else None
    on_the_demo = (
        on_every_page,
        the_list,
        with_the_mouse,
        where_the_fix_stands,
        printed,
        answers_come_into_view,
        with_the_keyboard,
        on_a_phone_in_the_dark,
        without_scripts,
        with_a_mistake,
        in_many_windows,
        one_that_listens_hangs,
        with_a_slow_server,
        after_sleep,
    )
    on_the_bot = (without_the_server, behind_the_sign_in, below_a_path)
    only = os.environ.get("JOURNEY")
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        os.environ["HOME"] = home
        for journey in [journey for journey in on_the_demo + on_the_bot if only in (None, journey.__name__)]:
            if journey in on_the_bot:
                journey(playwright, program, folder)
            else:
                with demo(program) as address:
                    journey(playwright, address, folder)
            print(f"{journey.__name__.replace('_', ' ')}: well", flush=True)


if __name__ == "__main__":
    main()
