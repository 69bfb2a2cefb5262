"""Pictures of what people read on Slack and Discord, from the messages as the fakes took them, in a small model of each client.

usage: looks.py FOLDER

The folder holds `slack`, `discord` and `page`, as `LOOKS=FOLDER cargo test --test slack --test discord --test webhook --test page
looks` leaves them. Each message becomes two pictures beside its file: on a desk in the light, on a phone in the dark. What the
models do not know ends the script, so that nothing is left out of the pictures unseen. What a thread hangs on is measured in every
scenario, on each platform; only what is too tall becomes a picture.

Needs the package `playwright` and Debian's `chromium`.
"""

import glob
import html
import json
import os
import re
import sys

from playwright.sync_api import sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
LOOKS = (("desk", "light", 900), ("phone", "dark", 390))
# What a thread hangs on is read without scrolling far: in pixels, on a phone of 390. The fonts here are a tenth wider than
# Discord's own, which is why its texts are a pixel smaller here.
ROOT_ON_A_PHONE = 1200
# The fix is seen at once on a desk, and on the second screen of a phone at the latest.
WINDOWS = {"desk": (1280, 900), "phone": (390, 844)}
SCREENS = {"desk": 1, "phone": 2}
ROOTS = ("verdict", "verdict-healthy", "verdict-no-such-secret", "verdict-bot-may-see-nothing", "verdict-managed-by-rds", "verdict-new-code-raises")

STYLE = """
* { box-sizing: border-box; } body { margin: 0; font: 15px/1.46 system-ui, "Noto Sans", "DejaVu Sans", sans-serif; }
.message { display: flex; gap: 8px; padding: 12px 16px; } .avatar { flex: none; width: 36px; height: 36px; border-radius: 8px; background: #2451b3; }
.body { min-width: 0; flex: 1; overflow-wrap: anywhere; } .who { font-weight: 700; } pre, code { font-family: "DejaVu Sans Mono", monospace; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 4px 0; } img { display: block; max-width: 100%; border-radius: 8px; margin-top: 6px; }
.mark { display: inline-block; width: .9em; height: .9em; border-radius: 50%; vertical-align: -.1em; }
.file { display: inline-block; border: 1px solid; border-radius: 8px; padding: 8px 12px; margin: 6px 6px 0 0; }
.controls { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 8px; } p { margin: 0; } ul, ol { margin: 2px 0; padding-left: 22px; }
.slack { color: #1d1c1d; background: #fff; } .slack.dark { color: #d1d2d3; background: #1a1d21; }
.slack .header { font-size: 18px; font-weight: 700; margin: 8px 0 4px; } .slack .context { font-size: 13px; color: #616061; margin: 4px 0; }
.slack.dark .context { color: #ababad; } .slack .block { margin: 4px 0; } .slack a { color: #1264a3; } .slack.dark a { color: #1d9bd1; }
.slack pre { border: 1px solid #ddd; background: #f8f8f8; border-radius: 4px; padding: 8px; font-size: 12px; }
.slack.dark pre { border-color: #3c3f44; background: #222529; } .slack code { color: #c01343; font-size: 12px; }
.slack.dark code { color: #e8912d; } .slack pre code, .slack.dark pre code { color: inherit; }
.slack .control { border: 1px solid #bbb; border-radius: 8px; padding: 3px 12px; font-weight: 700; font-size: 14px; }
.slack .control.primary { background: #007a5a; color: #fff; border-color: #007a5a; } .slack .control.danger { color: #e01e5a; border-color: #e01e5a; }
.slack blockquote { border-left: 4px solid #ddd; margin: 2px 0; padding-left: 12px; } .slack hr { border: 0; border-top: 1px solid #ddd; margin: 12px 0; }
.slack table { border-collapse: collapse; } .slack td { border: 1px solid #ddd; padding: 4px 8px; }
.discord { color: #313338; background: #fff; font-size: 16px; line-height: 1.375; } .discord.dark { color: #dbdee1; background: #313338; }
.discord .avatar { width: 40px; height: 40px; border-radius: 50%; } .discord a { color: #006ce7; } .discord.dark a { color: #00a8fc; }
.discord .embed { border-left: 4px solid; border-radius: 4px; background: #f2f3f5; padding: 8px 16px 12px 12px; margin-top: 4px; max-width: 520px; font-size: 14px; line-height: 1.3; }
.discord.dark .embed { background: #2b2d31; } .discord pre { border: 1px solid #e3e5e8; background: #f2f3f5; border-radius: 4px; padding: 7px; font-size: 14px; line-height: 1.125; }
.discord.dark pre { background: #2b2d31; border-color: #1e1f22; } .discord .embed pre { background: #e3e5e8; } .discord.dark .embed pre { background: #1e1f22; }
.discord code { background: #e3e5e8; border-radius: 3px; padding: 0 3px; font-size: .85em; } .discord.dark code { background: #1e1f22; } .discord pre code { background: none; padding: 0; font-size: inherit; }
.discord .small { font-size: 13px; opacity: .75; } .discord h1 { font-size: 24px; margin: 8px 0 4px; } .discord h2 { font-size: 20px; margin: 8px 0 4px; } .discord h3 { font-size: 16px; margin: 8px 0 4px; }
.discord blockquote { border-left: 4px solid #c4c9ce; margin: 0; padding-left: 12px; } .discord .mention { background: #5865f233; color: #5865f2; border-radius: 3px; padding: 0 2px; font-weight: 500; }
.discord.dark .mention { color: #c9cdfb; } .discord .control { background: #e3e5e8; border-radius: 3px; padding: 5px 14px; font-size: 14px; font-weight: 500; } .discord.dark .control { background: #4e5058; color: #fff; }
.discord .control.primary { background: #5865f2; color: #fff; } .discord .control.success { background: #248046; color: #fff; } .discord .control.danger { background: #da373c; color: #fff; }
.discord .control.select { flex: 1 1 100%; max-width: 400px; background: #ebebeb; } .discord.dark .control.select { background: #1e1f22; color: #dbdee1; }
.discord .container { font-size: 15px; line-height: 22px; } .discord .text + .text, .discord .text + .section, .discord .section + .text { margin-top: 8px; }
.discord .section { display: flex; gap: 12px; align-items: flex-start; justify-content: space-between; } .discord .container { background: #f2f3f5; } .discord.dark .container { background: #2b2d31; }
.discord hr { border: 0; border-top: 1px solid #8884; margin: 8px 0; }
"""


def unknown(what):
    sys.exit(f"the model does not know {what!r}")


# The marks of messages, for machines without a font for them.
MARKS = {"🔴": "#dd2e44", "🟡": "#fdcb58", "🟢": "#78b159", "🔎": "#8899a6"}


def escaped(text):
    return html.escape(text, quote=False)


def marked(page):
    """The page with its marks drawn."""
    for mark, colour in MARKS.items():
        page = page.replace(mark, f"<span class='mark' style='background:{colour}'></span>")
    return page


# ---- Slack ----


def slack_marked(text):
    """Slack's mark-up: what stands between < and >, code, bold and italic words."""

    def angle(found):
        inner = found.group(1)
        head, _, label = inner.partition("|")
        if head.startswith("!date^"):
            return f"<span>{label}</span>"
        if head.startswith(("!subteam^", "@")):
            return f"<a>{label or '@somebody'}</a>"
        if head.startswith(("#", "!")):
            return f"<a>{label or head.replace('!', '@')}</a>"
        return f"<a>{label or head}</a>"

    parts = re.split(r"(```.*?```|`[^`\n]+`)", escaped(text).replace("&amp;lt;", "&lt;").replace("&amp;gt;", "&gt;").replace("&amp;amp;", "&amp;"), flags=re.S)
    done = []
    for part in parts:
        if part.startswith("```"):
            done.append(f"<pre><code>{part[3:-3].strip(chr(10))}</code></pre>")
        elif part.startswith("`") and part.endswith("`") and len(part) > 2:
            done.append(f"<code>{part[1:-1]}</code>")
        else:
            part = re.sub(r"&lt;([^&\s][^&]*?)&gt;", angle, part)
            part = re.sub(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])", r"<b>\1</b>", part)
            part = re.sub(r"(?<![\w_])_([^_\n]+)_(?![\w_])", r"<i>\1</i>", part)
            done.append(part.replace("\n", "<br>"))
    return "".join(done)


def slack_text(text):
    return slack_marked(text["text"]) if text["type"] == "mrkdwn" else escaped(text["text"]).replace("\n", "<br>")


def slack_run(run):
    kind = run["type"]
    if kind == "text":
        text = escaped(run["text"]).replace("\n", "<br>")
    elif kind == "link":
        text = f"<a>{escaped(run.get('text', run['url']))}</a>"
    elif kind == "user":
        text = f"<a>@{escaped(run['user_id'])}</a>"
    elif kind == "usergroup":
        text = f"<a>@{escaped(run['usergroup_id'])}</a>"
    elif kind == "channel":
        text = f"<a>#{escaped(run['channel_id'])}</a>"
    elif kind == "broadcast":
        text = f"<a>@{escaped(run['range'])}</a>"
    elif kind == "date":
        text = escaped(run.get("fallback", str(run["timestamp"])))
    elif kind == "emoji":
        text = f":{escaped(run['name'])}:"
    else:
        unknown(kind)
    style = run.get("style", {})
    for name, tag in (("code", "code"), ("bold", "b"), ("italic", "i"), ("strike", "s")):
        if style.get(name):
            text = f"<{tag}>{text}</{tag}>"
    return text


def slack_rich(element):
    kind = element["type"]
    if kind == "rich_text_list":
        tag = "ol" if element["style"] == "ordered" else "ul"
        return f"<{tag}>{''.join(f'<li>{slack_rich(item)}</li>' for item in element['elements'])}</{tag}>"
    runs = "".join(slack_run(run) for run in element["elements"])
    if kind == "rich_text_section":
        return f"<div>{runs}</div>"
    if kind == "rich_text_preformatted":
        return f"<pre>{runs.replace('<br>', chr(10))}</pre>"
    if kind == "rich_text_quote":
        return f"<blockquote>{runs}</blockquote>"
    return unknown(kind)


def slack_control(element):
    kind = element["type"]
    if kind == "button":
        return f"<span class='control {element.get('style', '')}'>{escaped(element['text']['text'])}</span>"
    if kind in ("static_select", "external_select"):
        return f"<span class='control'>{escaped(element['placeholder']['text'])} ▾</span>"
    if kind == "overflow":
        return "<span class='control'>⋯</span>"
    return unknown(kind)


def slack_block(block):
    kind = block["type"]
    if kind == "header":
        return f"<div class='header'>{slack_text(block['text'])}</div>"
    if kind == "section":
        fields = "".join(f"<div>{slack_text(field)}</div>" for field in block.get("fields", []))
        text = slack_text(block["text"]) if "text" in block else ""
        more = slack_control(block["accessory"]) if "accessory" in block else ""
        return f"<div class='block'>{text}{fields}{more}</div>"
    if kind == "context":
        return f"<div class='context'>{' '.join(slack_text(element) for element in block['elements'])}</div>"
    if kind == "rich_text":
        return f"<div class='block'>{''.join(slack_rich(element) for element in block['elements'])}</div>"
    if kind == "actions":
        return f"<div class='controls'>{''.join(slack_control(element) for element in block['elements'])}</div>"
    if kind == "divider":
        return "<hr>"
    if kind == "markdown":
        return f"<div class='block'>{discord_marked(block['text'])}</div>"
    if kind == "table":
        rows = ("".join(f"<td>{escaped(cell.get('text', '')) if cell['type'] == 'raw_text' else slack_rich_cell(cell)}</td>" for cell in row) for row in block["rows"])
        return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
    return unknown(kind)


def slack_rich_cell(cell):
    return "".join(slack_rich(element) for element in cell["elements"])


def slack(sent):
    return "".join(slack_block(block) for block in sent["blocks"])


# ---- Discord ----


def discord_inline(text):
    """What stands in a line: escapes, code, bold and italic words, mentions, times, links."""
    kept = []

    def keep(markup):
        kept.append(markup)
        return f"\0{len(kept) - 1}\0"

    text = re.sub(r"(`+)(.+?)\1", lambda found: keep(f"<code>{escaped(found.group(2))}</code>"), text)
    text = re.sub(r"\\([^A-Za-z0-9\s])", lambda found: keep(escaped(found.group(1))), text)
    text = re.sub(r"\[([^\]]+)\]\(<?(https?://[^)>\s]+)>?\)", lambda found: keep(f"<a>{escaped(found.group(1))}</a>"), text)
    text = re.sub(r"</([\w -]+):\d+>", lambda found: keep(f"<span class='mention'>/{escaped(found.group(1))}</span>"), text)
    text = re.sub(r"<@[&!]?(\d+)>", lambda found: keep("<span class='mention'>@somebody</span>"), text)
    text = re.sub(r"<#\d+>", lambda found: keep("<span class='mention'>#channel</span>"), text)
    text = re.sub(r"<t:(\d+)(?::(\w))?>", lambda found: keep(f"<code>{'41 days ago' if found.group(2) == 'R' else '22 November 2026 06:00'}</code>"), text)
    text = re.sub(r"<?(https?://[^\s<>]+)>?", lambda found: keep(f"<a>{escaped(found.group(1))}</a>"), text)
    text = escaped(text)
    for mark, tag in ((r"\*\*", "b"), ("__", "u"), ("~~", "s"), (r"\*", "i"), ("_", "i")):
        text = re.sub(rf"(?<!\w){mark}(?=\S)(.+?)(?<=\S){mark}(?!\w)", rf"<{tag}>\1</{tag}>", text)
    while "\0" in text:
        text = re.sub(r"\0(\d+)\0", lambda found: kept[int(found.group(1))], text)
    return text


def discord_marked(text):
    done = []
    for part in re.split(r"(```.*?```)", text, flags=re.S):
        if part.startswith("```"):
            code = re.sub(r"^[A-Za-z]*\n", "", part[3:-3])
            done.append(f"<pre><code>{escaped(code.strip(chr(10)))}</code></pre>")
            continue
        for line in part.strip("\n").split("\n") if part.strip("\n") else []:
            head = re.match(r"(#{1,3}|-#|[-*]|>|\d+\.) (.*)", line)
            mark, rest = head.groups() if head else ("", line)
            inner = discord_inline(rest)
            if mark.startswith("#"):
                done.append(f"<h{len(mark)}>{inner}</h{len(mark)}>")
            elif mark == "-#":
                done.append(f"<p class='small'>{inner}</p>")
            elif mark in ("-", "*"):
                done.append(f"<ul><li>{inner}</li></ul>")
            elif mark == ">":
                done.append(f"<blockquote>{inner}</blockquote>")
            elif mark:
                done.append(f"<p>{mark} {inner}</p>")
            else:
                done.append(f"<p>{inner or '&nbsp;'}</p>")
    return "".join(done)


BUTTONS = {1: "primary", 2: "", 3: "success", 4: "danger", 5: ""}


def picture(data):
    return f"<img src='data:image/png;base64,{data}' width='480'>"


def discord_component(one, pictures):
    kind = one["type"]
    inner = lambda: "".join(discord_component(child, pictures) for child in one["components"])  # noqa: E731
    if kind == 1:
        return f"<div class='controls'>{inner()}</div>"
    if kind == 2:
        return f"<span class='control {BUTTONS[one['style']]}'>{escaped(one['label'])}</span>"
    if kind in (3, 5, 6, 7, 8):
        return f"<span class='control select'>{escaped(one.get('placeholder', ''))} ▾</span>"
    if kind == 9:
        return f"<div class='section'><div>{inner()}</div>{discord_component(one['accessory'], pictures)}</div>"
    if kind == 10:
        return f"<div class='text'>{discord_marked(one['content'])}</div>"
    if kind == 12:
        # The pictures of a message are kept in their order.
        return "".join(picture(pictures.pop(0)) for _ in one["items"])
    if kind == 13:
        return f"<span class='file'>{escaped(one['file']['url'].removeprefix('attachment://'))}</span>"
    if kind == 14:
        return "<hr>" if one.get("divider", True) else "<br>"
    if kind == 17:
        colour = one.get("accent_color")
        bar = f" style='border-left-color:#{colour:06x}'" if colour is not None else ""
        return f"<div class='embed container'{bar}>{inner()}</div>"
    return unknown(f"component {kind}")


def discord(sent, pictures):
    done = [discord_marked(sent.get("content") or "")]
    for embed in sent.get("embeds") or []:
        more = set(embed) - {"color", "description", "title", "type", "footer"}
        if more:
            unknown(more)
        title = f"<b>{discord_inline(embed['title'])}</b>" if embed.get("title") else ""
        footer = f"<p class='small'>{escaped(embed['footer']['text'])}</p>" if embed.get("footer") else ""
        done.append(f"<div class='embed' style='border-left-color:#{embed.get('color', 0):06x}'>{title}{discord_marked(embed.get('description', ''))}{footer}</div>")
    done.extend(discord_component(one, pictures) for one in sent.get("components") or [])
    return "".join(done)


LAID_OUT = 1 << 15


def page(platform, kept, light):
    sent, left = kept["sent"], list(kept["pictures"])
    body = slack(sent) if platform == "slack" else discord(sent, left)
    pictures = "".join(picture(data) for data in left)
    # A message that is laid out shows its files itself.
    names = [] if platform == "discord" and (sent.get("flags") or 0) & LAID_OUT else kept["files"]
    files = "".join(f"<span class='file'>{escaped(name)}</span>" for name in names if not name.endswith(".png"))
    # Discord's own controls stand below what is attached.
    return (
        f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><body class='{platform} {light}'><div class='message'>"
        f"<div class='avatar'></div><div class='body'><p class='who'>rotation-diag</p>{marked(body)}{pictures}{files}</div></div>"
    )


def measure_page(browser, folder):
    """The thread of every scenario on the page: how tall its first message is on a phone, and where its fix begins."""
    names = sorted(glob.glob(os.path.join(folder, "page", "root-*.html")))
    wrong = [] if names else [f"{folder} does not hold the page"]
    for where, (width, height) in WINDOWS.items():
        window = browser.new_page(viewport={"width": width, "height": height})
        for name in names:
            with open(name) as file:
                window.set_content(file.read())
            tall, fix, wide = window.evaluate(
                """() => {
                    const message = document.querySelector("article.message[id^='m-']");
                    // As the page's script shows them.
                    message.querySelectorAll("button.copy").forEach(button => { button.hidden = false; });
                    const fix = message.querySelector("pre");
                    return [message.getBoundingClientRect().height, fix && fix.getBoundingClientRect().top + window.scrollY,
                            document.documentElement.scrollWidth];
                }"""
            )
            kind = os.path.basename(name).removesuffix(".html")
            problems = []
            if where == "phone" and tall > ROOT_ON_A_PHONE:
                problems.append(f"{tall:.0f} pixels tall")
            if fix is not None and fix + 40 > height * SCREENS[where]:
                problems.append(f"the fix begins at {fix:.0f}")
            if wide > width:
                problems.append(f"{wide} pixels wide")
            if problems:
                wrong.append(("page", kind, where, *problems))
                window.screenshot(path=f"{name.removesuffix('.html')}-{where}.png", full_page=True)
        window.close()
    return wrong, len(names)


def main():
    folder = sys.argv[1]
    names = sorted(glob.glob(os.path.join(folder, "slack", "*.json")) + glob.glob(os.path.join(folder, "discord", "*.json")))
    counts = {platform: sum(f"{os.sep}{platform}{os.sep}" in name for name in names) for platform in ("slack", "discord")}
    if not all(counts.values()):
        sys.exit(f"{folder} does not hold the messages of both platforms: {counts}")
    tall = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for where, light, width in LOOKS:
            window = browser.new_page(viewport={"width": width, "height": 400})
            for name in names:
                platform, kind = os.path.basename(os.path.dirname(name)), os.path.basename(name).removesuffix(".json")
                is_root = kind.startswith("root-")
                if is_root and where != "phone":
                    continue
                with open(name) as file:
                    window.set_content(page(platform, json.load(file), light))
                height, wide = window.evaluate("[document.body.scrollHeight, document.documentElement.scrollWidth]")
                if wide > width:
                    sys.exit(f"{platform} {kind} is {wide} pixels wide on a {where}")
                is_tall = where == "phone" and (is_root or kind in ROOTS) and height > ROOT_ON_A_PHONE
                if is_tall:
                    tall.append((platform, kind, height))
                if is_root and not is_tall:
                    continue
                window.screenshot(path=f"{name.removesuffix('.json')}-{where}.png", full_page=True)
            window.close()
        wrong, threads = measure_page(browser, folder)
        browser.close()
    tall.extend(wrong)
    if tall:
        sys.exit(f"what a thread hangs on is too tall on a phone, {ROOT_ON_A_PHONE} pixels: {tall}")
    print(f"{sum(counts.values())} messages in {len(LOOKS)} pictures each, {threads} threads of the page: well")


if __name__ == "__main__":
    main()
