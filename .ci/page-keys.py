"""The inspector's page as somebody without a mouse or a screen meets it: keys go in, and what the browser tells screen
readers comes out. Usage: page-keys.py PORT-OF-THE-BROWSER URL-OF-THE-PAGE"""

import base64
import json
import os
import socket
import struct
import sys
import time
import urllib.request


class Browser:
    """The DevTools protocol over a web socket, as far as it is needed here."""

    def __init__(self, port):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/json/new?about:blank", method="PUT")
        path = json.load(urllib.request.urlopen(request))["webSocketDebuggerUrl"].split(str(port), 1)[1]
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1)
        assert b" 101 " in head, head
        self.number = 0

    def read(self, count):
        data = b""
        while len(data) < count:
            data += self.socket.recv(count - len(data))
        return data

    def message(self):
        text = b""
        while True:
            first, length = self.read(2)
            length &= 127
            if length == 126:
                (length,) = struct.unpack(">H", self.read(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", self.read(8))
            text += self.read(length)
            if first & 128:
                return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        data = json.dumps({"id": self.number, "method": method, "params": parameters}).encode()
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        self.socket.sendall(bytes([129, 128 | 127]) + struct.pack(">Q", len(data)) + mask + masked)
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer)
                return answer["result"]

    def run(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def key(self, key, text=None, modifiers=0):
        code = {"Tab": 9, "Enter": 13}.get(key, 0)
        event = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        self.call("Input.dispatchKeyEvent", type="keyDown", **event, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def open(self, url):
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        for _ in range(200):
            try:
                if self.run("document.documentElement?.dataset?.ready") == "yes":
                    return
            except AssertionError:
                pass  # Between two documents there is nothing to ask.
            time.sleep(0.05)
        raise AssertionError(f"{url} is not ready")

    def tree(self):
        """Role and name of all that a screen reader meets."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        text = lambda node, key: node.get(key, {}).get("value", "")
        return [(text(node, "role"), text(node, "name")) for node in nodes if not node["ignored"]]


BROKEN = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01"


def main(port, url):
    browser = Browser(port)
    browser.call("Page.enable")
    browser.open(url)

    # Keys alone reach every control, in the order in which it is read, and the focus is seen.
    browser.run("document.activeElement.blur()")
    stops = []
    for _ in range(7):
        browser.key("Tab")
        stops.append(browser.run("document.activeElement.id || document.activeElement.tagName.toLowerCase()"))
        outline = browser.run("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", f"the focus on {stops[-1]} is not seen"
    assert stops == ["text", "propagators", "bytes", "members", "copy", "example", "summary"], stops

    # What is typed is explained at once, and said in one sentence.
    browser.run("document.getElementById('text').focus(); document.getElementById('text').select()")
    browser.call("Input.insertText", text=BROKEN)
    status = browser.run("document.getElementById('status').textContent")
    assert "Errors: 1" in status and "parent-id is not lower-case hex (column 52)" in status, status
    assert browser.run("document.querySelector('mark').textContent") == "-", "the broken place is marked"

    tree = browser.tree()
    named = {
        ("textbox", "Request headers"),
        ("combobox", "Formats, in order"),
        ("spinbutton", "Most bytes of baggage sent"),
        ("spinbutton", "Most members sent"),
        ("button", "Copy link"),
        ("button", "Next example"),
        ("main", ""),
        ("region", "What it means"),
        ("heading", "What do these headers mean?"),
        ("heading", "Findings"),
        ("heading", "Who wins"),
        ("columnheader", "format"),
        ("link", "the rule"),
    }
    assert named <= set(tree), named - set(tree)
    assert any(role == "status" for role, _ in tree), tree
    nameless = [it for it in tree if it[0] in ("textbox", "combobox", "spinbutton", "button", "link") and not it[1]]
    assert not nameless, nameless

    # Buttons work with Enter, and a link holds the whole input.
    browser.run("document.getElementById('copy').focus()")
    browser.key("Enter", text="\r")
    time.sleep(0.2)
    link = browser.run("location.href")
    assert "The link" in browser.run("document.getElementById('status').textContent")
    browser.open(link)
    assert browser.run("document.getElementById('text').value") == BROKEN, link

    # A setting that cannot be used is told beside it.
    browser.run("document.getElementById('propagators').focus(); document.getElementById('propagators').select()")
    browser.call("Input.insertText", text="b4")
    assert browser.run("document.getElementById('propagators').getAttribute('aria-invalid')") == "true"
    assert "b4" in browser.run("document.getElementById('propagators-error').innerText")

    # Light and dark, and letters that can be read in both: WCAG's 4.5 to 1.
    browser.open(link)
    for theme in ("light", "dark"):
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        worst = browser.run(CONTRAST)
        assert worst[0] >= 4.5, (theme, worst)
        print(f"{theme}: contrast of at least {worst[0]:.1f} to 1")
    print("keys reach every control; screen readers get its role and name")


# The lowest contrast of a text and what is behind it, and which text.
CONTRAST = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = (c) => { const [r, g, b] = c.map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (element) => { for (let at = element; at; at = at.parentElement) { const colour = getComputedStyle(at).backgroundColor; if (!/, 0\\)$|transparent/.test(colour)) return colour; } return "white"; };
  let worst = [21, ""];
  for (const element of document.body.querySelectorAll("*")) {
    if (!element.offsetParent || ![...element.childNodes].some((it) => it.nodeType === 3 && it.data.trim())) continue;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(rgb(behind(element)))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < worst[0]) worst = [contrast, `${element.tagName} ${element.className} ${element.textContent.slice(0, 40)}`];
  }
  return worst;
})()"""

main(int(sys.argv[1]), sys.argv[2])
