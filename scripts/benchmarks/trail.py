"""The trail with many events: makes a history of a size, and measures lookups in it.

    trail.py make DATA TRAIL EVENTS delivered|waiting   adds events to the database of a server that is stopped
    trail.py lookup URL EVENTS                          prints rows of a table: an attribute, and its lookups' 99th percentiles
    trail.py flush URL                                  prints how long a delivery takes, in seconds

The events are those of one account in two regions over the last eighty days: forty operations, two hundred users, five hundred
repositories, some of them far more often than others.
"""

import http.client
import json
import pathlib
import random
import sqlite3
import statistics
import sys
import time
import urllib.parse

ACCOUNT, DAYS, CALLS, PAGE = "111122223333", 80, 300, 50
SCOPE = "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/cloudtrail/aws4_request"
NAMES = [f"{verb}{noun}" for verb in ("Get", "List", "Create", "Update", "Delete") for noun in
         ("Repository", "Branch", "PullRequest", "Comment", "Commit", "File", "Trigger", "Tag")]
SOURCES = ["codecommit.amazonaws.com", "cloudtrail.amazonaws.com", "s3.amazonaws.com"]
TARGET = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"
RECORD = (
    '{{"eventVersion":"1.05","userIdentity":{{"type":"IAMUser","principalId":"AIDA{user:017}","arn":"arn:aws:iam::{account}:user/user-{user}",'
    '"accountId":"{account}","accessKeyId":"AKIA{user:016}","userName":"user-{user}"}},"eventTime":"{iso}","eventSource":"{source}",'
    '"eventName":"{name}","awsRegion":"{region}","sourceIPAddress":"127.0.0.1","userAgent":"aws-cli/2.15.0 Python/3.11.6",'
    '"requestParameters":{{"repositoryName":"repository-{repository}"}},"responseElements":null,"requestID":"{request}","eventID":"{id}",'
    '"readOnly":{read},"resources":[{{"ARN":"arn:aws:codecommit:{region}:{account}:repository-{repository}","accountId":"{account}",'
    '"type":"AWS::CodeCommit::Repository"}}],"eventType":"AwsApiCall","apiVersion":"2015-04-13","recipientAccountId":"{account}"}}')


def uuid(chance):
    digits = f"{chance.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def often(chance, count):
    """A number below so many, the first ones most often."""
    return int(chance.random() ** 3 * count)


def events(count):
    """The events after the first; the last one is now."""
    chance, now = random.Random(20131101), time.time()
    begin, step = now - DAYS * 86400, DAYS * 86400 / max(count, 1)
    for number in range(count):
        at = begin + number * step
        name = NAMES[often(chance, len(NAMES))]
        region = "us-east-1" if number % 10 else "us-east-2"
        event_id = uuid(chance)
        record = RECORD.format(
            account=ACCOUNT, user=often(chance, 200), iso=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)),
            source=SOURCES[often(chance, 3)], name=name, region=region, repository=often(chance, 500), request=uuid(chance),
            id=event_id, read="true" if name[0] in "GL" else "false")
        yield event_id, ACCOUNT, region, int(at * 1000), name, record


def make(data, trail, count, delivered):
    database = sqlite3.connect(pathlib.Path(data) / "codecommit.db")
    database.execute("PRAGMA synchronous = OFF")
    with database:
        database.executemany("INSERT INTO events (event_id, account, region, time, name, record) VALUES (?, ?, ?, ?, ?, ?)", events(count))
        if delivered == "delivered":
            database.execute("UPDATE delivery SET last_seq = (SELECT MAX(seq) FROM events)")
        last = database.execute("SELECT record FROM events ORDER BY seq DESC LIMIT 1").fetchone()[0]
    database.close()
    # The server compares the file's end with the database.
    with open(pathlib.Path(trail) / "events.ndjson", "a") as file:
        file.write(last + "\n")


class Client:
    """A connection to the server."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)

    def lookup(self, **parameters):
        headers = {
            "X-Amz-Target": TARGET,
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host, Signature=0",
        }
        self.connection.request("POST", "/", json.dumps(parameters), headers)
        begin = time.perf_counter()
        reply = self.connection.getresponse()
        body = reply.read()
        took = time.perf_counter() - begin
        if reply.status != 200:
            raise SystemExit(f"LookupEvents {parameters}: {reply.status} {body.decode()}")
        return json.loads(body), took


def filters(client):
    """For each attribute some values that occur, the most frequent ones among them."""
    sample = []
    for end in (None, time.time() - 40 * 86400, time.time() - 75 * 86400):
        sample += client.lookup(**({"EndTime": end} if end else {}))[0]["Events"]
    yield "none", [{}]
    for attribute in ("EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName", "EventSource", "AccessKeyId"):
        if attribute.startswith("Resource"):
            found = [resource[attribute] for event in sample for resource in event["Resources"]]
        else:
            found = [event[attribute] for event in sample if attribute in event]
        values = sorted(set(found), key=lambda value: -found.count(value))[:10]
        yield attribute, [{"LookupAttributes": [{"AttributeKey": attribute, "AttributeValue": value}]} for value in values]


def page(client, parameters, number):
    """The parameters of so many pages on, or of the last page, and which one that is."""
    for at in range(1, number):
        reply, _ = client.lookup(**parameters)
        if "NextToken" not in reply:
            return parameters, at
        parameters = parameters | {"NextToken": reply["NextToken"]}
    return parameters, number


def percentile(client, pages):
    times = [client.lookup(**pages[number % len(pages)])[1] for number in range(CALLS)]
    return statistics.quantiles(times, n=100)[98] * 1000


def lookup(url, count):
    client = Client(url)
    begin = time.perf_counter()
    client.lookup(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "none"}])
    print(f"{count:,} events were indexed {time.perf_counter() - begin:.1f} s after the start", file=sys.stderr)
    for attribute, pages in filters(client):
        later = [page(client, parameters, PAGE) for parameters in pages]
        reached = max(at for _, at in later)
        first, last = percentile(client, pages), percentile(client, [it for it, at in later if at == reached])
        print(f"| {attribute} | {count:,} | {first:.1f} | {last:.1f} | {reached} |", flush=True)


def flush(url):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
    begin = time.perf_counter()
    connection.request("POST", "/_local/flush")
    reply = connection.getresponse()
    if reply.status != 200:
        raise SystemExit(f"flush: {reply.status} {reply.read().decode()}")
    print(f"{time.perf_counter() - begin:.1f}")


command, *arguments = sys.argv[1:]
match command:
    case "make":
        make(arguments[0], arguments[1], int(arguments[2]), arguments[3])
    case "lookup":
        lookup(arguments[0], int(arguments[1]))
    case "flush":
        flush(arguments[0])
