"""The console with much data: fills a server, and measures its pages.

    console.py fill URL           creates 1,000 repositories, one of them with the name large and many branches
    console.py measure URL RUNS   prints rows of a table: page, time and bytes
"""

import gzip
import http.client
import json
import re
import statistics
import sys
import time
import urllib.parse

REPOSITORIES = 1_000
REPOSITORY = "repositories/large"


class Browser:
    """A connection that keeps the cookies, and follows nothing by itself."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
        self.cookies = {}

    def send(self, method, path, body="", headers=None):
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        self.connection.request(method, path, body, {**cookies, **(headers or {})})
        reply = self.connection.getresponse()
        for cookie in reply.msg.get_all("Set-Cookie", []):
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return reply.status, reply.read(), reply.headers

    def call(self, operation, **members):
        status, body, _ = self.send("POST", "/", json.dumps(members), {"X-Amz-Target": f"CodeCommit_20150413.{operation}"})
        if status != 200:
            sys.exit(f"{operation}: {status} {body.decode()}")
        return json.loads(body or "null")

    def sign_in(self):
        _, page, _ = self.send("GET", "/_console/sign-in")
        token = re.search(r'name="csrf" value="([^"]*)"', page.decode())[1]
        form = urllib.parse.urlencode({"csrf": token, "account": "111122223333", "name": "Mary_Major"})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        status, body, _ = self.send("POST", "/_console/sign-in", form, headers)
        if status != 303:
            sys.exit(f"signing in: {status} {body.decode()}")


def fill(browser):
    for number in range(1, REPOSITORIES):
        browser.call("CreateRepository", repositoryName=f"repository-{number:04}", repositoryDescription="One of many.")
    browser.call("CreateRepository", repositoryName="large", repositoryDescription="The one with the files.")


def pages(browser):
    """Returns the pages with their paths."""
    repository = {"repositoryName": "large"}
    tip = browser.call("GetBranch", branchName="main", **repository)["branch"]["commitId"]
    targets = [{**repository, "sourceReference": "topic", "destinationReference": "main"}]
    made = browser.call("CreatePullRequest", title="A topic", targets=targets)
    pull_request = f"{REPOSITORY}/pull-requests/{made['pullRequest']['pullRequestId']}"
    _, events, _ = browser.send("GET", "/_console/events?format=json")
    event_id = json.loads(events)["Records"][0]["eventID"]
    return [
        ("repositories, 1,000", "repositories"),
        ("code with a README", f"{REPOSITORY}/code"),
        ("folder of 10,000 files", f"{REPOSITORY}/code?path=folder"),
        ("file of 300 lines", f"{REPOSITORY}/code?path=source.rs"),
        ("commits, first page", f"{REPOSITORY}/commits"),
        ("commit of 5,000 files", f"{REPOSITORY}/commit?id={tip}"),
        ("compare", f"{REPOSITORY}/compare?after=topic&before=main"),
        ("branches", f"{REPOSITORY}/branches"),
        ("tags", f"{REPOSITORY}/tags"),
        ("pull requests", f"{REPOSITORY}/pull-requests"),
        ("pull request", pull_request),
        ("settings", f"{REPOSITORY}/settings"),
        ("triggers", f"{REPOSITORY}/triggers"),
        ("templates", "templates"),
        ("event history", "events"),
        ("event history, three filters", "events?Username=user-1&EventName=GetRepository&ReadOnly=true"),
        ("event", f"events/{event_id}"),
        ("trails", "trails"),
        ("live", "live"),
        ("timeline, a day", "timeline"),
        ("pushes", "pushes"),
        ("people, a day", "people"),
    ]


def measure(browser, runs):
    measured = pages(browser)
    first = None
    for label, path in measured:
        times = []
        for _ in range(runs):
            begun = time.perf_counter()
            status, body, _ = browser.send("GET", f"/_console/{path}", headers={"Accept-Encoding": "gzip"})
            times.append((time.perf_counter() - begun) * 1000)
            if status != 200:
                sys.exit(f"{path}: {status}")
        text = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        first = first or (text.decode(), len(body))
        print(f"| {label} | {statistics.median(times):.1f} | {max(times):.1f} | {len(text)} | {len(body)} |")
    text, size = first
    assets = set(re.findall(r'(?:href|src)="(/_console/assets/[^"]*)"', text))
    for asset in assets:
        _, body, _ = browser.send("GET", asset, headers={"Accept-Encoding": "gzip"})
        size += len(body)
    print()
    print(f"First view of the repositories, with {len(assets)} files: {size} bytes.")


def main():
    browser = Browser(sys.argv[2])
    if sys.argv[1] == "fill":
        fill(browser)
    else:
        browser.sign_in()
        measure(browser, int(sys.argv[3]))


main()
